import { Injectable } from '@nestjs/common';
import { type Call, clientOf } from '../../platform/index.js';
import { clientTag, restored } from '../../vendors/index.js';
import { type DropInAnswer, DropInCalls } from './drop-in-calls.js';
import { DropInList } from './drop-in-list.js';

type Json = Record<string, unknown>;

const idOf = (row: Json) => String(row['session_id']).toLowerCase();

/** A client's own sessions, of persons and of businesses. */
@Injectable()
export class DropInSessionList {
  constructor(
    private readonly calls: DropInCalls,
    private readonly lists: DropInList,
  ) {}

  async list(call: Call, query: Readonly<Record<string, unknown>>): Promise<DropInAnswer> {
    return this.lists.list(call, query, { operation: 'session.list', idOf, ownOf: (rows) => this.ownOf(call, rows) });
  }

  private ownOf(call: Call, rows: readonly Json[]): Promise<Json[]> {
    const tag = clientTag(clientOf(call).id);
    return this.calls.ownRows(call, 'session', rows, idOf, (row) => restored(tag, row['vendor_data']) !== undefined);
  }
}
