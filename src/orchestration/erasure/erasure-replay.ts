import type { ErasureJournal, JournaledErasure, LegalHolds } from '../../audit/index.js';
import type { Database, Log } from '../../platform/index.js';
import type { ErasureWriter } from './erasure-writer.js';
import { lockSubject } from './locks.js';

export interface Replayed {
  /** Erasures in the journal. */
  known: number;
  /** Those that were done again. */
  replayed: number;
  /** Those that a legal hold of today stands against: they wait for its release. */
  held: number;
  /** Lines that nobody with the master key has written, or that were cut off by a crash. */
  strange: number;
}

/** Erasures asked about in one statement. */
const MOST_AT_ONCE = 500;

/**
 * After a restore: whoever the journal says was erased, and whom the database knows again, is erased again. An erasure is one transaction,
 * so that a database knows all of one or nothing of it; the rows tell which.
 */
export class ErasureReplay {
  constructor(
    private readonly database: Database,
    private readonly writer: ErasureWriter,
    private readonly holds: LegalHolds,
    private readonly log: Pick<Log, 'error' | 'warn'>,
  ) {}

  async replay(journal: ErasureJournal): Promise<Replayed> {
    const { erasures, strange } = await journal.read();
    if (strange > 0)
      this.log.error('lines of the journal of erasures were not written by a holder of the master key', {
        count: strange,
      });
    const done: Replayed = { known: erasures.length, replayed: 0, held: 0, strange };
    for (let from = 0; from < erasures.length; from += MOST_AT_ONCE) {
      for (const entry of await this.undone(erasures.slice(from, from + MOST_AT_ONCE))) {
        const outcome = await this.again(entry);
        if (outcome !== 'nothing') done[outcome] += 1;
      }
    }
    if (done.held > 0)
      this.log.warn('erasures were not replayed because a legal hold stands against them', { count: done.held });
    return done;
  }

  /** One erasure in one transaction. */
  again(entry: JournaledErasure): Promise<'replayed' | 'held' | 'nothing'> {
    return this.database.transaction(async (tx) => {
      await lockSubject(tx, entry.subject, 'alone');
      if (await this.holds.holdsSubject(tx, entry.subject)) return 'held';
      return (await this.writer.again(tx, entry)) ? 'replayed' : 'nothing';
    });
  }

  private async undone(entries: readonly JournaledErasure[]): Promise<JournaledErasure[]> {
    const rows = await this.database.query<{ n: string }>(
      `SELECT e.n FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) WITH ORDINALITY AS e (client_id, subject, at, n)
        WHERE EXISTS (SELECT FROM orchestration.verifications v
                       WHERE v.client_id = e.client_id AND v.subject = e.subject AND v.erased_at IS NULL AND v.created_at <= e.at)`,
      [entries.map(({ client }) => client), entries.map(({ subject }) => subject), entries.map(({ at }) => at)],
    );
    const wanted = new Set(rows.map(({ n }) => Number(n) - 1));
    return entries.filter((_, n) => wanted.has(n));
  }
}
