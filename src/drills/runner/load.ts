import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from '../scenario/schema.js';
import type { Caller, Reply } from './caller.js';

export type Kind = keyof Scenario['load']['mix'];

/** One call of the load, as its caller saw it. Instants are milliseconds from the beginning of the load. */
export interface Outcome {
  kind: Kind;
  /** When it was due to leave, whenever it did: what waits before it counts (no coordinated omission). */
  dueMs: number;
  answeredMs: number;
  /** 0: no answer. */
  status: number;
  rung: string;
  /** Of a create. */
  reference?: string;
  verification?: string;
}

/** What finishes a session at the vendor; undefined where nobody can. */
export type Finish = (sessionId: string) => Promise<boolean>;

const RETRY_AFTER_MS = 50;
const PREPARED = 5;

/**
 * The load of a scenario: calls leave at fixed instants whatever the answers. A call whose connection broke is made again with the same
 * Idempotency-Key, as a client must; until its deadline.
 */
export class Load {
  readonly outcomes: Outcome[] = [];
  /** Verifications whose persons came to the end of the vendor's page. */
  readonly finished: string[] = [];
  readonly #known: { verification: string; sessionId: string }[] = [];
  readonly #open: { verification: string; sessionId: string }[] = [];
  readonly #kinds: Kind[];
  readonly #run = randomUUID().slice(0, 8);
  #startedAt = 0;
  #turn = 0;

  constructor(
    private readonly caller: Caller,
    private readonly load: Scenario['load'],
    private readonly finish: Finish | undefined,
  ) {
    this.#kinds = interleaved(load.mix);
  }

  /** Verifications to read, made before anything is measured. */
  async prepare(): Promise<void> {
    for (let n = 0; n < PREPARED; n += 1) {
      const made = await this.create(`drill-${this.#run}-prepared-${n}`, randomUUID(), 20_000);
      if (made.status !== 201)
        throw new Error(`the system is not well before the drill: a create was answered ${made.status}`);
      this.keep(made);
    }
  }

  /** Runs the whole of it; resolves when the last answer has come or its caller has given up. */
  async run(): Promise<void> {
    const { perSecond, for: forMs } = this.load;
    const calls = Math.floor((perSecond * forMs) / 1_000);
    this.#startedAt = performance.now();
    const underWay: Promise<void>[] = [];
    for (let n = 0; n < calls; n += 1) {
      const dueMs = (n * 1_000) / perSecond;
      const early = dueMs - this.nowMs();
      if (early > 0) await sleep(early);
      underWay.push(this.one(this.#kinds[n % this.#kinds.length] ?? 'reads', dueMs, n));
    }
    await Promise.all(underWay);
  }

  nowMs(): number {
    return performance.now() - this.#startedAt;
  }

  private async one(kind: Kind, dueMs: number, n: number): Promise<void> {
    const reference = kind === 'creates' ? `drill-${this.#run}-${n}` : undefined;
    // A caller's patience ends well after the deadline, so that how late an answer is can be seen.
    const giveUpMs = dueMs + this.load.deadline * 2 + 1_000;
    const reply = await this.untilAnswered(() => this.make(kind, reference, `${this.#run}-${n}`, giveUpMs), giveUpMs);
    if (kind === 'creates' && reply?.status === 201) this.keep(reply);
    const id = kind === 'creates' ? reply?.body['id'] : undefined;
    this.outcomes.push({
      kind,
      dueMs,
      answeredMs: this.nowMs(),
      status: reply?.status ?? 0,
      rung: reply === undefined ? 'none' : rungOf(kind, reply),
      ...(reference === undefined ? {} : { reference }),
      ...(typeof id === 'string' ? { verification: id } : {}),
    });
  }

  private async untilAnswered(make: () => Promise<Reply>, giveUpMs: number): Promise<Reply | undefined> {
    while (this.nowMs() < giveUpMs) {
      try {
        return await make();
      } catch {
        await sleep(RETRY_AFTER_MS);
      }
    }
    return undefined;
  }

  private async make(kind: Kind, reference: string | undefined, key: string, giveUpMs: number): Promise<Reply> {
    const timeoutMs = Math.max(1, Math.ceil(giveUpMs - this.nowMs()));
    if (kind === 'creates') return this.create(reference ?? '', key, timeoutMs);
    this.#turn += 1;
    const one = this.#known[this.#turn % this.#known.length];
    if (one === undefined) throw new Error('nothing was prepared');
    if (kind === 'dropInReads') return this.caller.didit(`session/${one.sessionId}/decision/`, { timeoutMs });
    if (kind === 'finishes') await this.finishOne();
    return this.caller.v1(`/verifications/${one.verification}`, { timeoutMs });
  }

  private create(reference: string, key: string, timeoutMs: number): Promise<Reply> {
    return this.caller.v1('/verifications', {
      timeoutMs,
      headers: { 'idempotency-key': key },
      body: { workflow: 'onboarding', subject: { reference, relationship: 'prospect' } },
    });
  }

  private async finishOne(): Promise<void> {
    const one = this.#open.shift();
    if (one !== undefined && (await this.finish?.(one.sessionId)) === true) this.finished.push(one.verification);
  }

  private keep({ body }: Reply): void {
    const { sessionId } = (body['vendor'] ?? {}) as { sessionId?: unknown };
    const verification = body['id'];
    if (typeof sessionId !== 'string' || typeof verification !== 'string') return;
    if (this.#known.length < PREPARED) this.#known.push({ verification, sessionId });
    else this.#open.push({ verification, sessionId });
  }
}

/** The kinds in a fixed order that spreads each over the whole. */
export function interleaved(mix: Scenario['load']['mix']): Kind[] {
  const parts = Object.entries(mix) as [Kind, number][];
  return parts
    .flatMap(([kind, part]) => Array.from({ length: part }, (_, n) => ({ kind, at: (n + 0.5) / part })))
    .sort((one, other) => one.at - other.at)
    .map(({ kind }) => kind);
}

/**
 * On which rung of the fallback ladder an answer stands, as it says itself. What the gateway has kept of a verification answers ordinary reads,
 * too, and says so: of a verification its own rung counts.
 */
export function rungOf(kind: Kind, { status, headers, body }: Reply): string {
  const named = kind !== 'dropInReads' && status < 300 ? body['rung'] : headers['gatehouse-rung'];
  if (typeof named === 'string') return named;
  return status >= 200 && status < 300 ? 'fresh' : 'none';
}
