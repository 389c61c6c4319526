import { setImmediate as turn } from 'node:timers/promises';
import { type Checkpoint, openCheckpoint } from '../checkpoints/checkpoint.js';
import type { NoteVerifier } from '../checkpoints/note.js';
import { type BatchStatement, readStatement, statementMembers } from '../siem/batch.js';
import { leafHash, sha256 } from '../tree/merkle.js';
import { GrowingRange } from '../tree/range-proof.js';
import { Coverage } from './coverage.js';
import { LeafFile } from './leaf-file.js';
import { linesOf, readSiemLine, type SiemLine } from './siem-lines.js';
import { Spool } from './spool.js';
import { BadLog, type FirstBad, placeOf } from './verdict.js';

export interface SiemVerdict {
  ok: boolean;
  origin: string;
  /** The first proven record, and past the last one; null without any. */
  first: number | null;
  past: number | null;
  /** Records in the files, each counted once. */
  records: number;
  /** Records that stood there more than once: at least once is what was promised. */
  doubles: number;
  batches: number;
  /** Lines that are no event of this log. */
  ignored: number;
  /** The largest checkpoint in the files; root in hex. What it covers beyond `past` was not in the files. */
  checkpoint: { size: number; root: string } | null;
  firstBad: FirstBad | null;
  reason: string | null;
  seconds: number;
}

/** Lines read between two turns of the event loop. */
const TURN = 1_024;

/**
 * Proves what a SOC has exported against the checkpoints among it, with nothing but the log's public key: every record is recomputed
 * from its bytes, every batch must give the root that its checkpoint signs, and the batches must join from the first to the last. Files
 * may come in any order and hold doubles and lines of others. Memory stays the same, whatever their size.
 * What it proves are the bytes of records; the members that a collector made of them are for reading.
 * @param keys of one log: all of one name
 * @throws when a file cannot be read
 */
export async function verifySiem(files: readonly string[], keys: readonly NoteVerifier[]): Promise<SiemVerdict> {
  const startedAt = performance.now();
  const verification = new SiemVerification(keys);
  try {
    const verdict = await verification.run(files);
    return { ...verdict, seconds: Math.round(performance.now() - startedAt) / 1000 };
  } finally {
    verification.close();
  }
}

export function describeSiemVerdict(verdict: SiemVerdict): string {
  const { records, first, past, checkpoint } = verdict;
  if (!verdict.ok) return `NOT verified: ${placeOf(verdict.firstBad)}: ${verdict.reason ?? 'unknown'}`;
  const covered = checkpoint === null ? '' : `, root ${checkpoint.root} of ${checkpoint.size}`;
  return `verified ${records} records, ${first ?? 0} to ${(past ?? 1) - 1} without a gap${covered}`;
}

class SiemVerification {
  readonly #leaves = new LeafFile();
  readonly #statements = new Spool();
  readonly #coverage = new Coverage();
  readonly #origin: string;
  #lowest: number | undefined;
  #highest: number | undefined;
  #records = 0;
  #doubles = 0;
  #batches = 0;
  #ignored = 0;
  #checkpoint: Checkpoint | undefined;
  #bad: BadLog | undefined;

  constructor(private readonly keys: readonly NoteVerifier[]) {
    this.#origin = keys[0]?.name ?? '';
  }

  close(): void {
    this.#leaves.close();
    this.#statements.close();
  }

  async run(files: readonly string[]): Promise<SiemVerdict> {
    for (const file of files) await this.read(file);
    for (const members of this.#statements.values()) {
      const statement = readStatement(members);
      if (statement !== undefined) this.prove(statement);
    }
    this.joins();
    return this.verdict();
  }

