import { Inject, Injectable } from '@nestjs/common';
import { type Call, clientOf, Database, ORIGINS, type Origins, ProblemError } from '../../platform/index.js';
import { clientTag, restored, type VendorAnswer } from '../../vendors/index.js';
import { Ownership } from '../ownership/ownership.js';
import { type DropInAnswer, DropInCalls } from './drop-in-calls.js';
import { pageUrl, readListQuery, type SessionListQuery, upstream } from './list-query.js';

const PAGE = 200;
const MOST_PAGES = 25;

type Json = Record<string, unknown>;

interface Rows {
  own: Json[];
  count: number;
}

/** Didit's list of sessions as one client's: Didit lists those of all clients, and only the client's own are found, counted and shown. */
@Injectable()
export class DropInList {
  constructor(
    private readonly calls: DropInCalls,
    private readonly ownership: Ownership,
    private readonly database: Database,
    @Inject(ORIGINS) private readonly origins: Origins,
  ) {}

  /** @throws ProblemError `unprocessable` when too many sessions would have to be looked through. */
  async list(call: Call, parameters: Record<string, unknown>): Promise<DropInAnswer> {
    const query = readListQuery(parameters);
    const first = await this.ask(call, query, 0, PAGE);
    if (first.code !== undefined) return this.calls.masked(call, first);
    const { own, count } = await this.walk(call, query, first);
    const { limit, offset } = query;
    const body = {
      count,
      next: offset + limit < count ? pageUrl(this.origins.publicUrl, query, offset + limit) : null,
      previous: offset > 0 ? pageUrl(this.origins.publicUrl, query, Math.max(0, offset - limit)) : null,
      results: own.slice(offset, offset + limit),
    };
    return this.calls.masked(call, { ...first, body });
  }

  /** All own sessions that match. Didit knows no filter for them but `vendor_data`, so that the whole list is walked. */
  private async walk(call: Call, query: SessionListQuery, first: VendorAnswer): Promise<Rows> {
    const own = new Map<string, Json>();
    let page = first.body as Json;
    for (let pages = 1, offset = 0; ; pages += 1) {
      const rows = page['results'] as Json[];
      // Sessions made meanwhile push others to the next page, where they come again.
      for (const row of await this.ownOf(call, rows)) own.set(String(row['session_id']), row);
      if (page['next'] === null || page['next'] === undefined || rows.length === 0) break;
      if (pages === MOST_PAGES) throw tooMany();
      offset += rows.length;
      page = await this.nextPage(call, query, offset);
    }
    return { own: [...own.values()], count: own.size };
  }

  private async nextPage(call: Call, query: SessionListQuery, offset: number): Promise<Json> {
    const answer = await this.ask(call, query, offset, PAGE);
    if (answer.code !== undefined) throw new ProblemError('vendor-invalid-answer', { rule: 'vendor.list' });
    return answer.body as Json;
  }

  private ask(call: Call, { filters }: SessionListQuery, offset: number, limit: number): Promise<VendorAnswer> {
    const paging = { limit: String(limit), ...(offset > 0 ? { offset: String(offset) } : {}) };
    const query = { ...upstream(filters, clientTag(clientOf(call).id)), ...paging };
    return this.calls.forward(call, 'session.list', { query });
  }

  private async ownOf(call: Call, rows: readonly Json[]): Promise<Json[]> {
    const { id: clientId } = clientOf(call);
    const idOf = (row: Json) => String(row['session_id']).toLowerCase();
    const own = await this.ownership.ownOf(clientId, 'session', rows.map(idOf));
    const tag = clientTag(clientId);
    const lost = rows.filter((row) => !own.has(idOf(row)) && restored(tag, row['vendor_data']) !== undefined);
    for (const row of lost) {
      // Made for this client by a call that broke off before it could be noted.
      await this.database.transaction((tx) => this.ownership.claim(tx, clientId, 'session', idOf(row)));
      own.add(idOf(row));
    }
    return rows.filter((row) => own.has(idOf(row)));
  }
}

function tooMany(): ProblemError {
  return new ProblemError('unprocessable', {
    detail: `More than ${PAGE * MOST_PAGES} sessions would have to be looked through: narrow the list by vendor_data, status, date_from or date_to.`,
    rule: 'list.too-long',
  });
}
