import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/index.js';
import { type Call, clientOf, Clock, Database, isUuid, ProblemError, PROBLEMS } from '../../platform/index.js';
import {
  clientTag,
  DiditVendor,
  type OperationName,
  OPERATIONS,
  ownAnswer,
  rightsOf,
  type VendorAnswer,
  type VendorRequest,
} from '../../vendors/index.js';
import { type OwnedKind, Ownership } from '../ownership/ownership.js';
import { recordOf } from '../vendor/asker.js';
import { UnlistedFields } from '../vendor/unlisted-fields.js';
import { UnknownStatuses } from '../vendor/unknown-statuses.js';
import { VendorCalls } from '../vendor/vendor-calls.js';

type Row = Record<string, unknown>;

/** Under which name the record tells of a thing at the vendor. */
const DETAIL: Readonly<Record<OwnedKind, string>> = { session: 'sessionId', transaction: 'transactionId' };

/** An answer in Didit's own format, as the client may see it. */
export interface DropInAnswer {
  status: number;
  headers: Record<string, string>;
  body: unknown;
}

/** What every drop-in operation has in common: intent before a change, the vendor's answer masked, its refusals handed on. */
@Injectable()
export class DropInCalls {
  constructor(
    private readonly vendor: DiditVendor,
    private readonly calls: VendorCalls,
    private readonly ownership: Ownership,
    private readonly auditLog: AuditLog,
    private readonly unlisted: UnlistedFields,
    private readonly statuses: UnknownStatuses,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** One vendor operation for a client. A change is intended durably before it is sent. @throws as `VendorCalls.call` */
  async forward(call: Call, operation: OperationName, request: VendorRequest): Promise<VendorAnswer> {
    if (OPERATIONS[operation].changes) {
      await this.auditLog.append({
        ...recordOf(call, 'call.intent', this.clock.now()),
        vendor: { name: 'didit', operation },
        detail: call.detail,
      });
    }
    return this.calls.call(call, operation, request);
  }

  /** @returns the id, when it is the client's own. @throws ProblemError `not-found` */
  async own(call: Call, id: string, kind: OwnedKind = 'session'): Promise<string> {
    if (!isUuid(id)) throw new ProblemError('not-found', { rule: 'ownership.malformed' });
    // The record names the route's template: which one it was about stands here.
    call.detail = { ...call.detail, [DETAIL[kind]]: id };
    await this.ownership.check(clientOf(call).id, kind, id);
    return id;
  }

  /** Makes the client the owner of what an answer names; nothing is told of it before that. */
  async claim(call: Call, answer: VendorAnswer, kind: OwnedKind, member: string): Promise<void> {
    if (answer.code !== undefined) return;
    const ref = String((answer.body as Record<string, unknown>)[member]).toLowerCase();
    call.detail = { ...call.detail, [DETAIL[kind]]: ref };
    await this.database.transaction((tx) => this.ownership.claim(tx, clientOf(call).id, kind, ref));
  }

  /** Rows of a list that are the client's own. @param marked whether a row bears the client's mark, whoever has noted it */
  async ownRows(
    call: Call,
    kind: OwnedKind,
    rows: readonly Row[],
    idOf: (row: Row) => string,
    marked: (row: Row) => boolean,
  ): Promise<Row[]> {
    const { id: clientId } = clientOf(call);
    const own = await this.ownership.ownOf(clientId, kind, rows.map(idOf));
    for (const row of rows.filter((candidate) => !own.has(idOf(candidate)) && marked(candidate))) {
      // Made for this client by a call that broke off before it could be noted.
      await this.database.transaction((tx) => this.ownership.claim(tx, clientId, kind, idOf(row)));
      own.add(idOf(row));
    }
    return rows.filter((row) => own.has(idOf(row)));
  }

  /** Didit's answer for this client's eyes, or for less of them. */
  masked(call: Call, answer: VendorAnswer, without: { media?: false } = {}): DropInAnswer {
    if (answer.code !== undefined) return refused(this.vendor, answer, answer.code);
    const client = clientOf(call);
    this.statuses.look(answer.operation, answer.body);
    const own = ownAnswer(clientTag(client.id), answer.operation, answer.body);
    const { value, unlisted } = this.vendor.masks.answer(answer.operation, own, {
      ...rightsOf(client.scopes),
      ...without,
    });
    this.unlisted.tell(answer.operation, unlisted);
    return { status: answer.status, headers: {}, body: value };
  }
}

/** What the vendor refused the caller keeps status and body and gains our code; a body that may not be shown gives way to ours. */
function refused(vendor: DiditVendor, answer: VendorAnswer, code: NonNullable<VendorAnswer['code']>): DropInAnswer {
  const { value } = vendor.masks.error(answer.body);
  return {
    status: answer.status,
    headers: { 'gatehouse-code': code },
    body: value ?? { detail: PROBLEMS[code].detail },
  };
}
