import { eraseDigestKeys } from '../../audit/index.js';
import type { Tx, Vault } from '../../platform/index.js';
import type { Erased, ErasablePart, ErasedVerifications } from './erasable.js';

export interface ErasedSubject {
  clientId: string;
  /** Pseudonym. */
  subject: string;
}

interface Row {
  id: string;
  session_id: string | null;
  idempotency_id: string;
  erased_at: Date | null;
}

/** Verifications taken at once. */
const MOST_ROWS = 500;
/** Items of the vault deleted at once; each can be some megabytes. */
const MOST_ITEMS = 200;
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

/**
 * Erases a person wherever something is kept: keys first of all, so that what they sealed is unreadable, and what needs no key. What stands
 * in the log stays as it is. In bounded statements, in the caller's transaction, under the caller's lock on the subject; doing it again
 * finds nothing.
 */
export class SubjectEraser {
  constructor(
    private readonly vault: Vault,
    private readonly parts: () => readonly ErasablePart[],
  ) {}

  /** @param before what came later belongs to somebody who has come back, and stays; undefined for everything */
  async erase(tx: Tx, who: ErasedSubject, now: Date, before?: Date): Promise<Erased> {
    const erased: Erased = { digestKeys: 0, vaultItems: 0, vaultKeys: 0, verifications: 0 };
    for (let after = BEFORE_ALL; ;) {
      const rows = await this.lockRows(tx, who, before, after);
      const last = rows.at(-1);
      if (last === undefined) break;
      after = last.id;
      add(erased, await this.eraseRows(tx, rows, now));
      add(erased, await this.eraseBeside(tx, who, rows, before));
    }
    const owner = [`subject:${who.subject}`];
    add(erased, {
      digestKeys: await eraseDigestKeys(tx, [who.subject], before),
      vaultItems: await eraseItems(tx, this.vault, owner, before),
    });
    // A backup can bring the old key back, and somebody may have come again under it before the erasure was replayed.
    if (!(await this.present(tx, who))) add(erased, { vaultKeys: await this.vault.eraseKeys(tx, owner, before) });
    return erased;
  }

  /** Whether there is a verification of the subject that was not erased. */
  async present(tx: Tx, { clientId, subject }: ErasedSubject): Promise<boolean> {
    const rows = await tx.query<object[]>(
      'SELECT FROM orchestration.verifications WHERE client_id = $1 AND subject = $2 AND erased_at IS NULL LIMIT 1',
      [clientId, subject],
    );
    return rows.length > 0;
  }

  /** In the order in which everybody locks them. */
  private lockRows(tx: Tx, who: ErasedSubject, before: Date | undefined, after: string): Promise<Row[]> {
    return tx.query<Row[]>(
      `SELECT id, session_id, idempotency_id, erased_at FROM orchestration.verifications
        WHERE client_id = $1 AND subject = $2 AND ($3::timestamptz IS NULL OR created_at < $3) AND id > $4
        ORDER BY id LIMIT $5 FOR UPDATE`,
      [who.clientId, who.subject, before ?? null, after, MOST_ROWS],
    );
  }

  /** What is sealed gives way as well: under the next key of a person who comes back it could only fail to open. */
  private async eraseRows(tx: Tx, rows: readonly Row[], now: Date): Promise<Partial<Erased>> {
    const present = rows.filter((row) => row.erased_at === null).map(({ id }) => id);
    if (present.length === 0) return {};
    await tx.query(
      `UPDATE orchestration.verifications SET sealed_subject = '', sealed_link = NULL, sealed_review = NULL, decision = NULL, check_at = NULL, erased_at = $2, updated_at = $2
        WHERE id = ANY($1)`,
      [present, now],
    );
    return { verifications: present.length };
  }

  private async eraseBeside(
    tx: Tx,
    { clientId }: ErasedSubject,
    rows: readonly Row[],
    before: Date | undefined,
  ): Promise<Partial<Erased>> {
    const ids = rows.map(({ id }) => id);
    const sessions = [...new Set(rows.flatMap(({ session_id: id }) => id ?? []))];
    const shared = before === undefined ? new Set<string>() : await this.followed(tx, sessions);
    const erased = { digestKeys: await eraseDigestKeys(tx, [...ids, ...sessions], before) };
    const verifications: ErasedVerifications = {
      clientId,
      ids,
      idempotencyIds: rows.map(({ idempotency_id: id }) => id),
      sessionIds: sessions.filter((id) => !shared.has(id)),
      sharedSessions: before && shared.size > 0 ? { ids: [...shared], before } : undefined,
    };
    for (const part of this.parts()) add(erased, await part.erase(tx, verifications));
    return erased;
  }

  private async followed(tx: Tx, sessions: readonly string[]): Promise<Set<string>> {
    const rows = await tx.query<{ id: string }[]>(
      'SELECT session_id AS id FROM orchestration.verifications WHERE session_id = ANY($1) AND erased_at IS NULL',
      [sessions],
    );
    return new Set(rows.map(({ id }) => id));
  }
}

/** All items of these owners, some at a time. */
export async function eraseItems(
  tx: Tx,
  vault: Vault,
  owners: readonly string[],
  before: Date | undefined,
): Promise<number> {
  for (let erased = 0; ;) {
    const n = await vault.eraseItems(tx, owners, before, MOST_ITEMS);
    erased += n;
    if (n < MOST_ITEMS) return erased;
  }
}

function add(to: Partial<Erased>, more: Partial<Erased>): void {
  for (const name of ['digestKeys', 'vaultItems', 'vaultKeys', 'verifications'] as const)
    if (more[name] !== undefined) to[name] = (to[name] ?? 0) + more[name];
}
