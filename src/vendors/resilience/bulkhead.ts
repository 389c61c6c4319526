import { VendorRefusal } from '../failure.js';
import { LANES, type LaneName, PRIORITIES, type Priority } from './passage.js';
import { Waiting } from './waiting.js';

export interface BulkheadSettings extends Readonly<Record<LaneName, number>> {
  queue: number;
  longestWait: number;
}

export interface LaneView {
  class: LaneName;
  limit: number;
  underWay: number;
  waiting: number;
}

/** Who asks for a place. */
export interface Entrant {
  /** Client, or what stands for the gateway's own work. */
  who: string;
  priority: Priority;
  /** Milliseconds until the deadline. */
  leftMs: number;
  signal?: AbortSignal | undefined;
}

/** How many times what is still free one client may hold: the last places are for who comes next, however long the others' calls take. */
const TIMES_THE_REST = 3;

interface Seat {
  readonly who: string;
  readonly waiting: Waiting;
}

interface Lane {
  readonly limit: number;
  underWay: number;
  waiting: number;
  /** Places by who has them. */
  readonly held: Map<string, number>;
  readonly queues: Readonly<Record<Priority, Set<Seat>>>;
}

/**
 * How many calls are under way, by class of operation, so that slow pictures keep no read waiting, and no client has so many places that
 * another finds none: a place is held for as long as its caller takes over an upload. Those beyond wait in a bounded queue, the most
 * important first and of these who has least; when it is full the least important one is turned away, or one of who has most there.
 */
export class Bulkhead {
  readonly #settings: BulkheadSettings;
  readonly #shed: (priority: Priority) => void;
  readonly #lanes: Readonly<Record<LaneName, Lane>>;

  /** @param shed told of each call that is turned away */
  constructor(settings: BulkheadSettings, shed: (priority: Priority) => void) {
    this.#settings = settings;
    this.#shed = shed;
    const lane = (limit: number): Lane => ({
      limit,
      underWay: 0,
      waiting: 0,
      held: new Map(),
      queues: { critical: new Set(), interactive: new Set(), background: new Set() },
    });
    this.#lanes = { read: lane(settings.read), write: lane(settings.write), check: lane(settings.check) };
  }

  /**
   * Takes a place; undefined when there is one at once.
   * @throws VendorRefusal `overloaded`, or `vendor-timeout` when the deadline came first; nothing is taken then
   */
  enter(of: LaneName, entrant: Entrant): Promise<void> | undefined {
    const lane = this.#lanes[of];
    if (mayTake(lane, entrant.who) && next(lane) === undefined) {
      take(lane, entrant.who);
      return undefined;
    }
    if (lane.waiting >= this.#settings.queue) this.#makeRoom(lane, entrant);
    return this.#queue(lane, entrant);
  }

  leave(of: LaneName, who: string): void {
    const lane = this.#lanes[of];
    lane.underWay -= 1;
    const left = heldBy(lane, who) - 1;
    if (left > 0) lane.held.set(who, left);
    else lane.held.delete(who);
    for (let seat = next(lane); seat !== undefined; seat = next(lane)) {
      take(lane, seat.who);
      seat.waiting.letIn();
    }
  }

  view(): LaneView[] {
    return LANES.map((name) => {
      const { limit, underWay, waiting } = this.#lanes[name];
      return { class: name, limit, underWay, waiting };
    });
  }

  #queue(lane: Lane, { who, priority, leftMs, signal }: Entrant): Promise<void> {
    const queue = lane.queues[priority];
    const tooLong = (): VendorRefusal => this.#refusal(priority, 'bulkhead.waited');
    const waiting = new Waiting({ longestMs: this.#settings.longestWait, leftMs, signal, tooLong }, () => {
      queue.delete(seat);
      lane.waiting -= 1;
    });
    const seat: Seat = { who, waiting };
    queue.add(seat);
    lane.waiting += 1;
    return waiting.turn;
  }

  /** Sheds the youngest of those who matter less, or of who has most waiting. @throws VendorRefusal `overloaded` when nobody has more */
  #makeRoom(lane: Lane, { who, priority }: Entrant): void {
    for (const lower of PRIORITIES.slice(PRIORITIES.indexOf(priority) + 1).reverse()) {
      const last = [...lane.queues[lower]].at(-1);
      if (last === undefined) continue;
      last.waiting.turnAway(this.#refusal(lower, 'bulkhead.shed'));
      return;
    }
    const bySeats = Map.groupBy(lane.queues[priority], (seat) => seat.who);
    const [most = []] = [...bySeats.values()].sort((a, b) => b.length - a.length);
    const last = most.at(-1);
    if (last === undefined || most.length <= (bySeats.get(who)?.length ?? 0) + 1)
      throw this.#refusal(priority, 'bulkhead.full');
    last.waiting.turnAway(this.#refusal(priority, 'bulkhead.shed'));
  }

  #refusal(priority: Priority, reason: string): VendorRefusal {
    this.#shed(priority);
    return new VendorRefusal('overloaded', reason, 1);
  }
}

function heldBy(lane: Lane, who: string): number {
  return lane.held.get(who) ?? 0;
}

function mayTake(lane: Lane, who: string): boolean {
  return heldBy(lane, who) < TIMES_THE_REST * (lane.limit - lane.underWay);
}

function take(lane: Lane, who: string): void {
  lane.underWay += 1;
  lane.held.set(who, heldBy(lane, who) + 1);
}

/** Who goes in next: of the most important that may, the one whose client has least, and of these the first that came. */
function next(lane: Lane): Seat | undefined {
  if (lane.waiting === 0) return undefined;
  for (const priority of PRIORITIES) {
    let first: Seat | undefined;
    for (const seat of lane.queues[priority]) {
      if (!mayTake(lane, seat.who)) continue;
      if (first === undefined || heldBy(lane, seat.who) < heldBy(lane, first.who)) first = seat;
    }
    if (first !== undefined) return first;
  }
  return undefined;
}
