import { hash } from 'node:crypto';
import { isSigned, parseCheckpoint } from '../checkpoints/checkpoint.js';
import type { ChainLink } from '../checkpoints/kept-checkpoint.js';
import { type NoteVerifier, noteVerifier, signersOf } from '../checkpoints/note.js';
import type { Members } from './check-record.js';
import type { ArchivedSpan, FoundCheckpoint, Span } from './source.js';
import { BadLog, type FirstBad } from './verdict.js';

const NO_SIGNATURE = 'a checkpoint bears no good signature of a known key';

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
 * are consistent; each must bear a good signature of a key that is given or that the log tells in its records, unless a record tells that
 * the gateway refused it: then it proves nothing, and those behind it do; none may be missing from their chain.
 */
export class CheckpointCheck {
  readonly #known: NoteVerifier[];
  readonly #told = new Set<string>();
  /** Manifest by the span that a record tells was archived. */
  readonly #archived = new Map<string, string>();
  /** Notes without a good signature, by their hash. */
  readonly #unsigned = new Map<string, FirstBad>();
  readonly #refused = new Set<string>();
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
    /** Place in the chain of one that was seen before, as somebody has kept it outside the database. */
    private readonly kept?: ChainLink,
  ) {
    this.#known = [...trusted, ...claimed.flatMap(verifierOf)];
  }

  /** @param origin name of the log at its last record; undefined where that record lies in the archive. */
  hold(found: FoundCheckpoint, origin: string | undefined, root: Buffer): void {
    const where = { from: this.size, to: found.size };
    const bad = this.wrong(found, origin, root) ?? this.unchained(found);
    if (bad !== undefined) throw new BadLog(where, bad);
    if (!isSigned(found.note, this.#known)) {
      this.#unsigned.set(hash('sha256', found.note, 'hex'), where);
      return;
    }
    const signers = signersOf(parseCheckpoint(found.note).parsed, this.#known).map(({ vkey }) => vkey);
    const trusted = signers.some((vkey) => this.trusted.some((key) => key.vkey === vkey));
    if (!trusted) for (const vkey of signers) if (!this.#unproven.has(vkey)) this.#unproven.set(vkey, where);
    this.#last = { where, trusted };
    this.size = found.size;
    this.count += 1;
  }

  /**
   * One of a log that is not walked from its beginning, where no record may tell whether one without a good signature was refused: that of the
   * last one, which covers the others, is looked at.
   * @param root of the tree up to it
   * @param last whether it is the last one, which must bear the signature of a given key
   */
  holdAlone(found: FoundCheckpoint, root: Buffer, last: boolean): void {
    const where = { from: 0, to: found.size };
    const bad = this.wrong(found, undefined, root);
    if (bad !== undefined) throw new BadLog(where, bad);
    if (last && !isSigned(found.note, this.#known)) throw new BadLog(where, NO_SIGNATURE);
    if (last && this.trusted.length > 0 && signersOf(parseCheckpoint(found.note).parsed, this.trusted).length === 0)
      throw new BadLog(where, 'the last checkpoint is signed with none of the given keys');
    this.count += 1;
  }

  /** What a record of the log says about its keys, checkpoints and archive. */
  told(record: Members, seq: number): void {
    const detail = record['detail'] as Members | undefined;
    if (record['kind'] === 'log.key') this.#told.add(String(detail?.['vkey']));
    this.toldArchived(record);
    if (record['kind'] === 'log.checkpoint-refused') this.#refused.add(String(detail?.['note']));
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
    this.#archived.set(`${String(detail?.['first'])}-${String(detail?.['past'])}`, String(detail?.['manifest']));
  }

  /**
   * Once every record was seen.
   * @param archived spans that are said to have gone to the archive
   * @param away those that are not restored
   */
  checkArchived(archived: readonly ArchivedSpan[], away: readonly Span[]): void {
    // The record of an earlier archiving may itself lie in the archive by now; that of the last one does not.
    for (const { first, past } of away.length > 0 ? away.slice(-1) : archived)
      if (!this.#archived.has(`${first}-${past}`))
        throw new BadLog({ from: first, to: past }, 'no record tells that they were archived');
    for (const { first, past, manifest } of archived)
      if ((this.#archived.get(`${first}-${past}`) ?? manifest) !== manifest)
        throw new BadLog({ from: first, to: past }, 'the record of their archiving names another manifest');
  }

  /** Once the whole log was walked. */
  end(): void {
    for (const [note, where] of this.#unsigned) if (!this.#refused.has(note)) throw new BadLog(where, NO_SIGNATURE);
    if (this.kept !== undefined && this.#n < this.kept.n) throw this.taken(this.kept);
    for (const [vkey, where] of this.#unproven)
      if (!this.#told.has(vkey)) throw new BadLog(where, 'they are signed with a key of which no record tells');
    if (this.trusted.length > 0 && this.#last?.trusted === false)
      throw new BadLog(this.#last.where, 'the last checkpoint is signed with none of the given keys');
  }

  private wrong(found: FoundCheckpoint, origin: string | undefined, root: Buffer): string | undefined {
    try {
      const { origin: name, size, root: stated } = parseCheckpoint(found.note);
      if (size !== found.size || stated.toString('hex') !== found.root)
        return 'a checkpoint is not what stands beside it';
      if (name !== (origin ?? name)) return 'a checkpoint bears the name of another log';
      if (!stated.equals(root)) return 'they do not give the root of their checkpoint';
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
    if (this.kept?.n === chained.n && this.kept.chain !== chained.chain) throw this.taken(this.kept);
    return undefined;
  }

  private taken({ size }: ChainLink): BadLog {
    return new BadLog({ from: 0, to: size }, 'their checkpoints are not those that were seen before');
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
