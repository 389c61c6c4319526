import { BlockList, isIP, isIPv6 } from 'node:net';
import { Injectable } from '@nestjs/common';
import { Clock, Database, isUuid } from '../platform/index.js';
import type { Factors, State } from './entities/client.entity.js';
import { LookupCache } from './lookup-cache.js';

/** How long a row of who may call is believed: a suspension or revocation bites within this. */
export const STANDING_TTL_MS = 900;
const MOST_KEPT = 10_000;

/** What a call needs to know of its client. */
export interface ClientStanding {
  id: string;
  name: string;
  state: State;
  scopes: ReadonlySet<string>;
  factors: Factors;
  /** Undefined when any address may call. */
  addresses: BlockList | undefined;
}

/** Columns of a client as `toStanding` reads them; `c` is auth.clients. */
export const STANDING_COLUMNS =
  'c.id AS client_id, c.name, c.state, c.scopes AS client_scopes, c.factors, c.addresses::text[] AS addresses';

export interface StandingRow {
  client_id: string;
  name: string;
  state: State;
  client_scopes: string[];
  factors: Factors;
  addresses: string[];
}

export function toStanding(row: StandingRow): ClientStanding {
  return {
    id: row.client_id,
    name: row.name,
    state: row.state,
    scopes: new Set(row.client_scopes),
    factors: row.factors,
    addresses: row.addresses.length === 0 ? undefined : blockList(row.addresses),
  };
}

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = '', bits] = range.split('/');
    const family = isIPv6(network) ? 'ipv6' : 'ipv4';
    list.addSubnet(network, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family);
  }
  return list;
}

/** Whether a call may come from this address; an address that is none is refused. */
export function mayCallFrom(standing: ClientStanding, address: string): boolean {
  if (standing.addresses === undefined) return true;
  const version = isIP(address);
  return version !== 0 && standing.addresses.check(address, version === 6 ? 'ipv6' : 'ipv4');
}

/** Clients by id or, for issuers that know no ids of ours, by name. */
@Injectable()
export class ClientDirectory {
  readonly #cache: LookupCache<ClientStanding>;

  constructor(
    private readonly database: Database,
    clock: Clock,
  ) {
    this.#cache = new LookupCache(clock, { ttlMs: STANDING_TTL_MS, limit: MOST_KEPT });
  }

  /** Undefined for a client that was never there; a suspended one is found with its state. */
  async find(idOrName: string): Promise<ClientStanding | undefined> {
    return this.#cache.get(idOrName, () => this.load(idOrName));
  }

  /** After a change made by this instance; the others learn of it within the time to live. */
  forget(): void {
    this.#cache.clear();
  }

  private async load(idOrName: string): Promise<ClientStanding | undefined> {
    const column = isUuid(idOrName) ? 'id' : 'name';
    const [row] = await this.database.query<StandingRow>(
      `SELECT ${STANDING_COLUMNS} FROM auth.clients c WHERE c.${column} = $1`,
      [idOrName],
    );
    return row && toStanding(row);
  }
}
