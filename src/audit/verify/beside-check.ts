import type { Trusted } from './checkpoint-check.js';
import type { ArchivedSpan, LogSource, Named, Span } from './source.js';
import { BadLog } from './verdict.js';

/** Some fifty milliseconds a statement. */
const PAGE = 65_536;

/**
 * That the ids are noted for numbers one to one. That each record's id is noted for its number was seen with the record; here no further one
 * may be noted. Of records that are away it is but the count that is known.
 */
export async function checkPlaces(source: LogSource, size: number, away: readonly Span[]): Promise<void> {
  let count = 0;
  for (let after: string | null | undefined = null; after !== undefined;) {
    const page = await source.places(after, size, PAGE);
    if (page === undefined) return;
    if (page.beyond !== null) throw new BadLog({ seq: page.beyond }, 'an id is noted for a number that no record has');
    count += page.count;
    after = page.next;
  }
  if (count === size) return;
  const stray = await source.strayPlace(size);
  if (stray !== undefined) throw new BadLog({ seq: stray }, 'another id is noted for its number, too');
  const where = { from: away[0]?.first ?? 0, to: away.at(-1)?.past ?? size };
  throw new BadLog(where, `${count > size ? 'more' : 'fewer'} ids are noted for them than they are`);
}

/** The names of the log as they are noted, beside those that its records bear. */
export class NameCheck {
  readonly #seen: Named[] = [];

  /** @param noted undefined where they are not shown */
  constructor(private readonly noted: readonly Named[] | undefined) {}

  /** The name that is noted for a record which is away. */
  at(seq: number): string | undefined {
    return this.noted?.findLast(({ first }) => first <= seq)?.name;
  }

  /** A record bears another name than the one before it. */
  began(name: string, first: number): void {
    this.#seen.push({ first, name });
  }

  /** Once the whole log was walked. @param head the name that the head has */
  end(size: number, head: string | null, isAway: (seq: number) => boolean): void {
    if (this.noted === undefined) return;
    const expected = this.noted.filter(({ first }) => first < size && !isAway(first));
    for (const [n, one] of [...expected, ...this.#seen].entries()) {
      const [noted, seen] = [expected[n], this.#seen[n]];
      if (noted?.first === seen?.first && noted?.name === seen?.name) continue;
      const seq = Math.min(noted?.first ?? one.first, seen?.first ?? one.first);
      throw new BadLog({ seq }, 'the name that is noted from it on is not the one that it begins');
    }
    const last = this.noted.at(-1);
    if ((last?.name ?? null) !== head || (last?.first ?? 0) > size)
      throw new BadLog({ from: size, to: size }, 'the last name that is noted is not that of the head');
  }
}

/** Roots that are stated outside the tree: of archives, and by a trusted checkpoint. */
export class StatedRoots {
  /** The largest size first. */
  readonly #stated: { size: number; root: string; bad: BadLog }[];

  constructor(archived: readonly ArchivedSpan[], trusted: Trusted | undefined) {
    const stated = archived.map(({ first, past, root }) => ({
      size: past,
      root,
      bad: new BadLog({ from: first, to: past }, 'they do not give the root that is noted of their archive'),
    }));
    if (trusted !== undefined && trusted.size > 0) {
      const { size, root } = trusted;
      const bad = new BadLog({ from: 0, to: size }, 'they do not give the root of the trusted checkpoint');
      stated.push({ size, root: root.toString('hex'), bad });
    }
    this.#stated = stated.sort((one, other) => other.size - one.size);
  }

  /** Size of the log at which the next one is to be compared; undefined when none is left. */
  get next(): number | undefined {
    return this.#stated.at(-1)?.size;
  }

  /** @param root of the log of the size `next` */
  compare(root: Buffer): void {
    const size = this.next;
    for (let last = this.#stated.at(-1); last !== undefined && last.size === size; last = this.#stated.at(-1)) {
      if (root.toString('hex') !== last.root) throw last.bad;
      this.#stated.pop();
    }
  }
}
