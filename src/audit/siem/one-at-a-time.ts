import type { QueryConfig, QueryResultRow } from 'pg';
import type { Queries } from '../checkpoints/log-store.js';

/** Lines up statements of several users of one connection, which runs one at a time. */
export class OneAtATime implements Queries {
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly queries: Queries) {}

  rows<R extends QueryResultRow>(query: QueryConfig): Promise<R[]> {
    const rows = this.#last.then(() => this.queries.rows<R>(query));
    this.#last = rows.catch(() => undefined);
    return rows;
  }
}
