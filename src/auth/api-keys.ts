import { timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock, Database } from '../platform/index.js';
import {
  type ClientStanding,
  STANDING_COLUMNS,
  STANDING_TTL_MS,
  type StandingRow,
  toStanding,
} from './client-directory.js';
import { credentialHash } from './credentials.js';
import { LookupCache } from './lookup-cache.js';

const MOST_KEPT = 20_000;

/** A stored key with its client. */
export interface FoundKey {
  id: string;
  hash: Buffer;
  scopes: ReadonlySet<string>;
  expiresAtMs: number;
  revoked: boolean;
  client: ClientStanding;
}

interface KeyRow extends StandingRow {
  id: string;
  hash: Buffer;
  scopes: string[];
  expires_at: Date;
  revoked_at: Date | null;
}

/**
 * Looks keys up by the digest of the whole key: an unknown key, a known prefix with a wrong secret and a key that is no longer good all
 * take the same path and one query each, and nothing compares a secret byte by byte.
 */
@Injectable()
export class ApiKeys {
  readonly #cache: LookupCache<FoundKey>;

  constructor(
    private readonly database: Database,
    clock: Clock,
  ) {
    this.#cache = new LookupCache(clock, {
      ttlMs: STANDING_TTL_MS,
      limit: MOST_KEPT,
      worthKeeping: (key) => !key.revoked && key.client.state === 'active' && key.expiresAtMs > clock.epochMs(),
    });
  }

  async find(presented: string): Promise<FoundKey | undefined> {
    const digest = credentialHash(presented);
    const usable = this.#cache.get(digest.toString('latin1'), () => this.load(digest));
    const found = usable instanceof Promise ? await usable : usable;
    return found !== undefined && timingSafeEqual(found.hash, digest) ? found : undefined;
  }

  /** After a change made by this instance; the others learn of it within the time to live. */
  forget(): void {
    this.#cache.clear();
  }

  private async load(digest: Buffer): Promise<FoundKey | undefined> {
    const [row] = await this.database.query<KeyRow>(
      `SELECT k.id, k.hash, k.scopes, k.expires_at, k.revoked_at, ${STANDING_COLUMNS}
         FROM auth.api_keys k JOIN auth.clients c ON c.id = k.client_id WHERE k.hash = $1`,
      [digest],
    );
    return (
      row && {
        id: row.id,
        hash: row.hash,
        scopes: new Set(row.scopes),
        expiresAtMs: row.expires_at.getTime(),
        revoked: row.revoked_at !== null,
        client: toStanding(row),
      }
    );
  }
}
