import { Injectable } from '@nestjs/common';
import { Clock, Database, ProblemError, type Tx } from '../../platform/index.js';

/** What stands at the vendor and belongs to the client that made it. */
export type OwnedKind = 'session' | 'transaction';

const VENDOR = 'didit';
const MOST_KEPT = 50_000;

/** Rule 2: everything at the vendor has an owner. An owner never changes, so that what was found once need not be asked again. */
@Injectable()
export class Ownership {
  readonly #known = new Map<string, string>();

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** Client that owns it; undefined when nobody here made it. */
  async ownerOf(kind: OwnedKind, ref: string): Promise<string | undefined> {
    const known = this.#known.get(`${kind} ${ref}`);
    if (known !== undefined) return known;
    const [row] = await this.database.query<{ client_id: string }>(
      'SELECT client_id FROM orchestration.ownership WHERE vendor = $1 AND kind = $2 AND vendor_ref = $3',
      [VENDOR, kind, ref],
    );
    if (row) this.keep(kind, ref, row.client_id);
    return row?.client_id;
  }

  /** @throws ProblemError `not-found` for what belongs to others as for what is not there: the difference is nobody's business. */
  async check(clientId: string, kind: OwnedKind, ref: string): Promise<void> {
    const known = this.#known.get(`${kind} ${ref}`);
    const owner = known ?? (await this.ownerOf(kind, ref));
    if (owner !== clientId)
      throw new ProblemError('not-found', {
        rule: 'ownership.foreign',
        reason: owner === undefined ? 'no client made it' : 'another client made it',
      });
  }

  /** Those of `refs` that belong to the client. */
  async ownOf(clientId: string, kind: OwnedKind, refs: readonly string[]): Promise<Set<string>> {
    const own = new Set(refs.filter((ref) => this.#known.get(`${kind} ${ref}`) === clientId));
    const unknown = refs.filter((ref) => !this.#known.has(`${kind} ${ref}`));
    if (unknown.length === 0) return own;
    const rows = await this.database.query<{ vendor_ref: string; client_id: string }>(
      'SELECT vendor_ref, client_id FROM orchestration.ownership WHERE vendor = $1 AND kind = $2 AND vendor_ref = ANY($3)',
      [VENDOR, kind, unknown],
    );
    for (const row of rows) {
      this.keep(kind, row.vendor_ref, row.client_id);
      if (row.client_id === clientId) own.add(row.vendor_ref);
    }
    return own;
  }

  /** Makes the client its owner, or finds that it is. @throws ProblemError `vendor-invalid-answer` when it belongs to another one. */
  async claim(tx: Tx, clientId: string, kind: OwnedKind, ref: string): Promise<void> {
    await tx.query(
      `INSERT INTO orchestration.ownership (vendor, kind, vendor_ref, client_id, created_at) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT ON CONSTRAINT ownership_pkey DO NOTHING`,
      [VENDOR, kind, ref, clientId, this.clock.now()],
    );
    const [row] = await tx.query<{ client_id: string }[]>(
      'SELECT client_id FROM orchestration.ownership WHERE vendor = $1 AND kind = $2 AND vendor_ref = $3',
      [VENDOR, kind, ref],
    );
    // The vendor gave one client what it had given another: nothing of it may be shown.
    if (row?.client_id !== clientId) throw new ProblemError('vendor-invalid-answer', { rule: 'ownership.taken' });
  }

  private keep(kind: OwnedKind, ref: string, clientId: string): void {
    if (this.#known.size >= MOST_KEPT) {
      const oldest = this.#known.keys().next();
      if (oldest.done !== true) this.#known.delete(oldest.value);
    }
    this.#known.set(`${kind} ${ref}`, clientId);
  }
}
