import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, type Secret, SystemClock } from '../../../platform/index.js';
import type { Shipment, ShippedLine, Sink } from '../sink.js';
import { type Answer, type HttpOptions, HttpReceiver, jsonValue } from './http-receiver.js';
import { ReceiverFailure } from './receiver-failure.js';

export interface SplunkHecOptions extends HttpOptions {
  token: Secret;
  /**
   * Whether to wait for the indexer's acknowledgement, which the token must have switched on. Without it a shipment counts as taken once
   * HEC finds it valid (HTTP 200): what is lost between there and the index is then lost for good.
   */
  ack?: boolean | undefined;
  /** How long an acknowledgement may take before everything is sent again, milliseconds. Splunk advises five minutes. */
  ackTimeoutMs?: number | undefined;
  /** First pause between two questions for acknowledgements, milliseconds; it doubles up to ten seconds. */
  pollMs?: number | undefined;
  index?: string | undefined;
  /** Unset: this machine's name. */
  host?: string | undefined;
  source?: string | undefined;
  /** Of records. Unset: `gatehouse:ocsf` or `gatehouse:cef`. Operational lines are always `gatehouse:log`. */
  sourcetype?: string | undefined;
}

const ACK_TIMEOUT_MS = 300_000;
const POLL_MS = 500;
const MOST_POLL_MS = 10_000;

/**
 * Splunk's HTTP Event Collector: `POST /services/collector/event`, then `/services/collector/ack` until the indexer has every batch
 * (https://docs.splunk.com/Documentation/Splunk/latest/Data/AboutHECIDXAck). Events carry `gatehouse_id` as an indexed field, by which
 * doubles of a repeated shipment are dropped in a search.
 */
export function splunkHec(options: SplunkHecOptions, clock: Clock = new SystemClock()): Sink {
  return new SplunkHec(options, clock);
}

class SplunkHec implements Sink {
  readonly name: string;
  readonly #http: HttpReceiver;
  /** One a sink: ids of acknowledgements are numbered within it. */
  readonly #channel = randomUUID();
  readonly #host: string;

  constructor(
    private readonly options: SplunkHecOptions,
    private readonly clock: Clock,
  ) {
    this.name = options.name;
    this.#http = new HttpReceiver(options);
    this.#host = options.host ?? hostname();
  }

  async send({ kind, lines }: Shipment, signal: AbortSignal): Promise<void> {
    const waiting = new Set<number>();
    const events = lines.map((line) => ({ text: this.event(kind, line) }));
    for (const request of this.#http.requests(events)) {
      const body = request.map(({ text }) => text).join('\n');
      const taken = read(await this.#http.post('/services/collector/event', body, this.headers(), signal));
      if (taken.ackId !== undefined) waiting.add(taken.ackId);
      else if (this.options.ack ?? true) throw new ReceiverFailure('no-ack-id');
    }
    if (this.options.ack ?? true) await this.acknowledged(waiting, signal);
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  /** An id that was told as true is forgotten by Splunk, so that each is asked for until it is, and never again. */
  private async acknowledged(waiting: Set<number>, signal: AbortSignal): Promise<void> {
    const until = this.clock.monotonic() + BigInt(this.options.ackTimeoutMs ?? ACK_TIMEOUT_MS) * 1_000_000n;
    for (
      let pauseMs = this.options.pollMs ?? POLL_MS;
      waiting.size > 0;
      pauseMs = Math.min(pauseMs * 2, MOST_POLL_MS)
    ) {
      await sleep(pauseMs, undefined, { signal }).catch(() => {
        throw new ReceiverFailure('aborted');
      });
      for (const id of await this.askFor([...waiting], signal)) waiting.delete(id);
      if (waiting.size > 0 && this.clock.monotonic() >= until) throw new ReceiverFailure('no-ack');
    }
  }

  private async askFor(acks: readonly number[], signal: AbortSignal): Promise<number[]> {
    const path = '/services/collector/ack';
    // The answer says nothing of the events: one that fails for a moment is asked for again, within the bound.
    const answer = await this.#http
      .post(path, JSON.stringify({ acks }), this.headers(), signal)
      .catch((error: unknown) => {
        if (signal.aborted) throw error;
        return undefined;
      });
    if (answer === undefined || answer.status >= 500 || answer.status === 429) return [];
    const told = parsed(answer)['acks'];
    if (answer.status !== 200 || typeof told !== 'object' || told === null) throw refusal(answer);
    return acks.filter((id) => (told as Record<string, unknown>)[String(id)] === true);
  }

  private headers(): Record<string, string> {
    return {
      authorization: `Splunk ${this.options.token.reveal()}`,
      'content-type': 'application/json',
      'x-splunk-request-channel': this.#channel,
    };
  }

  private event(kind: Shipment['kind'], { id, atMs, text, seq }: ShippedLine): string {
    const { index, source, sourcetype } = this.options;
    const event = jsonValue(text);
    const records = sourcetype ?? (event === text ? 'gatehouse:ocsf' : 'gatehouse:cef');
    const envelope = JSON.stringify({
      time: atMs / 1000,
      host: this.#host,
      source: source ?? 'gatehouse',
      sourcetype: kind === 'records' ? records : 'gatehouse:log',
      ...(index === undefined ? {} : { index }),
      // HEC takes strings only as values of indexed fields.
      fields: { gatehouse_id: id, ...(seq === undefined ? {} : { gatehouse_seq: String(seq) }) },
    });
    return `${envelope.slice(0, -1)},"event":${event}}`;
  }
}

/** HEC's own code stands in the body: 0 is success, 9 a busy server, 6 an event it cannot read. */
function read(answer: Answer): { ackId?: number } {
  const { code, ackId } = parsed(answer);
  if (answer.status !== 200 || code !== 0) throw refusal(answer);
  return typeof ackId === 'number' ? { ackId } : {};
}

function refusal(answer: Answer): ReceiverFailure {
  const { code } = parsed(answer);
  return new ReceiverFailure(`http-${answer.status}${typeof code === 'number' ? `-hec-${code}` : ''}`);
}

function parsed({ text }: Answer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