  /** Of all that is wrong the first is told: the lowest number, and of two with the same what was seen first. */
  private found(where: FirstBad, reason: string): void {
    if (this.#bad === undefined || startOf(where) < startOf(this.#bad.where)) this.#bad = new BadLog(where, reason);
  }

  private async read(file: string): Promise<void> {
    let lines = 0;
    for await (const text of linesOf(file)) {
      if ((lines += 1) % TURN === 0) await turn();
      if (text === '') continue;
      const line = readSiemLine(text);
      if (line === undefined || line.origin !== this.#origin) this.#ignored += 1;
      else if (line.kind === 'record') this.record(line);
      else this.statement(line.statement);
    }
  }

  private record({ seq, id, leaf, bytes }: Extract<SiemLine, { kind: 'record' }>): void {
    const computed = leafHash(bytes);
    this.#lowest = Math.min(this.#lowest ?? seq, seq);
    this.#highest = Math.max(this.#highest ?? seq, seq);
    if (computed.toString('hex') !== leaf)
      return this.found({ seq }, 'it was altered: its bytes do not give its leaf hash');
    if (idOf(bytes) !== id) return this.found({ seq }, 'it was altered: its id is not the one in its bytes');
    const before = this.#leaves.set(seq, computed);
    if (before === 'other') return this.found({ seq }, 'two different records bear its number');
    if (before === 'new') this.#records += 1;
    else this.#doubles += 1;
  }

  private statement(statement: BatchStatement): void {
    const { first, past } = statement;
    try {
      const checkpoint = openCheckpoint(statement.checkpoint, this.#origin, this.keys);
      if (checkpoint.size > (this.#checkpoint?.size ?? -1)) this.#checkpoint = checkpoint;
      this.#batches += 1;
      this.#statements.add(statementMembers(statement));
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      this.found({ from: first, to: past }, `the checkpoint of their batch is not good: ${error.message}`);
    }
  }

  /** All records of a batch at once: with the hashes beside them they give the root that its checkpoint signs, or one is another. */
  private prove({ first, past, checkpoint, left, right }: BatchStatement): void {
    const { size, root } = openCheckpoint(checkpoint, this.#origin, this.keys);
    try {
      const range = new GrowingRange(first, left);
      for (let seq = first; seq < past; seq += 1) {
        const leaf = this.#leaves.get(seq);
        if (leaf === undefined) return this.found(this.missing(seq, past), 'missing: their batch names them');
        range.add(leaf);
      }
      if (!range.root(size, right).equals(root))
        return this.found(
          { from: first, to: past },
          'one of them was altered: they do not give the root of their checkpoint',
        );
      const broken = this.#coverage.add({ first, past, before: digest(left), after: digest(range.nodes) });
      if (broken !== undefined)
        this.found({ from: broken, to: broken }, 'the log does not go on from the batch before');
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      this.found({ from: first, to: past }, `the statement of their batch is not good: ${error.message}`);
    }
  }

  /** The run of records that are not there, from this one on. */
  private missing(seq: number, past: number): FirstBad {
    const to = this.#leaves.next(seq, past);
    return to === seq + 1 ? { seq } : { from: seq, to };
  }

  private joins(): void {
    const runs = this.#coverage.runs;
    const [lowest, highest] = [this.#lowest ?? 0, this.#highest ?? -1];
    if (runs.length === 0) return this.found({ from: lowest, to: highest + 1 }, 'no batch of this log covers them');
    let next = Math.min(lowest, runs[0]?.first ?? lowest);
    for (const { first, past } of runs) {
      if (first > next) this.gap(next, first);
      next = past;
    }
    if (highest >= next) this.gap(next, highest + 1);
  }

  private gap(from: number, to: number): void {
    for (let seq = from; seq < to; seq += 1) {
      if (this.#leaves.get(seq) === undefined) return this.found(this.missing(seq, to), 'missing, with their batch');
    }
    this.found({ from, to }, 'the statement of their batch is missing');
  }

  private verdict(): SiemVerdict {
    const runs = this.#coverage.runs;
    const checkpoint = this.#checkpoint;
    return {
      ok: this.#bad === undefined,
      origin: this.#origin,
      first: runs[0]?.first ?? null,
      past: runs.at(-1)?.past ?? null,
      records: this.#records,
      doubles: this.#doubles,
      batches: this.#batches,
      ignored: this.#ignored,
      checkpoint: checkpoint === undefined ? null : { size: checkpoint.size, root: checkpoint.root.toString('hex') },
      firstBad: this.#bad?.where ?? null,
      reason: this.#bad?.reason ?? null,
      seconds: 0,
    };
  }
}

function startOf(where: FirstBad): number {
  return 'seq' in where ? where.seq : where.from;
}

function digest(hashes: readonly Buffer[]): string {
  return sha256(Buffer.concat(hashes)).toString('base64');
}

function idOf(bytes: Buffer): unknown {
  try {
    return (JSON.parse(bytes.toString('utf8')) as { id?: unknown } | null)?.id;
  } catch {
    return undefined;
  }
}
