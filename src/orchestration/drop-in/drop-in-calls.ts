import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/index.js';
import { type Call, clientOf, Clock, isUuid, ProblemError, PROBLEMS } from '../../platform/index.js';
import {
  clientTag,
  DiditVendor,
  type OperationName,
  OPERATIONS,
  rightsOf,
  type VendorAnswer,
  type VendorRequest,
  withOwnVendorData,
} from '../../vendors/index.js';
import { Ownership } from '../ownership/ownership.js';
import { recordOf } from '../vendor/asker.js';
import { UnlistedFields } from '../vendor/unlisted-fields.js';
import { VendorCalls } from '../vendor/vendor-calls.js';

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

  /** @returns the id, when the session is the client's own. @throws ProblemError `not-found` */
  async own(call: Call, sessionId: string): Promise<string> {
    if (!isUuid(sessionId)) throw new ProblemError('not-found', { rule: 'ownership.malformed' });
    // The record names the route's template: which session it was about stands here.
    call.detail = { ...call.detail, sessionId };
    await this.ownership.check(clientOf(call).id, 'session', sessionId);
    return sessionId;
  }

  /** Didit's answer for this client's eyes, or for less of them. */
  masked(call: Call, answer: VendorAnswer, without: { media?: false } = {}): DropInAnswer {
    if (answer.code !== undefined) return refused(this.vendor, answer, answer.code);
    const client = clientOf(call);
    const own = withOwnVendorData(clientTag(client.id), answer.body);
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
