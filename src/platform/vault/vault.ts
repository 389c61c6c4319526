import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.js';
import { type Keyring, open, seal } from '../crypto/keyring.js';
import type { Tx } from '../database/database.js';
import { uuidv7, uuidv7Floor } from '../ids.js';

/** Largest plain text kept: a vendor upload with room for its envelope. */
const VAULT_LIMIT_BYTES = 32 * 1024 * 1024;

export interface VaultItem {
  /** Whose key seals it: `subject:<pseudonym>` or `client:<id>`; erasing the owner erases the key. */
  owner: string;
  purpose: string;
  plain: Buffer;
  keepMs: number;
}

/** What must be kept is encrypted (rule 4): one table, a random key an owner, wrapped by the master key. */
export class Vault {
  constructor(
    private readonly keyring: Keyring,
    private readonly clock: Clock,
  ) {}

  /** @returns the id to fetch it by. */
  async put(tx: Tx, item: VaultItem): Promise<string> {
    if (item.plain.length > VAULT_LIMIT_BYTES) throw new RangeError('too large for the vault');
    const id = uuidv7(this.clock.epochMs());
    const key = await this.ownerKey(tx, item.owner);
    await tx.query('INSERT INTO platform.vault (id, owner, purpose, sealed, expires_at) VALUES ($1, $2, $3, $4, $5)', [
      id,
      item.owner,
      item.purpose,
      seal(key, item.plain, `${id}/${item.purpose}`),
      new Date(this.clock.epochMs() + item.keepMs),
    ]);
    return id;
  }

  /** Several at once. @returns the ids to fetch them by, in the same order */
  async putAll(tx: Tx, items: readonly VaultItem[]): Promise<string[]> {
    if (items.length === 0) return [];
    if (items.some(({ plain }) => plain.length > VAULT_LIMIT_BYTES)) throw new RangeError('too large for the vault');
    const now = this.clock.epochMs();
    const ids = items.map(() => uuidv7(now));
    const keys = await this.ownerKeys(
      tx,
      items.map(({ owner }) => owner),
    );
    await tx.query(
      `INSERT INTO platform.vault (id, owner, purpose, sealed, expires_at)
       SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::timestamptz[])`,
      [
        ids,
        items.map(({ owner }) => owner),
        items.map(({ purpose }) => purpose),
        items.map(({ owner, plain, purpose }, at) => seal(keys.get(owner)!, plain, `${ids[at]}/${purpose}`)),
        items.map(({ keepMs }) => new Date(now + keepMs)),
      ],
    );
    return ids;
  }

  /** Undefined when it was never there, has expired or its owner was erased. */
  async get(tx: Tx, id: string, purpose: string): Promise<Buffer | undefined> {
    const [row] = await tx.query<{ sealed: Buffer; wrapped_key: Buffer; owner: string }[]>(
      `SELECT v.sealed, k.wrapped_key, v.owner FROM platform.vault v JOIN platform.vault_keys k USING (owner)
        WHERE v.id = $1 AND v.purpose = $2 AND v.expires_at > $3`,
      [id, purpose, this.clock.now()],
    );
    if (!row) return undefined;
    return open(this.unwrap(row.wrapped_key, row.owner), row.sealed, `${id}/${purpose}`);
  }

  /**
   * Seals a value for a column that lives as long as its row: `purpose` names the place and must be the same to open it.
   * Erasing the owner leaves it unreadable, like what stands in the vault itself.
   */
  async sealFor(tx: Tx, owner: string, purpose: string, plain: Buffer): Promise<Buffer> {
    return seal(await this.ownerKey(tx, owner), plain, purpose);
  }

  /** The values that `sealFor` sealed, in the order asked for; undefined where the owner was erased. One query for all of them. */
  async openFor(
    from: Tx,
    items: readonly { owner: string; purpose: string; sealed: Buffer }[],
  ): Promise<(Buffer | undefined)[]> {
    if (items.length === 0) return [];
    const rows = await from.query<{ owner: string; wrapped_key: Buffer }[]>(
      'SELECT owner, wrapped_key FROM platform.vault_keys WHERE owner = ANY($1)',
      [[...new Set(items.map((item) => item.owner))]],
    );
    const keys = new Map(rows.map((row) => [row.owner, this.unwrap(row.wrapped_key, row.owner)]));
    return items.map(({ owner, purpose, sealed }) => {
      const key = keys.get(owner);
      return key === undefined ? undefined : open(key, sealed, purpose);
    });
  }

  async drop(tx: Tx, id: string): Promise<void> {
    await tx.query('DELETE FROM platform.vault WHERE id = $1', [id]);
  }

