import { BadArchive } from './errors.js';
import type { Manifest } from './manifest.js';

type Span = Manifest['kinds'][string];

/** Counts records by kind, with their first and last instants, from the bytes themselves. */
export class Tally {
  readonly #kinds = new Map<string, Span>();

  /** @throws BadArchive on bytes that are no record. */
  add(bytes: Buffer): void {
    const { kind, at } = read(bytes);
    const span = this.#kinds.get(kind);
    if (span === undefined) {
      this.#kinds.set(kind, { records: 1, earliest: at, latest: at });
      return;
    }
    span.records += 1;
    // Instants of one form: as texts they are in order.
    if (at < span.earliest) span.earliest = at;
    if (at > span.latest) span.latest = at;
  }

  /** As they stand in a manifest: kinds in the order of their names. */
  result(): Pick<Manifest, 'earliest' | 'latest' | 'kinds'> {
    const kinds = [...this.#kinds].toSorted(([one], [other]) => (one < other ? -1 : 1));
    const [earliest = ''] = kinds.map(([, span]) => span.earliest).toSorted();
    const latest =
      kinds
        .map(([, span]) => span.latest)
        .toSorted()
        .at(-1) ?? '';
    return { earliest, latest, kinds: Object.fromEntries(kinds) };
  }
}

function read(bytes: Buffer): { kind: string; at: string } {
  try {
    const { kind, at } = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
    if (typeof kind === 'string' && typeof at === 'string') return { kind, at };
  } catch {
    // Told below.
  }
  throw new BadArchive('an entry is no record');
}
