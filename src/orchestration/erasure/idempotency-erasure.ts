import { randomBytes } from 'node:crypto';
import type { Tx, Vault } from '../../platform/index.js';
import type { Erased, ErasablePart, ErasedVerifications } from './erasable.js';

/**
 * The answers kept for repeats name the person and lie under the client's key. The key itself stays taken, so that a late repeat is refused
 * and makes no verification of somebody who was erased; a call under way then finds its key ended and keeps no answer either.
 */
export class IdempotencyErasure implements ErasablePart {
  constructor(private readonly vault: Vault) {}

  async erase(tx: Tx, { clientId, ids, idempotencyIds }: ErasedVerifications): Promise<Partial<Erased>> {
    const paths = ids.map((id) => `/v1/verifications/${id}/cancel`);
    const rows = await tx.query<{ id: string; answer: string | null }[]>(
      `SELECT id, answer FROM orchestration.idempotency
        WHERE id = ANY($1) OR (client_id = $2 AND method = 'POST' AND path = ANY($3)) ORDER BY id FOR UPDATE`,
      [idempotencyIds, clientId, paths],
    );
    if (rows.length === 0) return {};
    // The digest of a body that names a person goes too.
    await tx.query(
      `UPDATE orchestration.idempotency SET state = 'done', answer = NULL, body_digest = $2 WHERE id = ANY($1)`,
      [rows.map(({ id }) => id), randomBytes(32)],
    );
    const answers = rows.flatMap(({ answer }) => answer ?? []);
    return { vaultItems: await this.vault.dropAll(tx, answers) };
  }
}
