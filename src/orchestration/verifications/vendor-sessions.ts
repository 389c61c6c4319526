import { Injectable } from '@nestjs/common';
import { type FieldError, isUuid, ProblemError } from '../../platform/index.js';
import { clientTag, DiditVendor, namespaced, sessionStatus, type VendorAnswer } from '../../vendors/index.js';
import { Ownership } from '../ownership/ownership.js';
import type { Asker } from '../vendor/asker.js';
import { VendorCalls } from '../vendor/vendor-calls.js';
import type { CreateBody } from './schemas.js';
import type { VerificationEntity } from './verification.entity.js';

type Json = Record<string, unknown>;
type Wanted = Pick<VerificationEntity, 'id' | 'clientId' | 'createdAt'>;

/** A session at the vendor that a verification can follow. */
export interface VendorSession {
  id: string;
  url: string | null;
  /** The vendor's own word. */
  status: string;
}

/** Didit's default; its decisions name the real end. */
export const SESSION_LIFE_MS = 7 * 86_400_000;
const MOST_FOUND = '20';
/** How far the vendor's clock may be behind ours. */
const CLOCK_SKEW_MS = 60_000;
const UNFINISHED = new Set(['pending', 'in-progress', 'resubmission']);

/** Where a member of the vendor's request comes from in ours. */
const POINTERS: ReadonlyMap<string, string> = new Map([
  ['vendor_data', '/subject/reference'],
  ['callback', '/callback'],
  ['language', '/language'],
  ['metadata', '/metadata'],
  ['expected_details', '/expected'],
  ['workflow_id', '/workflow'],
]);

/** Sessions of verifications at the vendor. */
@Injectable()
export class VendorSessions {
  constructor(
    private readonly vendor: DiditVendor,
    private readonly calls: VendorCalls,
    private readonly ownership: Ownership,
  ) {}

  /**
   * Asks for a session; an unfinished one of the same person is given out again by the vendor.
   * @throws VendorFailure, and ProblemError `unprocessable` when the vendor refuses the request itself.
   */
  async create(asker: Asker, wanted: Wanted, reference: string, body: CreateBody): Promise<VendorSession> {
    const json = {
      workflow_id: this.workflowId(),
      vendor_data: vendorData(wanted, reference),
      callback: body.callback,
      language: body.language,
      metadata: body.metadata,
      expected_details: body.expected && snakeCase(body.expected),
    };
    const answer = await this.calls.call(asker, 'session.create', { body: { json } });
    if (answer.code !== undefined) throw refusal(answer);
    const { session_id: id, url, status } = answer.body as Json;
    return { id: String(id).toLowerCase(), url: textOrNull(url), status: String(status) };
  }

  /**
   * Looks for the session that a create of unknown outcome may have made: an unfinished one, which the vendor would give out again, or one
   * that is younger than the verification and nobody's yet.
   */
  async find(asker: Asker, wanted: Wanted, reference: string): Promise<VendorSession | undefined> {
    const own = vendorData(wanted, reference);
    const answer = await this.calls.call(asker, 'session.list', {
      query: { vendor_data: own, workflow_id: this.workflowId(), limit: MOST_FOUND },
    });
    if (answer.code !== undefined) throw new ProblemError('vendor-invalid-answer', { rule: 'vendor.list' });
    const rows = ((answer.body as Json)['results'] as Json[]).filter((row) => row['vendor_data'] === own);
    for (const row of rows) {
      const session = {
        id: String(row['session_id']).toLowerCase(),
        url: textOrNull(row['session_url']),
        status: String(row['status']),
      };
      if (UNFINISHED.has(sessionStatus(session.status) ?? '')) return session;
      const madeSince = Date.parse(String(row['created_at'])) >= wanted.createdAt.getTime() - CLOCK_SKEW_MS;
      if (madeSince && (await this.ownership.ownerOf('session', session.id)) === undefined) return session;
    }
    return undefined;
  }

  /** What the vendor says of a session now; undefined when it knows none of that id. */
  async decision(asker: Asker, sessionId: string): Promise<unknown> {
    const answer = await this.calls.call(asker, 'session.decision', { params: { sessionId } });
    if (answer.code === undefined) return answer.body;
    if (answer.status === 404) return undefined;
    throw new ProblemError('vendor-invalid-answer', { rule: 'vendor.decision' });
  }

  private workflowId(): string {
    const { workflowId } = this.vendor;
    if (workflowId !== undefined && isUuid(workflowId)) return workflowId;
    throw new ProblemError('unprocessable', {
      detail: 'This workflow is not set up on this gateway.',
      rule: 'workflow.unset',
      reason: 'workflows.onboarding.workflowId (DIDIT_WORKFLOW_ID) names no workflow',
    });
  }
}

function vendorData(wanted: Wanted, reference: string): string {
  return namespaced(clientTag(wanted.clientId), reference, wanted.id);
}

/** The vendor's own texts may quote the person; which members it refused does not. */
function refusal(answer: VendorAnswer): ProblemError {
  const named = typeof answer.body === 'object' && answer.body !== null ? Object.keys(answer.body) : [];
  const errors: FieldError[] = named.flatMap((name) => {
    const pointer = POINTERS.get(name);
    return pointer === undefined ? [] : [{ pointer, message: 'was refused by the vendor' }];
  });
  return new ProblemError('unprocessable', {
    detail: 'The vendor does not take this verification.',
    rule: 'vendor.refused',
    reason: `the vendor answered ${answer.status}`,
    ...(errors.length > 0 ? { errors } : {}),
  });
}

function snakeCase(details: object): Json {
  return Object.fromEntries(
    Object.entries(details).map(([name, value]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  );
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
