import { ProblemError, type Tx } from '../platform/index.js';
import { APPEND_SQL, appendParameters, type Batcher, type Entry } from './batcher.js';
import { recordBytes, type RecordFrame, type RecordInput } from './record.js';

/** The way into the log. A record handed in here is durable when the promise resolves, and numbered within a second. */
export class AuditLog {
  constructor(
    private readonly batcher: Batcher,
    private readonly frame: RecordFrame,
  ) {}

  get origin(): string {
    return this.frame.origin;
  }

  get instance(): string {
    return this.frame.instance;
  }

  /** Whether Postgres takes no records at present. */
  get down(): boolean {
    return this.batcher.down;
  }

  /**
   * For what changes nothing here: commits together with others, on a connection of the log's own.
   * @param digestKey key of the record's body digests (`BodyDigests.key`), kept apart from the record so that it can be erased
   * @throws ProblemError `audit-unavailable` or `overloaded`: nothing may be answered as done; `internal` on what cannot be a record
   */
  async append(record: RecordInput, digestKey?: Buffer): Promise<void> {
    await this.batcher.append(this.entry(record, digestKey));
  }

  /** In the transaction of the change it tells: both are durable, or neither. */
  async appendIn(tx: Tx, record: RecordInput, digestKey?: Buffer): Promise<void> {
    await tx.query(APPEND_SQL, appendParameters([this.entry(record, digestKey)]));
  }

  /** Several at once, as `appendIn`. */
  async appendAllIn(tx: Tx, records: readonly RecordInput[]): Promise<void> {
    if (records.length > 0) await tx.query(APPEND_SQL, appendParameters(records.map((record) => this.entry(record))));
  }

  /** The record as it will stand, for whoever appends it in a statement of its own. @throws ProblemError `internal` */
  entry(record: RecordInput, digestKey?: Buffer): Entry {
    try {
      return { id: record.id, bytes: recordBytes(record, this.frame), key: digestKey ?? null };
    } catch (error) {
      throw new ProblemError('internal', { rule: 'audit.record', cause: error });
    }
  }
}
