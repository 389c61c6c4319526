import { Injectable } from '@nestjs/common';
import type { QueryConfig, QueryResultRow } from 'pg';
import { Database } from '../platform/index.js';
import type { Queries } from './checkpoints/log-store.js';

/** The pool of the house as a place of short statements; no connection is kept between two of them. */
@Injectable()
export class Pooled implements Queries {
  constructor(private readonly database: Database) {}

  rows<R extends QueryResultRow>({ text, values }: QueryConfig): Promise<R[]> {
    return this.database.query<R>(text, values);
  }
}
