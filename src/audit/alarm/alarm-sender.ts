import { Agent, request } from 'undici';
import { type Log, readCertificates, type Secret } from '../../platform/index.js';
import type { AlarmEvent } from './alarms.js';

export interface AlarmSenderParts {
  /** https */
  url: string;
  token?: Secret | undefined;
  /** PEM of the CA that is trusted there in place of the system's. */
  caFile?: string | undefined;
  log: Pick<Log, 'error' | 'warn'>;
  /** Pause after the first failed attempt; doubled after each further one. Default 1 s. */
  pauseMs?: number;
}

/** Alarms come in single lines: so many that wait mean that nobody listens. */
const MOST_WAITING = 256;
const MOST_PAUSE_MS = 60_000;
const TIMEOUT_MS = 5_000;

/** Posts alarms to whoever is to be woken, in their order and until each is taken; past the bound the oldest give way. */
export class AlarmSender {
  readonly #agent: Agent;
  readonly #waiting: AlarmEvent[] = [];
  #running: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  #stopping = false;
  #failures = 0;

  /** @throws ConfigError when the CA's file cannot be read or holds no certificate. */
  constructor(private readonly parts: AlarmSenderParts) {
    this.#agent = new Agent({
      connect: {
        minVersion: 'TLSv1.2',
        timeout: TIMEOUT_MS,
        ...(parts.caFile === undefined ? {} : { ca: readCertificates(parts.caFile, 'audit.alarm.caFile') }),
      },
      connections: 1,
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
    });
  }

  send(event: AlarmEvent): void {
    if (this.#waiting.push(event) > MOST_WAITING) {
      this.#waiting.shift();
      this.parts.log.error('an alarm was given up: too many wait to be posted');
    }
    this.#running ??= this.run().finally(() => (this.#running = undefined));
  }

  /** What waits is posted as long as it is taken; no pause, and no second attempt. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake?.();
    await this.#running;
    await this.#agent.destroy();
  }

  private async run(): Promise<void> {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const taken = await this.post(next);
      // While it was under way the bound may have pushed it out already.
      if (taken && this.#waiting[0] === next) this.#waiting.shift();
      if (taken) continue;
      if (this.#stopping) return;
      await this.pause();
    }
  }

  private async post(event: AlarmEvent): Promise<boolean> {
    const { url, token, log } = this.parts;
    try {
      const { statusCode, body } = await request(url, {
        dispatcher: this.#agent,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` }),
        },
        body: JSON.stringify(event),
      });
      await body.dump();
      if (statusCode < 200 || statusCode > 299) throw new Error('not taken');
      this.#failures = 0;
      return true;
    } catch (error) {
      if ((this.#failures += 1) === 1) log.warn('an alarm cannot be posted', { error });
      return false;
    }
  }

  private pause(): Promise<void> {
    const ms = Math.min((this.parts.pauseMs ?? 1_000) * 2 ** (this.#failures - 1), MOST_PAUSE_MS);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
