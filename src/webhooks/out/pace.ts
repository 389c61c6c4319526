/** Attempts under way to an endpoint of which nothing is known yet. */
const AT_FIRST = 4;
const MOST_KNOWN = 10_000;

interface Endpoint {
  underWay: number;
  limit: number;
}

/**
 * How many attempts this instance has under way, in all and to each endpoint: one more for each that went well, half as many after each that
 * did not (as TCP does), so that an endpoint gets what it can take.
 */
export class Pace {
  readonly #most: { all: number; each: number };
  readonly #endpoints = new Map<string, Endpoint>();
  #underWay = 0;

  constructor(most: { all: number; each: number }) {
    this.#most = most;
  }

  get underWay(): number {
    return this.#underWay;
  }

  get free(): number {
    return this.#most.all - this.#underWay;
  }

  /** How many more may begin: to each that is known, to any other, and in all. */
  rooms(): { rooms: Map<string, number>; room: number; most: number } {
    const rooms = new Map([...this.#endpoints].map(([id, { limit, underWay }]) => [id, limit - underWay]));
    return { rooms, room: Math.min(AT_FIRST, this.#most.each), most: this.free };
  }

  begin(id: string): void {
    const endpoint = this.#endpoints.get(id) ?? { underWay: 0, limit: Math.min(AT_FIRST, this.#most.each) };
    endpoint.underWay += 1;
    this.#endpoints.set(id, endpoint);
    this.#underWay += 1;
  }

  /** @param well undefined when it shows nothing of the endpoint */
  end(id: string, well: boolean | undefined): void {
    const endpoint = this.#endpoints.get(id);
    if (endpoint === undefined) return;
    this.#underWay -= 1;
    endpoint.underWay -= 1;
    if (well === true) endpoint.limit = Math.min(this.#most.each, endpoint.limit + 1);
    if (well === false) endpoint.limit = Math.max(1, Math.floor(endpoint.limit / 2));
    // What is known of an idle one is worth little more than its place.
    const known = endpoint.limit !== AT_FIRST && this.#endpoints.size <= MOST_KNOWN;
    if (endpoint.underWay === 0 && !known) this.#endpoints.delete(id);
  }
}
