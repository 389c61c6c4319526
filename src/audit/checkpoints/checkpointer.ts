import type { Log } from '../../platform/index.js';
import { verifyConsistency } from '../tree/proofs.js';
import { MissingTile, TileTree } from '../tree/tile-tree.js';
import { hash } from 'node:crypto';
import { type Checkpoint, isSigned, parseCheckpoint, signCheckpoint } from './checkpoint.js';
import type { KeptCheckpoint } from './kept-checkpoint.js';
import type { LogStore, Tip } from './log-store.js';
import { type NoteSigner, type NoteVerifier, noteVerifier } from './note.js';

export interface CheckpointerParts {
  store: LogStore;
  kept: KeptCheckpoint;
  origin: string;
  /** One, or two while the key is rotated. */
  signers: readonly NoteSigner[];
  everyMs: number;
  log: Pick<Log, 'error' | 'warn' | 'info'>;
  /** Records that a published note is refused; the log grows by it, so that a good one follows. */
  refuse: (refused: RefusedNote) => Promise<void>;
}

/** A published note whose signature is not good. */
export interface RefusedNote {
  n: number;
  size: number;
  /** SHA-256 of the note; hex. */
  note: string;
}

type Published = NonNullable<Tip['checkpoint']>;

/** Whose signature a published note bears: ours, that of another key that the log tells, or none that is good. */
type Standing = 'ours' | 'told' | 'bad';

/** The log is not what it was when it was last signed: rolled back, rewritten or cut. Nothing is signed any more. */
export class ForkedLog extends Error {
  constructor(readonly reason: string) {
    super(reason);
    this.name = 'ForkedLog';
  }
}

/**
 * Signs the log's size and root as it grows, on every instance: whoever comes first signs, the others take its checkpoint as theirs after
 * checking that it extends the last one they have seen. That last one lies in a file of the instance, and nothing that does not extend
 * it is ever signed. The same size and root give the same note, so that two who sign at once do no harm.
 */
export class Checkpointer {
  readonly #tree: TileTree;
  readonly #keys: readonly NoteVerifier[];
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #failures = 0;
  #forked: string | undefined;
  #missing = false;
  #judged: { note: string; standing: Standing } | undefined;
  #refusals = 0;

  /** Called with each checkpoint that this instance signed. */
  onSigned: (checkpoint: Checkpoint) => void = () => undefined;
  /** Called once when the log turns out not to extend what was signed, with the reason. */
  onForked: (reason: string) => void = () => undefined;

  constructor(private readonly parts: CheckpointerParts) {
    this.#tree = new TileTree(parts.store);
    this.#keys = parts.signers.map(({ verifier }) => verifier);
  }

  /** Why nothing is signed any more; undefined while all is well. */
  get forked(): string | undefined {
    return this.#forked;
  }

  /** Whether a published checkpoint that this instance has seen is no longer there; until a person has taken its place in the chain away. */
  get missing(): boolean {
    return this.#missing;
  }

