import { Injectable } from '@nestjs/common';
import { Clock, Database, isUuid } from '../platform/index.js';
import { STANDING_TTL_MS } from './client-directory.js';
import type { State } from './entities/client.entity.js';
import { LookupCache } from './lookup-cache.js';

const MOST_KEPT = 1_000;

/** What a call needs to know of its administrator. */
export interface AdministratorStanding {
  id: string;
  name: string;
  roles: ReadonlySet<string>;
  state: State;
}

/** Administrators by id or, for issuers that know no ids of ours, by name. */
@Injectable()
export class AdministratorDirectory {
  readonly #cache: LookupCache<AdministratorStanding>;

  constructor(
    private readonly database: Database,
    clock: Clock,
  ) {
    this.#cache = new LookupCache(clock, { ttlMs: STANDING_TTL_MS, limit: MOST_KEPT });
  }

  /** Undefined for one who was never there; a suspended one is found with their state. */
  async find(idOrName: string): Promise<AdministratorStanding | undefined> {
    return this.#cache.get(idOrName, () => this.load(idOrName));
  }

  private async load(idOrName: string): Promise<AdministratorStanding | undefined> {
    const column = isUuid(idOrName) ? 'id' : 'name';
    const [row] = await this.database.query<Omit<AdministratorStanding, 'roles'> & { roles: string[] }>(
      `SELECT id, name, roles, state FROM auth.administrators WHERE ${column} = $1`,
      [idOrName],
    );
    return row && { ...row, roles: new Set(row.roles) };
  }
}