  /**
   * What was put in under these owners before that instant, at most `most` items at once: large ones are heavy to delete.
   * @returns how many there were.
   */
  async eraseItems(tx: Tx, owners: readonly string[], before: Date | undefined, most: number): Promise<number> {
    const [row] = await tx.query<{ n: number }[]>(
      `WITH gone AS (DELETE FROM platform.vault WHERE id IN (
         SELECT id FROM platform.vault WHERE owner = ANY($1) AND ($2::uuid IS NULL OR id < $2) LIMIT $3) RETURNING id)
       SELECT count(*)::integer AS n FROM gone`,
      [owners, before === undefined ? null : uuidv7Floor(before.getTime()), most],
    );
    return row?.n ?? 0;
  }

  /**
   * The keys of these owners that were made before that instant and have nothing in the vault any more. Whatever they sealed elsewhere can
   * be read by nobody, in no copy that has lost them too. @returns how many there were.
   */
  async eraseKeys(tx: Tx, owners: readonly string[], before: Date | undefined): Promise<number> {
    const [row] = await tx.query<{ n: number }[]>(
      `WITH gone AS (DELETE FROM platform.vault_keys k WHERE k.owner = ANY($1) AND ($2::timestamptz IS NULL OR k.created_at < $2)
         AND NOT EXISTS (SELECT FROM platform.vault v WHERE v.owner = k.owner) RETURNING k.owner)
       SELECT count(*)::integer AS n FROM gone`,
      [owners, before ?? null],
    );
    return row?.n ?? 0;
  }

  /** @returns how many of them were there. */
  async dropAll(tx: Tx, ids: readonly string[]): Promise<number> {
    const [row] = await tx.query<{ n: number }[]>(
      `WITH gone AS (DELETE FROM platform.vault WHERE id = ANY($1) RETURNING id) SELECT count(*)::integer AS n FROM gone`,
      [ids],
    );
    return row?.n ?? 0;
  }

  /** Removes what has expired, at most `limit` items a call. */
  async sweep(tx: Tx, limit = 1_000): Promise<void> {
    await tx.query(
      'DELETE FROM platform.vault WHERE id IN (SELECT id FROM platform.vault WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)',
      [this.clock.now(), limit],
    );
  }

  /** Those that are missing are made; in the order of their names, so that two who make the same never wait for each other. */
  private async ownerKeys(tx: Tx, owners: readonly string[]): Promise<Map<string, Buffer>> {
    const names = [...new Set(owners)].sort();
    await tx.query(
      `INSERT INTO platform.vault_keys (owner, wrapped_key, created_at)
       SELECT owner, wrapped_key, $3 FROM unnest($1::text[], $2::bytea[]) AS k (owner, wrapped_key) ON CONFLICT (owner) DO NOTHING`,
      [names, names.map((owner) => seal(this.keyring.key('vault-wrap'), randomBytes(32), owner)), this.clock.now()],
    );
    const rows = await tx.query<{ owner: string; wrapped_key: Buffer }[]>(
      'SELECT owner, wrapped_key FROM platform.vault_keys WHERE owner = ANY($1)',
      [names],
    );
    if (rows.length < names.length) throw new Error('an owner key was erased while it was being used');
    return new Map(rows.map(({ owner, wrapped_key }) => [owner, this.unwrap(wrapped_key, owner)]));
  }

  private async ownerKey(tx: Tx, owner: string): Promise<Buffer> {
    const fresh = seal(this.keyring.key('vault-wrap'), randomBytes(32), owner);
    const [row] = await tx.query<{ wrapped_key: Buffer }[]>(
      `WITH made AS (
         INSERT INTO platform.vault_keys (owner, wrapped_key, created_at) VALUES ($1, $2, $3)
             ON CONFLICT (owner) DO NOTHING RETURNING wrapped_key)
       SELECT wrapped_key FROM made
       UNION ALL SELECT wrapped_key FROM platform.vault_keys WHERE owner = $1`,
      [owner, fresh, this.clock.now()],
    );
    // Made by somebody else since this statement began: there, but not in what it sees.
    const key = row ?? (await this.madeElsewhere(tx, owner));
    return this.unwrap(key.wrapped_key, owner);
  }

  private async madeElsewhere(tx: Tx, owner: string): Promise<{ wrapped_key: Buffer }> {
    const [row] = await tx.query<{ wrapped_key: Buffer }[]>(
      'SELECT wrapped_key FROM platform.vault_keys WHERE owner = $1',
      [owner],
    );
    if (!row) throw new Error('the owner key was erased while it was being used');
    return row;
  }

  private unwrap(wrapped: Buffer, owner: string): Buffer {
    return open(this.keyring.key('vault-wrap'), wrapped, owner);
  }
}
