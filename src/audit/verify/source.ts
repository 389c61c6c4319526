import type { TileKey, TileSource } from '../tree/tile-tree.js';

/** Records from `first` up to but not including `past`. */
export interface Span {
  first: number;
  past: number;
}

/** A name of the log, and the first record under it. */
export interface Named {
  first: number;
  name: string;
}

/** A run of records that went to the archive, whether it is away or was restored. */
export interface ArchivedSpan extends Span {
  /** Of the log at its end; hex. */
  root: string;
  /** SHA-256 of the archive's manifest; hex. */
  manifest: string;
}

/** What a log says of itself, by which it is held to account. */
export interface Claims {
  origin: string | null;
  size: number;
  /** Hex; undefined where only the last checkpoint speaks for it. */
  root: string | undefined;
  /** Hex by level, '' where there is no node; undefined where it is not shown. */
  frontier: readonly string[] | undefined;
  /** Records that lie in the archive and not here, in order: they stand by the hashes in their tiles alone. */
  away: readonly Span[];
  /** Everything that ever went to the archive, in order. */
  archived: readonly ArchivedSpan[];
  /** In order; undefined where they are not shown. */
  names: readonly Named[] | undefined;
}

/** What the database keeps beside a record's bytes. */
export interface Beside {
  /** Hex. */
  leafHash: string;
  /** Its id and search columns, as `checkBeside` takes them. */
  columns: string;
  place: number | undefined;
}

/** A record as it was found. */
export interface FoundEntry {
  seq: number;
  /** Its bytes, or the text that they are in UTF-8. */
  form: Buffer | string;
  /** What the database keeps beside the bytes; undefined where a source has the bytes alone. */
  beside: Beside | undefined;
}

/** A checkpoint as it was found, with the columns that the database keeps beside the note. */
export interface FoundCheckpoint {
  size: number;
  /** Hex. */
  root: string;
  note: string;
  /** Its number, and the hash over the notes up to it; undefined where they are not shown. */
  chained: { n: number; chain: string } | undefined;
}

/** A time stamp of a checkpoint (RFC 3161), with the note that it is of. */
export interface FoundAnchor {
  size: number;
  note: string;
  token: Buffer;
}

/** A record that waits for its number. */
export interface WaitingEntry {
  form: Buffer | string;
  /** Its id and search columns, as `checkBeside` takes them. */
  columns: string;
  /** It has a number already, which it may not. */
  placed: boolean;
}

/** Where a log is verified from: the database, tiles over HTTP, an archive. It is asked in short, bounded pieces. */
export interface LogSource extends TileSource {
  open(): Promise<Claims | undefined>;
  /** In order; a record that is missing is left out. */
  entries(from: number, to: number): Promise<FoundEntry[]>;
  /** Those of sizes beyond `after` and up to `to`, in order. */
  checkpoints(after: number, to: number): Promise<FoundCheckpoint[]>;
  /** The last checkpoint of at most this size. */
  lastCheckpoint(size: number): Promise<FoundCheckpoint | undefined>;
  /** Time stamps of checkpoints beyond `after`, in order and at most so many; none where they are not kept. */
  anchors(after: number, most: number): Promise<FoundAnchor[]>;
  /** Public keys that the source says have signed. */
  keys(): Promise<string[]>;
  /** Size of the head and number of the last record now, where records can come meanwhile; and a tile with hashes beyond that size. */
  end(): Promise<{ size: number; last: number | null; longTile: TileKey | null } | undefined>;
  waiting(after: string, most: number): Promise<{ entries: WaitingEntry[]; next: string | undefined }>;
  /**
   * Ids and the numbers they are noted for, a page in the order of the ids.
   * @param after null for the first page
   * @returns how many of the page are noted for numbers below `size`, and one that is noted for a number that no record has; undefined where
   * none are kept
   */
  places(
    after: string | null,
    size: number,
    most: number,
  ): Promise<{ count: number; beyond: number | null; next: string | undefined } | undefined>;
  /** A number below `size` for which another id than that of its record is noted; of records that are there. */
  strayPlace(size: number): Promise<number | undefined>;
  close(): Promise<void>;
}
