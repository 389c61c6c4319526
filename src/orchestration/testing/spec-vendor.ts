import { randomUUID } from 'node:crypto';
import type { ProblemCode } from '../../platform/index.js';
import {
  type OperationName,
  type VendorAnswer,
  VendorFailure,
  type VendorOutcome,
  VendorRefusal,
  type VendorRequest,
} from '../../vendors/index.js';

type Json = Record<string, unknown>;

export interface SpecSession {
  session_id: string;
  session_url: string;
  status: string;
  vendor_data: string;
  workflow_id: string;
  created_at: string;
  modules: Json;
}

/** How the next call of an operation goes wrong: before the vendor does its work, or after. */
export interface Fault {
  problem: ProblemCode;
  outcome: VendorOutcome;
  after?: boolean;
  /** How often it was sent; 0 when it was not let out. */
  attempts?: number;
  /** It does its work later still, when `catchUp` is called. */
  late?: boolean;
}

const UNFINISHED = new Set(['Not Started', 'In Progress', 'Resubmitted', 'Awaiting User']);

const CHECKS: Partial<Record<OperationName, { member: string; report: Json }>> = {
  'id-verification': {
    member: 'id_verification',
    report: { first_name: 'Nuria', last_name: 'Prat', date_of_birth: '1984-02-29', document_number: 'X1234567' },
  },
  'passive-liveness': { member: 'liveness', report: { method: 'PASSIVE', score: 95.5 } },
  'face-match': { member: 'face_match', report: { score: 88.25 } },
  aml: { member: 'aml', report: { total_hits: 0, score: 0, hits: [] } },
};

/** A vendor in memory with Didit's habits: an unfinished session of the same person is given out again. */
export class SpecVendor {
  readonly sessions: SpecSession[] = [];
  readonly asked: { operation: OperationName; request: VendorRequest }[] = [];
  /** `vendor_data` of every create that it did, whether or not its answer arrived. */
  readonly done: string[] = [];
  readonly #late: (() => void)[] = [];
  /** Instant at which a session is made. */
  now: () => Date = () => new Date();
  /** Runs before the vendor does what it was asked. */
  before: ((operation: OperationName) => Promise<void>) | undefined;
  /** Whether answers come from equal calls under way. */
  collapsed = false;
  /** Status of the report of a standalone check; Approved unless it says another. */
  readonly checks = new Map<OperationName, string>();
  readonly #faults = new Map<OperationName, Fault[]>();
  readonly #answers = new Map<OperationName, { status: number; code: ProblemCode; body: unknown }[]>();

  fail(operation: OperationName, ...faults: Fault[]): void {
    this.#faults.set(operation, faults);
  }

  refuse(operation: OperationName, status: number, code: ProblemCode, body: unknown): void {
    this.#answers.set(operation, [{ status, code, body }]);
  }

  count(operation: OperationName): number {
    return this.asked.filter((call) => call.operation === operation).length;
  }

  session(id: string | null): SpecSession {
    const session = this.sessions.find((candidate) => candidate.session_id === id);
    if (!session) throw new Error('no such session');
    return session;
  }

  async call(operation: OperationName, request: VendorRequest = {}): Promise<VendorAnswer> {
    this.asked.push({ operation, request });
    await this.before?.(operation);
    const fault = this.#faults.get(operation)?.shift();
    if (fault?.late === true) this.#late.push(() => void this.answer(operation, request));
    if (fault && fault.after !== true) throw failure(fault);
    const refusal = this.#answers.get(operation)?.shift();
    const answer = refusal ?? this.answer(operation, request);
    if (fault) throw failure(fault);
    const shared = this.collapsed ? { attempts: 0, collapsed: true } : { attempts: 1 };
    return { operation, headers: {}, raw: Buffer.alloc(0), durationUs: 1_000, ...shared, ...answer };
  }

  /** Does what it had put off. */
  catchUp(): void {
    for (const work of this.#late.splice(0)) work();
  }

  private answer(operation: OperationName, request: VendorRequest): { status: number; body: unknown } {
    if (operation === 'session.create') return { status: 201, body: this.create(jsonOf(request)) };
    if (operation === 'session.list') return { status: 200, body: this.list(request) };
    if (operation === 'session.decision') return this.decision(request.params?.['sessionId'] ?? '');
    const check = CHECKS[operation];
    if (check === undefined) throw new Error(`the vendor of this spec does no ${operation}`);
    const report = { status: this.checks.get(operation) ?? 'Approved', warnings: [], ...check.report };
    return { status: 200, body: { request_id: randomUUID(), [check.member]: report } };
  }

  private create(wanted: Json): Json {
    this.done.push(String(wanted['vendor_data']));
    const reused = this.sessions.find(
      (session) => session.vendor_data === wanted['vendor_data'] && UNFINISHED.has(session.status),
    );
    const session = reused ?? this.add(String(wanted['vendor_data']), String(wanted['workflow_id']));
    return { ...session, modules: undefined, url: session.session_url, session_token: 'tok' };
  }

  private add(vendorData: string, workflowId: string): SpecSession {
    const id = randomUUID();
    const session = {
      session_id: id,
      session_url: `https://verify.vendor.test/session/${id.slice(0, 12)}`,
      status: 'Not Started',
      vendor_data: vendorData,
      workflow_id: workflowId,
      created_at: this.now().toISOString(),
      modules: {},
    };
    this.sessions.unshift(session);
    return session;
  }

  private list({ query = {} }: VendorRequest): Json {
    const wanted = [query['vendor_data'] ?? []].flat();
    const found = this.sessions.filter((session) => wanted.length === 0 || wanted.includes(session.vendor_data));
    const offset = Number(query['offset'] ?? 0);
    const end = offset + Number(query['limit'] ?? 50);
    return {
      count: found.length,
      next: end < found.length ? 'https://vendor.test/v3/sessions/?more' : null,
      previous: null,
      results: found.slice(offset, end).map((session) => ({ ...session, modules: undefined })),
    };
  }

  private decision(id: string): { status: number; body: unknown; code?: ProblemCode } {
    const session = this.sessions.find((candidate) => candidate.session_id === id);
    if (!session) return { status: 404, code: 'not-found', body: { detail: 'Not found.' } };
    const { modules, ...rest } = session;
    const none = { id_verifications: null, liveness_checks: null, face_matches: null, aml_screenings: null };
    return { status: 200, body: { ...rest, features: ['ID_VERIFICATION', 'AML'], ...none, ...modules } };
  }
}

function failure({ problem, outcome, attempts = 1 }: Fault): VendorFailure {
  if (attempts === 0) return new VendorRefusal(problem, 'spec', 7);
  return new VendorFailure(problem, { outcome, reason: 'spec', attempts });
}

function jsonOf(request: VendorRequest): Json {
  if (request.body === undefined || !('json' in request.body)) throw new Error('a JSON body was expected');
  return request.body.json as Json;
}
