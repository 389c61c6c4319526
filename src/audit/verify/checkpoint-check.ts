import { hash } from 'node:crypto';
import { parseCheckpoint } from '../checkpoints/checkpoint.js';
import { type NoteVerifier, noteVerifier, signersOf } from '../checkpoints/note.js';
import type { Members } from './check-record.js';
import type { FoundCheckpoint, Span } from './source.js';
import { BadLog, type FirstBad } from './verdict.js';

/** A checkpoint from elsewhere, which the log must still extend. */
export interface Trusted {
  origin: string;
  size: number;
  root: Buffer;
}

/**
 * @param keys the keys that are believed; with none, any key that the log itself tells
 * @throws TypeError on what is no checkpoint that one of the keys has signed
 */
export function readTrusted(note: string, keys: readonly NoteVerifier[]): Trusted {
  const { origin, size, root, parsed } = parseCheckpoint(note);
  if (keys.length > 0 && signersOf(parsed, keys).length === 0)
    throw new TypeError('the trusted checkpoint bears no signature of the given keys');
  return { origin, size, root };
}

/**
 * Holds the checkpoints against the log as it is walked: each one's root must be that of the records up to it, so that every two of them
 * are consistent; each must bear a good signature of a key that is given or that the log tells in its records; none may be missing from
 * their chain.
 */
export class CheckpointCheck {
  readonly #known: NoteVerifier[];
  readonly #told = new Set<string>();
  readonly #archived = new Set<string>();
  /** First use of a key that was not given. */
  readonly #unproven = new Map<string, FirstBad>();
  #chain = Buffer.alloc(0);
  #n = 0;
  #last: { where: FirstBad; trusted: boolean } | undefined;
  /** Chain hash by number, of which records may speak later. */
  #chains = new Map<number, string>();
  count = 0;
  /** Size of the last one that held. */
  size = 0;

  constructor(
    private readonly trusted: readonly NoteVerifier[],
    claimed: readonly string[],
  ) {
    this.#known = [...trusted, ...claimed.flatMap(verifierOf)];
  }

  /** @param origin name of the log at its last record; undefined where that record lies in the archive. */
  hold(found: FoundCheckpoint, origin: string | undefined, root: Buffer): void {
    const where = { from: this.size, to: found.size };
    const bad = this.wrong(found, origin, root) ?? this.unchained(found);
    if (bad !== undefined) throw new BadLog(where, bad);
    const signers = signersOf(parseCheckpoint(found.note).parsed, this.#known).map(({ vkey }) => vkey);
    const trusted = signers.some((vkey) => this.trusted.some((key) => key.vkey === vkey));
    if (!trusted) for (const vkey of signers) if (!this.#unproven.has(vkey)) this.#unproven.set(vkey, where);
    this.#last = { where, trusted };
    this.size = found.size;
    this.count += 1;
  }

  /**
   * One of a log that is not walked from its beginning.
   * @param root of the tree up to it
   * @param last whether it is the last one, which must bear the signature of a given key
   */
  holdAlone(found: FoundCheckpoint, root: Buffer, last: boolean): void {
    const where = { from: 0, to: found.size };
    const bad = this.wrong(found, undefined, root);
    if (bad !== undefined) throw new BadLog(where, bad);
    if (last && this.trusted.length > 0 && signersOf(parseCheckpoint(found.note).parsed, this.trusted).length === 0)
      throw new BadLog(where, 'the last checkpoint is signed with none of the given keys');
    this.count += 1;
  }

  /** What a record of the log says about its keys, checkpoints and archive. */
  told(record: Members, seq: number): void {
    const detail = record['detail'] as Members | undefined;
    if (record['kind'] === 'log.key') this.#told.add(String(detail?.['vkey']));
    if (record['kind'] === 'log.archived')
      this.#archived.add(`${String(detail?.['first'])}-${String(detail?.['past'])}`);
    if (record['kind'] !== 'log.checkpoints') return;
    const n = Number(detail?.['n']);
    if (n > this.#n || this.#chains.get(n) !== detail?.['chain'])
      throw new BadLog(
        { from: 0, to: Number(detail?.['size'] ?? seq) },
        'their checkpoints are not those that a record tells',
      );
    // Earlier links are held by this one.
    for (const past of this.#chains.keys()) if (past < n) this.#chains.delete(past);
  }

  /** What a record says of the archive; it may itself still wait for its number. */
  toldArchived(record: Members): void {
    if (record['kind'] !== 'log.archived') return;
    const detail = record['detail'] as Members | undefined;
    this.#archived.add(`${String(detail?.['first'])}-${String(detail?.['past'])}`);
  }

  /**
   * Once every record was seen.
   * @param away spans that are said to lie in the archive
   */
  checkAway(away: readonly Span[]): void {
    // The record of an earlier archiving may itself lie in the archive by now; that of the last one does not.
    for (const { first, past } of away.slice(-1))
      if (!this.#archived.has(`${first}-${past}`))
        throw new BadLog({ from: first, to: past }, 'they are missing, and no record tells that they were archived');
  }

  /** Once the whole log was walked. */
  end(): void {
    for (const [vkey, where] of this.#unproven)
      if (!this.#told.has(vkey)) throw new BadLog(where, 'they are signed with a key of which no record tells');
    if (this.trusted.length > 0 && this.#last?.trusted === false)
      throw new BadLog(this.#last.where, 'the last checkpoint is signed with none of the given keys');
  }

  private wrong(found: FoundCheckpoint, origin: string | undefined, root: Buffer): string | undefined {
    try {
      const { origin: name, size, root: stated, parsed } = parseCheckpoint(found.note);
      if (size !== found.size || stated.toString('hex') !== found.root)
        return 'a checkpoint is not what stands beside it';
      if (name !== (origin ?? name)) return 'a checkpoint bears the name of another log';
      if (!stated.equals(root)) return 'they do not give the root of their checkpoint';
      if (signersOf(parsed, this.#known).length === 0) return 'a checkpoint bears no signature of a known key';
      return undefined;
    } catch (error) {
      if (error instanceof TypeError) return `a checkpoint is not good: ${error.message}`;
      throw error;
    }
  }

  private unchained({ note, chained }: FoundCheckpoint): string | undefined {
    if (chained === undefined) return undefined;
    this.#chain = hash('sha256', Buffer.concat([this.#chain, Buffer.from(note)]), 'buffer');
    this.#n += 1;
    if (chained.n !== this.#n) return 'a checkpoint is missing';
    if (chained.chain !== this.#chain.toString('hex')) return 'the chain of checkpoints is broken';
    this.#chains.set(chained.n, chained.chain);
    return undefined;
  }
}

function verifierOf(vkey: string): NoteVerifier[] {
  try {
    return [noteVerifier(vkey)];
  } catch (error) {
    if (error instanceof TypeError) return [];
    throw error;
  }
}
