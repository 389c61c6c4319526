import { Secret, SystemClock } from '../../../platform/index.js';
import { Detours } from '../detours.js';
import type { VendorAnswer } from '../answer.js';
import { DiditClient, type DiditClientOptions, type VendorRequest } from '../client.js';
import { ApiKeyCredential } from '../credential.js';
import { VendorFailure } from '../../failure.js';
import { type OperationName, OPERATIONS, type TimeoutClass } from '../operations.js';
import { Trip } from '../../resilience/passage.js';
import type { FakeVendor } from './fake-vendor.js';

export const SESSION = '0b6f6c1e-2f3a-4d55-9a55-3f0d0c1f7a10';
export const CREATED = {
  session_id: SESSION,
  status: 'Not Started',
  url: 'https://verify.vendor.test/session/3FaJ9wLqX2Mz',
  session_token: '3FaJ9wLqX2Mz',
};
export const DECISION = { session_id: SESSION, status: 'Approved', id_verifications: null, aml_screenings: [] };
export const params = { sessionId: SESSION };

/** One attempt that ended, as its sender saw it. */
interface Ended {
  operation: OperationName;
  status: number;
  attempts: number;
}

/** Milliseconds, the same for every class. */
export const TIMEOUTS = {
  read: 5_000,
  write: 5_000,
  check: 5_000,
  code: 5_000,
  document: 5_000,
  screening: 5_000,
  registry: 5_000,
};

export interface TestClient extends AsyncDisposable {
  client: { call(name: OperationName, request?: VendorRequest): Promise<VendorAnswer> };
  answers: Ended[];
  failures: (Ended & { problem: string; outcome: string })[];
}

export interface TestClientOptions extends Partial<DiditClientOptions> {
  keys?: string[];
  baseUrl?: string;
  timeouts?: Readonly<Record<TimeoutClass | 'connect', number>>;
}

/** A client of the fake vendor with short time-outs, without the pipeline; disposing it closes its connections. */
export function clientOf(
  vendor: FakeVendor,
  { keys, baseUrl, timeouts, ...options }: TestClientOptions = {},
): TestClient {
  const origin = baseUrl ?? vendor.baseUrl;
  const times = timeouts ?? { ...TIMEOUTS, connect: 2_000 };
  const client = new DiditClient({
    origins: [origin],
    hosts: [],
    caFile: vendor.caFile,
    credential: new ApiKeyCredential((keys ?? ['key-one']).map((key) => new Secret(key))),
    connectTimeoutMs: times.connect,
    connections: 4,
    clock: new SystemClock(),
    detours: new Detours(),
    ...options,
  });
  const test: TestClient = { client: { call }, answers: [], failures: [], [Symbol.asyncDispose]: () => client.close() };
  return test;

  async function call(name: OperationName, request: VendorRequest = {}): Promise<VendorAnswer> {
    const trip = new Trip();
    const sending = { origin, timeoutMs: times[OPERATIONS[name].timeout], signal: request.signal, trip };
    const startedMs = performance.now();
    try {
      const answer = await client.send(name, request, sending);
      test.answers.push({ operation: name, status: answer.status, attempts: trip.sent });
      return { ...answer, attempts: trip.sent, durationUs: Math.ceil((performance.now() - startedMs) * 1_000) };
    } catch (error) {
      if (error instanceof VendorFailure) {
        const { vendorStatus: status, problem, outcome } = error;
        test.failures.push({ operation: name, status, attempts: trip.sent, problem, outcome });
      }
      throw error;
    }
  }
}

/** The failure that a call ends with. @throws when it succeeds or fails otherwise. */
export async function failureOf(call: Promise<unknown>): Promise<VendorFailure> {
  const error: unknown = await call.then(
    () => new Error('the call did not fail'),
    (reason: unknown) => reason,
  );
  if (error instanceof VendorFailure) return error;
  throw error;
}
