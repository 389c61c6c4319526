import type { Log } from '../../platform/index.js';
import { verifyConsistency } from '../tree/proofs.js';
import { MissingTile, TileTree } from '../tree/tile-tree.js';
import { type Checkpoint, openCheckpoint, signCheckpoint } from './checkpoint.js';
import type { KeptCheckpoint } from './kept-checkpoint.js';
import type { LogStore, Tip } from './log-store.js';
import type { NoteSigner, NoteVerifier } from './note.js';

export interface CheckpointerParts {
  store: LogStore;
  kept: KeptCheckpoint;
  origin: string;
  /** One, or two while the key is rotated. */
  signers: readonly NoteSigner[];
  everyMs: number;
  log: Pick<Log, 'error' | 'warn' | 'info'>;
}

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
        throw new ForkedLog(`the checkpoint kept beside the database is not good: ${error.message}`);
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
    if (published !== undefined && published.size > (last?.size ?? 0)) await this.adopt(published.note);
    if (tip.size === 0 || tip.size === (published?.size ?? 0)) {
      // Signed before a crash and never published.
      if (last !== undefined && last.size > (published?.size ?? 0)) await this.parts.store.keep(last);
      return;
    }
    // Another instance has just signed: two a second would help nobody.
    if (!leaving && published !== undefined && published.ageMs < this.parts.everyMs / 2) return;
    await this.sign(tip);
  }

  private async adopt(note: string): Promise<void> {
    let checkpoint: Checkpoint;
    try {
      checkpoint = openCheckpoint(note, this.parts.origin, this.#keys);
    } catch (error) {
      // Signed with a key that this instance does not have: while keys are rotated some instances know more than others.
      if (!(error instanceof TypeError)) throw error;
      if (this.#failures === 0) this.parts.log.warn('a checkpoint of another key or name was passed over');
      return;
    }
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
