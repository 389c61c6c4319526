import { Injectable } from '@nestjs/common';
import { Database, Keyring, type Tx, Vault } from '../../platform/index.js';
import type { VerificationEntity } from './verification.entity.js';

type Owned = Pick<VerificationEntity, 'id' | 'subject'>;
type Sealed = Pick<VerificationEntity, 'id' | 'subject' | 'sealedSubject' | 'sealedLink' | 'erasedAt'>;

export interface OpenedSecrets {
  /** The firm's own reference; null once the subject was erased. */
  reference: string | null;
  /** The hosted page; null without a session, once the subject was erased, or when it was not asked for. */
  url: string | null;
}

const owner = (row: Owned) => `subject:${row.subject}`;
const subjectPurpose = (row: Owned) => `verification.subject/${row.id}`;
const reviewPurpose = (row: Owned) => `verification.review/${row.id}`;
const linkPurpose = (row: Owned) => `verification.link/${row.id}`;

/** What names a person or lets somebody act as one: kept under the subject's own key, known elsewhere by a pseudonym (rules 3 and 4). */
@Injectable()
export class SubjectSecrets {
  constructor(
    private readonly vault: Vault,
    private readonly keyring: Keyring,
    private readonly database: Database,
  ) {}

  /** Stable for a client and its reference; two clients' subjects never meet. */
  pseudonym(clientId: string, reference: string): string {
    return this.keyring.pseudonym('subject-pseudonym', clientId, reference);
  }

  sealReference(tx: Tx, row: Owned, reference: string): Promise<Buffer> {
    return this.vault.sealFor(tx, owner(row), subjectPurpose(row), Buffer.from(reference));
  }

  sealLink(tx: Tx, row: Owned, url: string): Promise<Buffer> {
    return this.vault.sealFor(tx, owner(row), linkPurpose(row), Buffer.from(url));
  }

  /** For whoever asks the reviewer later; erased with the person. */
  sealReview(tx: Tx, row: Owned, reason: string): Promise<Buffer> {
    return this.vault.sealFor(tx, owner(row), reviewPurpose(row), Buffer.from(reason));
  }

  async openReview(row: Owned & Pick<VerificationEntity, 'sealedReview'>): Promise<string | null> {
    if (row.sealedReview === null) return null;
    const item = { owner: owner(row), purpose: reviewPurpose(row), sealed: row.sealedReview };
    const [plain] = await this.vault.openFor(this.database.source.manager, [item]);
    return plain?.toString() ?? null;
  }

  /** Of all rows at once, in their order. */
  async open(rows: readonly Sealed[], withLinks: boolean): Promise<OpenedSecrets[]> {
    // What is left of an erased one is empty, and the person may have come back under another key.
    const present = rows.filter(({ erasedAt }) => erasedAt === null);
    const items = present.flatMap((row) => [
      { owner: owner(row), purpose: subjectPurpose(row), sealed: row.sealedSubject },
      ...(withLinks && row.sealedLink !== null
        ? [{ owner: owner(row), purpose: linkPurpose(row), sealed: row.sealedLink }]
        : []),
    ]);
    const opened = await this.vault.openFor(this.database.source.manager, items);
    const byPurpose = new Map(items.map((item, at) => [item.purpose, opened[at]?.toString() ?? null]));
    return rows.map((row) => ({
      reference: byPurpose.get(subjectPurpose(row)) ?? null,
      url: byPurpose.get(linkPurpose(row)) ?? null,
    }));
  }
}
