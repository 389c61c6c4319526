/** Where the first fault is: a record by its number, or the records from `from` up to but not including `to`. */
export type FirstBad = { seq: number } | { from: number; to: number };

export interface Verdict {
  ok: boolean;
  origin: string | null;
  /** Size that the log had when the verifying began: the records verified, unless a part was asked for. */
  size: number;
  /** Root of the tree over them, recomputed; hex. */
  root: string;
  /** What was looked at, where that is not the whole log: from the record `from` up to but not including `to`. */
  part: { from: number; to: number } | null;
  /** Checkpoints that were compared. */
  checkpoints: number;
  /** Time stamps that were checked. */
  anchors: number;
  firstBad: FirstBad | null;
  /** What is wrong there. */
  reason: string | null;
  /** Durable records without a number yet, which were verified too. */
  waiting: number;
  /** Records that lie in the archive: of them the hashes were verified, and the bytes are for `--archive`. */
  archived: number;
  seconds: number;
}

/** The last line for people. */
export function describeVerdict(verdict: Verdict): string {
  const { ok, part, root, size } = verdict;
  if (ok && part !== null) return `verified records ${part.from} to ${part.to - 1}, root of the whole ${root}`;
  if (ok) return `verified ${size} records, root ${root}`;
  return `NOT verified: ${placeOf(verdict.firstBad)}: ${verdict.reason ?? 'unknown'}`;
}

/** In words. */
export function placeOf(bad: FirstBad | null): string {
  if (bad === null) return 'the log';
  if ('seq' in bad) return `record ${bad.seq}`;
  if (bad.to === 0) return 'the log';
  return bad.from === bad.to ? `after record ${bad.from - 1}` : `records ${bad.from} to ${bad.to - 1}`;
}

/** Ends the verifying at the first thing that is wrong. */
export class BadLog extends Error {
  constructor(
    readonly where: FirstBad,
    readonly reason: string,
  ) {
    super(reason);
    this.name = 'BadLog';
  }
}
