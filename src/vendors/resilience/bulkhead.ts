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

interface Lane {
  readonly limit: number;
  underWay: number;
  waiting: number;
  readonly queues: Readonly<Record<Priority, Set<Waiting>>>;
}

/**
 * How many calls are under way, by class of operation, so that slow pictures keep no read waiting. Those beyond wait in a bounded queue,
 * the most important first; when it is full the least important one is turned away.
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
      queues: { critical: new Set(), interactive: new Set(), background: new Set() },
    });
    this.#lanes = { read: lane(settings.read), write: lane(settings.write), check: lane(settings.check) };
  }

  /**
   * Takes a place; undefined when there is one at once.
   * @throws VendorRefusal `overloaded`, or `vendor-timeout` when the deadline came first; nothing is taken then
   */
  enter(of: LaneName, priority: Priority, leftMs: number, signal?: AbortSignal): Promise<void> | undefined {
    const lane = this.#lanes[of];
    if (lane.underWay < lane.limit && lane.waiting === 0) {
      lane.underWay += 1;
      return undefined;
    }
    if (lane.waiting >= this.#settings.queue) this.#makeRoom(lane, priority);
    return this.#queue(lane, priority, leftMs, signal);
  }

  leave(of: LaneName): void {
    const lane = this.#lanes[of];
    lane.underWay -= 1;
    for (const priority of PRIORITIES) {
      const [first] = lane.queues[priority];
      if (first === undefined) continue;
      lane.underWay += 1;
      first.letIn();
      return;
    }
  }

  view(): LaneView[] {
    return LANES.map((name) => {
      const { limit, underWay, waiting } = this.#lanes[name];
      return { class: name, limit, underWay, waiting };
    });
  }

  #queue(lane: Lane, priority: Priority, leftMs: number, signal: AbortSignal | undefined): Promise<void> {
    const queue = lane.queues[priority];
    const tooLong = (): VendorRefusal => this.#refusal(priority, 'bulkhead.waited');
    const waiting = new Waiting({ longestMs: this.#settings.longestWait, leftMs, signal, tooLong }, () => {
      queue.delete(waiting);
      lane.waiting -= 1;
    });
    queue.add(waiting);
    lane.waiting += 1;
    return waiting.turn;
  }

  /** Sheds the youngest of those who matter less. @throws VendorRefusal `overloaded` when nobody does */
  #makeRoom(lane: Lane, priority: Priority): void {
    for (const lower of PRIORITIES.slice(PRIORITIES.indexOf(priority) + 1).reverse()) {
      const last = [...lane.queues[lower]].at(-1);
      if (last === undefined) continue;
      last.turnAway(this.#refusal(lower, 'bulkhead.shed'));
      return;
    }
    throw this.#refusal(priority, 'bulkhead.full');
  }

  #refusal(priority: Priority, reason: string): VendorRefusal {
    this.#shed(priority);
    return new VendorRefusal('overloaded', reason, 1);
  }
}