  /** Whether the last published note bears no good signature, and how many such notes there were in this run. */
  get refused(): { now: boolean; count: number } {
    return { now: this.#judged?.standing === 'bad', count: this.#refusals };
  }

  /** The last checkpoint that this instance has seen or signed. */
  get last(): Checkpoint | undefined {
    return this.parts.kept.last;
  }

  /** @throws ForkedLog when the database does not extend the checkpoint of the last run. */
  async open(knownKeys: readonly NoteVerifier[]): Promise<void> {
    try {
      await this.parts.kept.read([...this.#keys, ...knownKeys]);
    } catch (error) {
      if (error instanceof TypeError)
        throw new ForkedLog(`what is kept beside the database is not good: ${error.message}`);
      throw error;
    }
    const tip = await this.parts.store.tip();
    if (this.last !== undefined && tip !== undefined) await this.mustExtend(this.last, tip.size, tip.root);
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#running ??= this.round().finally(() => (this.#running = undefined));
    }, this.parts.everyMs).unref();
  }

  /** Signs what is left, as long as the database answers. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
    await this.round(true);
  }

  /** One round; what fails is made up for by the next. The last one leaves nothing to others: they may be none. */
  async round(last = false): Promise<void> {
    if (this.#forked !== undefined) return;
    try {
      const tip = await this.parts.store.tip();
      if (tip !== undefined) await this.follow(tip, last);
      if (this.#failures > 0) this.parts.log.info('checkpoints are signed again');
      this.#failures = 0;
    } catch (error) {
      if (error instanceof ForkedLog) this.stopSigning(error);
      else if ((this.#failures += 1) === 1) this.parts.log.warn('no checkpoint can be signed', { error });
    }
  }

  private async follow(tip: Tip, leaving: boolean): Promise<void> {
    const last = this.last;
    if (tip.origin !== this.parts.origin) throw new ForkedLog('the log has another name');
    if (tip.size < (last?.size ?? 0)) throw new ForkedLog('the log is shorter than it was when it was signed');
    const published = tip.checkpoint;
    if (published !== undefined && published.size > tip.size)
      throw new ForkedLog('a checkpoint stands beyond the head');
    await this.compareChain(published);
    const standing = published === undefined ? 'ours' : await this.judge(published);
    if (published !== undefined && published.size > (last?.size ?? 0) && standing === 'ours')
      await this.adopt(published);
    if (tip.size === 0 || tip.size === (published?.size ?? 0)) {
      // Signed before a crash and never published.
      if (last !== undefined && last.size > (published?.size ?? 0)) await this.parts.store.keep(last);
      return;
    }
    // Another instance has just signed: two a second would help nobody.
    if (!leaving && standing !== 'bad' && published !== undefined && published.ageMs < this.parts.everyMs / 2) return;
    await this.sign(tip);
  }

  /** What was published stays published: one that is gone, be it the newest, was taken out. */
  private async compareChain(published: Published | undefined): Promise<void> {
    const { kept, log, store } = this.parts;
    if (this.#missing) return;
    const { link } = kept;
    const now = published?.link;
    if (link?.n === now?.n && link?.chain === now?.chain) return;
    const found = link === undefined || link.n === now?.n ? now?.chain : await store.chainAt(link.n);
    if (link === undefined || link.chain === found) {
      if (now !== undefined) await kept.writeLink(now);
      return;
    }
    this.#missing = true;
    log.error('a published checkpoint is missing from the database');
  }

  private async judge({ note, size, link }: Published): Promise<Standing> {
    if (this.#judged?.note === note) return this.#judged.standing;
    const standing = await this.standingOf(note);
    // Signed with a key that this instance does not have: while keys are rotated some instances know more than others.
    if (standing === 'told') this.parts.log.warn('a checkpoint of another key was passed over');
    if (standing === 'bad') {
      if (this.#judged?.standing !== 'bad') this.parts.log.error('a published checkpoint bears no good signature');
      await this.parts.refuse({ n: link.n, size, note: hash('sha256', note, 'hex') });
      this.#refusals += 1;
    }
    this.#judged = { note, standing };
    return standing;
  }

  private async standingOf(note: string): Promise<Standing> {
    if (isSigned(note, this.#keys)) return 'ours';
    const told = (await this.parts.store.keys()).map(noteVerifier).filter(({ name }) => name === this.parts.origin);
    return isSigned(note, told) ? 'told' : 'bad';
  }

  private async adopt({ note }: Published): Promise<void> {
    const checkpoint = parseCheckpoint(note);
    await this.mustExtend(this.last, checkpoint.size, checkpoint.root);
    await this.parts.kept.write(checkpoint);
  }

  private async sign({ size, root }: Tip): Promise<void> {
    const { kept, origin, signers, store } = this.parts;
    await this.mustExtend(this.last, size, root);
    const checkpoint = signCheckpoint(origin, size, root, signers);
    // Beside the database first: what was published is then always kept.
    if (size > (this.last?.size ?? 0)) await kept.write(checkpoint);
    if (await store.keep(checkpoint)) this.onSigned(checkpoint);
  }

  private async mustExtend(last: Checkpoint | undefined, size: number, root: Buffer): Promise<void> {
    if (size < (last?.size ?? 0)) throw new ForkedLog('the log is shorter than it was when it was signed');
    try {
      const [proof, whole] = [await this.#tree.consistency(last?.size ?? 0, size), await this.#tree.root(size)];
      if (!whole.equals(root)) throw new ForkedLog('the tiles do not give the root of the head');
      if (last !== undefined && !verifyConsistency(last.size, size, proof, last.root, root))
        throw new ForkedLog('the log does not extend what was signed');
    } catch (error) {
      throw error instanceof MissingTile ? new ForkedLog(error.message) : error;
    }
  }

  private stopSigning(error: ForkedLog): void {
    this.#forked = error.reason;
    this.parts.log.error('the log does not extend what was signed: nothing is signed any more', { error });
    this.onForked(error.reason);
  }
}
