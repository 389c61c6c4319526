import { Injectable } from '@nestjs/common';
import { type Call, clientOf, isUuid } from '../../platform/index.js';
import { clientTag, namespaced, restored, type VendorAnswer } from '../../vendors/index.js';
import { type DropInAnswer, DropInCalls } from './drop-in-calls.js';
import { DropInList } from './drop-in-list.js';
import type { DroppedIn } from './dropped-in.js';
import { jsonObject, ownVendorData, requiredText } from './request-body.js';

type Json = Record<string, unknown>;

/** Didit takes 128 characters, and the client's namespace is before them. */
const LONGEST_ID = 105;
const PARTIES = ['subject', 'counterparty'] as const;

/** Didit's monitoring of transactions: their ids and the references of those who take part are in the client's namespace. */
@Injectable()
export class DropInTransactions {
  constructor(
    private readonly calls: DropInCalls,
    private readonly lists: DropInList,
  ) {}

  /** The transaction is the client's before its id is told. */
  async create({ call, body }: DroppedIn): Promise<DropInAnswer> {
    const tag = clientTag(clientOf(call).id);
    const wanted = jsonObject(body);
    const id = requiredText(wanted, 'transaction_id', LONGEST_ID);
    const json: Json = { ...wanted, transaction_id: namespaced(tag, id, call.id) };
    for (const party of PARTIES) if (party in wanted) json[party] = ownParty(tag, wanted[party], party);
    const answer = await this.calls.forward(call, 'transaction.create', { body: { json } });
    await this.calls.claim(call, answer, 'transaction', 'uuid');
    await this.claimSession(call, answer);
    return this.calls.masked(call, answer);
  }

  async get({ call, params }: DroppedIn): Promise<DropInAnswer> {
    const transactionId = await this.calls.own(call, params['transactionId'] ?? '', 'transaction');
    const answer = await this.calls.forward(call, 'transaction.get', { params: { transactionId } });
    return this.calls.masked(call, answer);
  }

  async list({ call, query }: DroppedIn): Promise<DropInAnswer> {
    return this.lists.list(call, query, {
      operation: 'transaction.list',
      idOf,
      ownOf: (rows) => this.ownOf(call, rows),
    });
  }

  /** Where the customer has to be verified first, Didit has made a session for it. */
  private async claimSession(call: Call, answer: VendorAnswer): Promise<void> {
    if (answer.code !== undefined) return;
    const { action_required: action, remediation } = answer.body as Json;
    for (const opened of [action, remediation]) {
      const id = typeof opened === 'object' && opened !== null ? (opened as Json)['session_id'] : undefined;
      if (typeof id === 'string' && isUuid(id))
        await this.calls.claim(call, { ...answer, body: opened }, 'session', 'session_id');
    }
  }

  private ownOf(call: Call, rows: readonly Json[]): Promise<Json[]> {
    const tag = clientTag(clientOf(call).id);
    return this.calls.ownRows(call, 'transaction', rows, idOf, (row) => restored(tag, row['txn_id']) !== undefined);
  }
}

const idOf = (row: Json) => String(row['uuid']).toLowerCase();

/** Anything but an object is Didit's to refuse. */
function ownParty(tag: string, party: unknown, name: string): unknown {
  if (typeof party !== 'object' || party === null || Array.isArray(party)) return party;
  const written = ownVendorData((party as Json)['vendor_data'], `/${name}/vendor_data`);
  return written === undefined || written === '' ? party : { ...party, vendor_data: namespaced(tag, written, '') };
}
