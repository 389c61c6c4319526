import { randomUUID } from 'node:crypto';
import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock, Log } from '../../platform/index.js';
import { DrillStore, type Running } from '../drill-store.js';
import { Drills } from '../drills.js';
import { Arming, type Arms } from './arming.js';

const WATCH_EVERY_MS = 250;
/** While nothing runs a look at the database is enough as often as a start may wait. */
const IDLE_EVERY_MS = 1_000;
const GUARD_EVERY_NS = 1_000_000_000n;

/**
 * Has this instance do what the database says of drills: begin them, end them when they are over, when their time is up, when a guard or
 * the blast radius says so, and whenever the database cannot be asked. One that began before this instance did is left alone: it may
 * well be why the last one died.
 */
@Injectable()
export class DrillEngine implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #instance = randomUUID();
  readonly #arms = new Map<string, Arms>();
  /** Drills that this instance takes no part in, any more or at all. */
  readonly #passed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #lookedNs = 0n;
  #guardedNs = 0n;
  #first = true;
  #failing = false;

  constructor(
    private readonly store: DrillStore,
    private readonly drills: Drills,
    private readonly arming: Arming,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => this.watch(), WATCH_EVERY_MS).unref();
    this.watch();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
    await Promise.all([...this.#arms.keys()].map((id) => this.disarm(id)));
  }

  /** Faults at work in this instance. */
  get atWork(): number {
    return this.#arms.size;
  }

  private watch(): void {
    for (const [id, { armed }] of this.#arms) if (!armed.isLeased) void this.disarm(id);
    const idleMs = Number((this.clock.monotonic() - this.#lookedNs) / 1_000_000n);
    if (this.#arms.size === 0 && !this.#first && idleMs < IDLE_EVERY_MS) return;
    this.#looking ??= this.look().finally(() => (this.#looking = undefined));
  }

  /** Never rejects: what cannot be looked up stops by its lease. */
  private async look(): Promise<void> {
    try {
      const seenNs = this.clock.monotonic();
      const running = await this.store.running();
      this.#lookedNs = seenNs;
      if (this.#first) for (const { id } of running) this.#passed.add(id);
      this.#first = false;
      await this.settle(running, seenNs);
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.log.warn('drills cannot be looked up; none is at work here', { error });
      this.#failing = true;
    }
  }

  private async settle(running: readonly Running[], seenNs: bigint): Promise<void> {
    const ids = new Set(running.map(({ id }) => id));
    for (const id of this.#arms.keys()) if (!ids.has(id)) await this.disarm(id);
    for (const drill of running) {
      if (drill.isDue) await this.drills.conclude(drill.id, 'end', 'time');
      else if (!this.#passed.has(drill.id)) await this.serve(drill, seenNs);
    }
  }

  private async serve(drill: Running, seenNs: bigint): Promise<void> {
    const arms = this.#arms.get(drill.id) ?? (await this.arm(drill));
    const { armed } = arms;
    armed.renew(seenNs);
    const why = this.guarded(arms);
    if (why !== undefined) return this.abort(drill.id, why);
    if (armed.wanted > 0) armed.allow(await this.store.grant(drill.id, armed.wanted));
    await this.store.tell(drill.id, this.#instance, armed.counts);
    if (armed.spent) await this.abort(drill.id, `limit: ${drill.mostCalls} calls`);
  }

  private async arm(drill: Running): Promise<Arms> {
    try {
      const arms = await this.arming.arm(drill);
      this.#arms.set(drill.id, arms);
      this.log.warn('a drill is at work', { drill: drill.id });
      return arms;
    } catch (error) {
      this.#passed.add(drill.id);
      throw error;
    }
  }

  private guarded({ armed }: Arms): string | undefined {
    const now = this.clock.monotonic();
    if (now - this.#guardedNs < GUARD_EVERY_NS) return undefined;
    this.#guardedNs = now;
    return armed.tripped();
  }

  /** Here at once, whatever the database says to it. */
  private async abort(id: string, why: string): Promise<void> {
    this.log.warn('a drill is stopped', { drill: id, why });
    this.#passed.add(id);
    await this.disarm(id);
    await this.drills.conclude(id, 'abort', why);
  }

  private async disarm(id: string): Promise<void> {
    const arms = this.#arms.get(id);
    if (arms === undefined) return;
    this.#arms.delete(id);
    this.#passed.add(id);
    await this.store.tell(id, this.#instance, arms.armed.counts).catch(() => undefined);
    await arms.disarm();
    this.log.warn('a drill is over here', { drill: id, count: arms.armed.counts.struck });
  }
}
