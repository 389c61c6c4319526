import {
  type Erased,
  type ErasablePart,
  type ErasedVerifications,
  eraseItems,
  lockSession,
} from '../../orchestration/index.js';
import type { Tx, Vault } from '../../platform/index.js';
import { NO_DIGEST, sessionOwner } from './inbox.js';

const VENDOR = 'didit';

/** What the vendor told of a person: the bytes of its webhooks, sealed under a key a session, and their digests. */
export class WebhookErasure implements ErasablePart {
  constructor(private readonly vault: Vault) {}

  async erase(tx: Tx, { sessionIds, sharedSessions }: ErasedVerifications): Promise<Partial<Erased>> {
    const shared = await this.eraseSessions(tx, sharedSessions?.ids ?? [], sharedSessions?.before);
    const own = await this.eraseSessions(tx, sessionIds, undefined);
    return { vaultItems: own.vaultItems + shared.vaultItems, vaultKeys: own.vaultKeys + shared.vaultKeys };
  }

  private async eraseSessions(
    tx: Tx,
    sessionIds: readonly string[],
    before: Date | undefined,
  ): Promise<Pick<Erased, 'vaultItems' | 'vaultKeys'>> {
    if (sessionIds.length === 0) return { vaultItems: 0, vaultKeys: 0 };
    // In one order, as everybody who locks several.
    for (const sessionId of sessionIds.toSorted()) await lockSession(tx, sessionId, 'alone');
    const owners = sessionIds.map((sessionId) => sessionOwner(VENDOR, sessionId));
    await tx.query(
      `UPDATE webhooks.inbox SET raw = NULL, digest = $2
        WHERE session_id = ANY($1) AND digest <> $2 AND ($3::timestamptz IS NULL OR received_at < $3)`,
      [sessionIds, NO_DIGEST, before ?? null],
    );
    const vaultItems = await eraseItems(tx, this.vault, owners, before);
    return { vaultItems, vaultKeys: await this.vault.eraseKeys(tx, owners, before) };
  }
}
