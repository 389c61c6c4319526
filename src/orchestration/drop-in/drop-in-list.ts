import { Inject, Injectable } from '@nestjs/common';
import { type Call, clientOf, ORIGINS, type Origins, ProblemError } from '../../platform/index.js';
import { clientTag, type OperationName, type VendorAnswer } from '../../vendors/index.js';
import { type DropInAnswer, DropInCalls } from './drop-in-calls.js';
import { type ListQuery, pageUrl, readListQuery, upstream } from './list-query.js';

const PAGE = 200;
const MOST_PAGES = 25;

type Json = Record<string, unknown>;

/** One of Didit's lists, and how a client's own rows are found in it. */
export interface OwnedList {
  operation: Extract<OperationName, `${string}.list`>;
  idOf: (row: Json) => string;
  ownOf: (rows: readonly Json[]) => Promise<Json[]>;
}

/** A list of Didit's as one client's: Didit lists what all clients have, and only the client's own is found, counted and shown. */
@Injectable()
export class DropInList {
  constructor(
    private readonly calls: DropInCalls,
    @Inject(ORIGINS) private readonly origins: Origins,
  ) {}

  /** @throws ProblemError `unprocessable` when too many rows would have to be looked through. */
  async list(call: Call, parameters: Readonly<Record<string, unknown>>, list: OwnedList): Promise<DropInAnswer> {
    const query = readListQuery(list.operation, parameters);
    const first = await this.ask(call, query, 0, PAGE);
    if (first.code !== undefined) return this.calls.masked(call, first);
    const own = await this.walk(call, query, first, list);
    const { limit, offset } = query;
    const body = {
      count: own.length,
      next: offset + limit < own.length ? pageUrl(this.origins.publicUrl, query, offset + limit) : null,
      previous: offset > 0 ? pageUrl(this.origins.publicUrl, query, Math.max(0, offset - limit)) : null,
      results: own.slice(offset, offset + limit),
    };
    return this.calls.masked(call, { ...first, body });
  }

  /** All own rows that match. Didit knows no filter for them but `vendor_data` of sessions, so that the whole list is walked. */
  private async walk(call: Call, query: ListQuery, first: VendorAnswer, list: OwnedList): Promise<Json[]> {
    const own = new Map<string, Json>();
    let page = first.body as Json;
    for (let pages = 1, offset = 0; ; pages += 1) {
      const rows = page['results'] as Json[];
      // Rows made meanwhile push others to the next page, where they come again.
      for (const row of await list.ownOf(rows)) own.set(list.idOf(row), row);
      if (page['next'] === null || page['next'] === undefined || rows.length === 0) break;
      if (pages === MOST_PAGES) throw tooMany(query);
      offset += rows.length;
      page = await this.nextPage(call, query, offset);
    }
    return [...own.values()];
  }

  private async nextPage(call: Call, query: ListQuery, offset: number): Promise<Json> {
    const answer = await this.ask(call, query, offset, PAGE);
    if (answer.code !== undefined) throw new ProblemError('vendor-invalid-answer', { rule: 'vendor.list' });
    return answer.body as Json;
  }

  private ask(call: Call, { operation, filters }: ListQuery, offset: number, limit: number): Promise<VendorAnswer> {
    const paging = { limit: String(limit), ...(offset > 0 ? { offset: String(offset) } : {}) };
    const query = { ...upstream(filters, clientTag(clientOf(call).id)), ...paging };
    return this.calls.forward(call, operation, { query });
  }
}

function tooMany({ operation }: ListQuery): ProblemError {
  const narrower = operation === 'session.list' ? ': narrow the list by vendor_data, status, date_from or date_to' : '';
  return new ProblemError('unprocessable', {
    detail: `More than ${PAGE * MOST_PAGES} rows would have to be looked through${narrower}.`,
    rule: 'list.too-long',
  });
}
