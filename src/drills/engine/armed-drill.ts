import type { Dispatcher } from 'undici';
import type { Clock } from '../../platform/index.js';
import type { Leaving } from '../../vendors/index.js';
import type { Counts, Running } from '../drill-store.js';
import type { VendorFault } from '../faults.js';
import { ALWAYS_GUARD } from '../schemas.js';
import { Timetable } from '../timetable.js';
import { GuardFigures } from './guards.js';
import type { Answered, TrafficWatcher } from './traffic.js';

/** A way to the vendor with faults in it. */
export interface FaultyWay {
  readonly dispatcher: Dispatcher;
  use(faults: readonly VendorFault[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * A drill without a lease strikes nobody: an instance that has not seen the drill in the database for so long, because the database is away
 * or the instance itself hangs, has stopped it.
 */
const LEASE_NS = 900_000_000n;
/** Calls taken in advance: a tenth of what may be struck, so that two instances find their share. */
const ADVANCE = 10;
const MOST_ADVANCE = 100;

/** A drill at work in this instance: which calls it strikes, how many it may, and what is seen of the others meanwhile. */
export class ArmedDrill implements TrafficWatcher {
  readonly counts: Counts = { struck: 0, failed: 0, outside: 0, outsideFailed: 0 };
  readonly #figures: GuardFigures;
  readonly #clients: ReadonlySet<string> | undefined;
  readonly #operations: ReadonlySet<string> | undefined;
  readonly #timetable: Timetable<Running['plan']['faults'][number]>;
  #allowance = 0;
  #leaseUntilNs = 0n;

  constructor(
    readonly drill: Running,
    private readonly way: FaultyWay,
    private readonly clock: Clock,
    failed: (error: unknown) => void,
    private readonly random: () => number = Math.random,
  ) {
    const { scope, faults } = drill.plan;
    this.#clients = scope.clients && new Set(scope.clients);
    this.#operations = scope.operations && new Set(scope.operations);
    this.#figures = new GuardFigures(() => clock.epochMs());
    this.#timetable = new Timetable(faults, (active) => way.use(active.map(({ fault }) => fault)), failed);
    this.#timetable.begin(drill.sinceMs);
  }

  /** How many further calls to ask for, so that none waits for leave. */
  get wanted(): number {
    const advance = Math.min(MOST_ADVANCE, Math.ceil(this.drill.mostCalls / ADVANCE));
    return this.#allowance >= advance / 2 ? 0 : advance - this.#allowance;
  }

  /** Whether there is nothing left to strike when no more is granted. */
  get spent(): boolean {
    return this.#allowance <= 0;
  }

  get isLeased(): boolean {
    return this.clock.monotonic() < this.#leaseUntilNs;
  }

  allow(calls: number): void {
    this.#allowance += calls;
  }

  /** @param seenNs when the database was asked; an answer that took long is worth less */
  renew(seenNs: bigint): void {
    this.#leaseUntilNs = seenNs + LEASE_NS;
  }

  detour({ client, operation }: Leaving): Dispatcher | undefined {
    if (!this.#timetable.active || this.#allowance <= 0 || !this.isLeased) return undefined;
    if (!this.covers(client, operation) || this.random() >= this.drill.plan.scope.share) return undefined;
    this.#allowance -= 1;
    this.counts.struck += 1;
    return this.way.dispatcher;
  }

  onAnswer({ client, operation, status, durationMs }: Answered): void {
    const failed = status >= 500;
    if (this.covers(client, operation)) {
      if (failed) this.counts.failed += 1;
      return;
    }
    this.counts.outside += 1;
    if (failed) this.counts.outsideFailed += 1;
    this.#figures.outside(failed, durationMs);
  }

  onVendorFailure(): void {
    this.#figures.vendorFailed();
  }

  tripped(): string | undefined {
    return this.#figures.tripped([ALWAYS_GUARD, ...this.drill.plan.guards]);
  }

  async close(): Promise<void> {
    this.#leaseUntilNs = 0n;
    await this.#timetable.end();
    await this.way.close();
  }

  private covers(client: string | undefined, operation: string | undefined): boolean {
    if (this.#clients !== undefined && (client === undefined || !this.#clients.has(client))) return false;
    return this.#operations === undefined || (operation !== undefined && this.#operations.has(operation));
  }
}
