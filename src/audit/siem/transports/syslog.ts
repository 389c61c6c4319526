import { hostname } from 'node:os';
import { isIP } from 'node:net';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { ConfigError } from '../../../platform/index.js';
import type { Shipment, Sink } from '../sink.js';
import { ReceiverFailure } from './receiver-failure.js';
import { octetCounted, type SyslogFormat, syslogHostname, syslogMessage } from './rfc5424.js';
import { type TlsFiles, tlsParts } from './tls-files.js';

export interface SyslogOptions extends TlsFiles {
  name: string;
  /** `tls://host:port`; the port of RFC 5425, 6514, where it is left out. */
  url: string;
  /** Time for one shipment, connection and all, milliseconds. */
  timeoutMs?: number | undefined;
  /** HOSTNAME. Unset: this machine's name. */
  host?: string | undefined;
  /** Private enterprise number of the structured data. Unset: 32473, which RFC 5612 keeps for examples and for who has none. */
  enterpriseNumber?: number | undefined;
  bom?: boolean | undefined;
  /** Longest message in bytes, header and all; the receiver's own limit must not be lower (rsyslog: maxMessageSize, 8 KiB by default). */
  mostBytes?: number | undefined;
}

const PORT = 6514;
const TIMEOUT_MS = 30_000;
const ENTERPRISE_NUMBER = 32_473;
const MOST_BYTES = 64 * 1024;
/** The connection is held open for as long as its handshake took, within these bounds. */
const HOLD_MS = { least: 20, most: 1_000 };

/**
 * Syslog (RFC 5424) over TLS (RFC 5425), one connection a shipment.
 *
 * Syslog acknowledges nothing, and bytes that the kernel took may die with the connection. What TCP and TLS can tell is used instead:
 * after the last octet the gateway closes its side and waits for the receiver to close its own. A receiver comes to that end only by
 * reading everything before it; one that dies with octets unread answers with a reset, and one that closes first is not believed. The
 * shipment is then sent again as a whole, so that receivers see some lines twice (`id` tells them).
 *
 * What this does not tell: that the receiver has stored what it read (RELP would, and is not spoken here), or that a proxy between has
 * passed on what it took. A receiver that dies, its buffer empty, in the instant in which more is under way may be taken for one that has
 * read it. `seq` and the statements between records show such a gap.
 */
export function syslog(options: SyslogOptions): Sink {
  return new Syslog(options);
}

class Syslog implements Sink {
  readonly name: string;
  readonly #target: ConnectionOptions;
  readonly #format: SyslogFormat;
  readonly #open = new Set<TLSSocket>();

  /** @throws ConfigError when the address is not one of TLS or a file cannot be read. */
  constructor(private readonly options: SyslogOptions) {
    this.name = options.name;
    const { host, port } = checkedUrl(options.url, options.name);
    this.#target = {
      host,
      port,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...tlsParts(options, options.name),
    };
    this.#format = {
      hostname: syslogHostname(options.host ?? hostname()),
      enterpriseNumber: options.enterpriseNumber ?? ENTERPRISE_NUMBER,
      bom: options.bom ?? true,
      mostBytes: options.mostBytes ?? MOST_BYTES,
    };
  }

  async send({ kind, lines }: Shipment, signal: AbortSignal): Promise<void> {
    if (lines.length === 0) return;
    const octets = Buffer.concat(lines.map((line) => octetCounted(syslogMessage(kind, line, this.#format))));
    const limit = AbortSignal.timeout(this.options.timeoutMs ?? TIMEOUT_MS);
    const stop = AbortSignal.any([signal, limit]);
    try {
      stop.throwIfAborted();
      await this.deliver(octets, stop);
    } catch (error) {
      if (signal.aborted) throw new ReceiverFailure('aborted');
      throw limit.aborted ? new ReceiverFailure('timeout') : ReceiverFailure.of(error);
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
  }

  private deliver(octets: Buffer, stop: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const began = performance.now();
      const socket = connect(this.#target);
      this.#open.add(socket);
      let saidAll = false;
      let heardEnd = false;
      let hold: NodeJS.Timeout | undefined;
      const give = (): void => void socket.destroy(new ReceiverFailure('aborted'));
      stop.addEventListener('abort', give, { once: true });
      socket.once('secureConnect', () => {
        const holdMs = Math.min(Math.max(performance.now() - began, HOLD_MS.least), HOLD_MS.most);
        // A balancer without a receiver, or a receiver that refuses our certificate, ends the connection right after the handshake.
        socket.write(octets, () => (hold = setTimeout(() => socket.end(), holdMs)));
      });
      socket.once('finish', () => (saidAll = true));
      socket.once('end', () => {
        heardEnd = saidAll;
        if (!saidAll) socket.destroy(new ReceiverFailure('closed-early'));
      });
      // More than once: a connection that is torn down tells of each of its ends.
      socket.on('error', reject);
      socket.once('close', () => {
        clearTimeout(hold);
        stop.removeEventListener('abort', give);
        this.#open.delete(socket);
        if (heardEnd) resolve();
        else reject(new ReceiverFailure('closed-early'));
      });
      // What a receiver says is nothing to us, but left unread it would turn our close into a reset, which destroys what is under way.
      socket.resume();
    });
  }
}

function checkedUrl(address: string, name: string): { host: string; port: number } {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== 'tls:' || url.hostname === '' || url.username !== '')
    throw new ConfigError('the url must be an address such as tls://siem.example:6514', `SIEM receiver ${name}`);
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: url.port === '' ? PORT : Number(url.port) };
}
