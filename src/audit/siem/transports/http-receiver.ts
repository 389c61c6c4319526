import { promisify } from 'node:util';
import { gzip as gzipCallback } from 'node:zlib';
import { Pool } from 'undici';
import { ConfigError, Secret } from '../../../platform/index.js';
import { ReceiverFailure } from './receiver-failure.js';
import { type TlsFiles, tlsParts } from './tls-files.js';

export interface HttpOptions extends TlsFiles {
  /** Name of the sink, in settings and in the operational log. */
  name: string;
  /** An https address; plain http to the loopback only. */
  url: string;
  token?: Secret | undefined;
  /** Time for one request and its answer, milliseconds. */
  timeoutMs?: number | undefined;
  /** Whether bodies go compressed (RFC 9110, `Content-Encoding: gzip`). */
  gzip?: boolean | undefined;
  /** Lines are cut into requests of about so many bytes before compression; a longer line goes alone. */
  mostBytes?: number | undefined;
}

export interface Answer {
  status: number;
  text: string;
}

const TIMEOUT_MS = 30_000;
/** What hosted collectors commonly take in one request. */
const MOST_BYTES = 1_000_000;
const MOST_ANSWER_BYTES = 256 * 1024;
const MOST_COOKIES = 8;
/** One for the shipment under way, one for the operational log's. */
const CONNECTIONS = 2;

const compress = promisify(gzipCallback);

/** The way to a receiver that speaks HTTP: its one address, no redirects followed, time and size of every answer bounded (rule 6). */
export class HttpReceiver {
  readonly #pool: Pool;
  readonly #base: URL;
  readonly #cookies = new Map<string, string>();

  /** @throws ConfigError when the address is neither https nor the loopback's, or a file cannot be read. */
  constructor(private readonly options: HttpOptions) {
    this.#base = checkedUrl(options.url, options.name);
    const timeout = options.timeoutMs ?? TIMEOUT_MS;
    this.#pool = new Pool(this.#base.origin, {
      connect: { ...tlsParts(options, options.name), timeout },
      connections: CONNECTIONS,
      pipelining: 1,
      allowH2: false,
      headersTimeout: timeout,
      bodyTimeout: timeout,
      maxResponseSize: MOST_ANSWER_BYTES,
    });
  }

  /**
   * Posts to a path below the address, or to the address itself where it is empty.
   * @throws ReceiverFailure when no whole answer came.
   */
  async post(path: string, body: string, headers: Record<string, string>, signal: AbortSignal): Promise<Answer> {
    const { gzip, timeoutMs } = this.options;
    const limit = AbortSignal.timeout(timeoutMs ?? TIMEOUT_MS);
    try {
      const {
        statusCode,
        headers: answered,
        body: answer,
      } = await this.#pool.request({
        method: 'POST',
        path: below(this.#base, path),
        headers: {
          'user-agent': 'Gatehouse',
          ...headers,
          ...this.#cookie(),
          ...(gzip ? { 'content-encoding': 'gzip' } : {}),
        },
        body: gzip ? await compress(body) : body,
        signal: AbortSignal.any([signal, limit]),
      });
      const text = await answer.text();
      this.#keepCookies(answered['set-cookie']);
      return { status: statusCode, text };
    } catch (error) {
      if (signal.aborted) throw new ReceiverFailure('aborted');
      throw limit.aborted ? new ReceiverFailure('timeout') : ReceiverFailure.of(error);
    }
  }

  bearer(): Record<string, string> {
    const { token } = this.options;
    return token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` };
  }

  /** Cuts encoded lines into requests. */
  requests<T extends { text: string }>(encoded: readonly T[]): T[][] {
    const most = this.options.mostBytes ?? MOST_BYTES;
    const requests: T[][] = [];
    let bytes = Number.POSITIVE_INFINITY;
    for (const one of encoded) {
      const more = Buffer.byteLength(one.text) + 1;
      if (bytes + more > most) {
        requests.push([]);
        bytes = 0;
      }
      requests.at(-1)?.push(one);
      bytes += more;
    }
    return requests;
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  /** A balancer keeps a sender on one receiver by a cookie: an acknowledgement is known only to the one that took the events. */
  #cookie(): Record<string, string> {
    if (this.#cookies.size === 0) return {};
    return { cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ') };
  }

  #keepCookies(lines: string | string[] | undefined): void {
    for (const line of lines === undefined ? [] : [lines].flat()) {
      const [, name, value] = /^([\w.-]{1,128})=([^;,\s]{0,1024})/.exec(line) ?? [];
      if (name === undefined || value === undefined) continue;
      if (this.#cookies.has(name) || this.#cookies.size < MOST_COOKIES) this.#cookies.set(name, value);
    }
  }
}

/** Anything but 2xx is no acknowledgement; a redirect is none either. */
export function mustBeTaken({ status }: Answer): void {
  if (status < 200 || status > 299) throw new ReceiverFailure(`http-${status}`);
}

/** A line as a JSON value: OCSF and operational lines are objects already, CEF becomes a string. */
export function jsonValue(text: string): string {
  return text.startsWith('{') ? text : JSON.stringify(text);
}

function below({ pathname, search }: URL, path: string): string {
  return (path === '' ? pathname : pathname.replace(/\/+$/, '') + path) + search;
}

function checkedUrl(address: string, name: string): URL {
  const setting = `SIEM receiver ${name}`;
  if (!URL.canParse(address)) throw new ConfigError('the url must be an address such as https://siem.example', setting);
  const url = new URL(address);
  const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback))
    throw new ConfigError('the url must be https; plain http goes to the loopback only', setting);
  if (url.username !== '' || url.password !== '')
    throw new ConfigError('the url must hold no credential; it goes into token', setting);
  return url;
}
