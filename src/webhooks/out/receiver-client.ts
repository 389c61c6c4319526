import { Agent, request } from 'undici';
import { retryAfterSeconds } from '../../platform/index.js';
import { AddressForbidden, type ConnectorOptions, receiverConnector } from './receiver-address.js';

export interface ReceiverClientOptions extends ConnectorOptions {
  /** For an attempt as a whole. */
  attemptMs: number;
  /** To one origin. */
  connections: number;
}

/** How an attempt ended; what an endpoint answered is in the status. */
export type Outcome =
  | 'delivered'
  | 'refused'
  | 'gone'
  | 'redirected'
  | 'busy'
  | 'failed'
  | 'timeout'
  | 'unreachable'
  | 'untrusted'
  | 'forbidden-address'
  | 'withheld';

export interface Attempt {
  at: Date;
  durationMs: number;
  outcome: Outcome;
  /** 0 when no answer came. */
  status: number;
  contentType: string | null;
  answerBytes: number;
  /** As the receiver asks. */
  retryAfterMs: number | undefined;
}

/** Nothing was sent: its client may not be told. */
export function withheld(at: Date): Attempt {
  return {
    at,
    durationMs: 0,
    outcome: 'withheld',
    status: 0,
    contentType: null,
    answerBytes: 0,
    retryAfterMs: undefined,
  };
}

/** Of an answer no more is read: it is thrown away, and its connection with it. */
const MOST_ANSWER_BYTES = 16_384;
const LONGEST_RETRY_AFTER_S = 86_400;
const LONGEST_CONTENT_TYPE = 128;

/** Posts to receivers. Redirects are not followed: where an event goes is what was registered and nothing else. */
export class ReceiverClient {
  readonly #agent: Agent;
  readonly #attemptMs: number;

  constructor(options: ReceiverClientOptions) {
    this.#attemptMs = options.attemptMs;
    this.#agent = new Agent({
      connect: receiverConnector(options),
      connections: options.connections,
      pipelining: 1,
      headersTimeout: options.attemptMs,
      bodyTimeout: options.attemptMs,
    });
  }

  /** Never fails: what went wrong is an outcome. */
  async post(url: string, headers: Record<string, string>, body: string, now: () => Date): Promise<Attempt> {
    const at = now();
    const startedAt = performance.now();
    const ended = (attempt: Pick<Attempt, 'outcome'> & Partial<Attempt>): Attempt => ({
      at,
      durationMs: Math.round(performance.now() - startedAt),
      status: 0,
      contentType: null,
      answerBytes: 0,
      retryAfterMs: undefined,
      ...attempt,
    });
    try {
      const answer = await request(url, {
        dispatcher: this.#agent,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'user-agent': 'Gatehouse-Webhooks', ...headers },
        body,
        signal: AbortSignal.timeout(this.#attemptMs),
      });
      const { statusCode: status } = answer;
      const answerBytes = await thrownAway(answer.body);
      const askedFor = retryAfterSeconds(first(answer.headers['retry-after']), at.getTime(), LONGEST_RETRY_AFTER_S);
      return ended({
        outcome: outcomeOf(status),
        status,
        answerBytes,
        contentType: first(answer.headers['content-type'])?.slice(0, LONGEST_CONTENT_TYPE) ?? null,
        retryAfterMs: askedFor === undefined ? undefined : askedFor * 1_000,
      });
    } catch (error) {
      return ended({ outcome: failureOf(error) });
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

async function thrownAway(body: AsyncIterable<Buffer> & { destroy(): unknown }): Promise<number> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MOST_ANSWER_BYTES) break;
  }
  body.destroy();
  return bytes;
}

function outcomeOf(status: number): Outcome {
  if (status >= 200 && status < 300) return 'delivered';
  if (status === 410) return 'gone';
  if (status >= 300 && status < 400) return 'redirected';
  if (status === 429 || status === 502 || status === 503 || status === 504) return 'busy';
  return status >= 500 ? 'failed' : 'refused';
}

function failureOf(error: unknown): Outcome {
  const { name, code, cause } = error as { name?: string; code?: string; cause?: unknown };
  if (error instanceof AddressForbidden || cause instanceof AddressForbidden) return 'forbidden-address';
  if (name === 'TimeoutError' || /TIMEOUT|ETIMEDOUT/.test(code ?? '')) return 'timeout';
  return /CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO_VERIFY|ISSUER/.test(code ?? '') ? 'untrusted' : 'unreachable';
}

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
