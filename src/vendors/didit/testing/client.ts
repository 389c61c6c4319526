import { Secret, SystemClock } from '../../../platform/index.js';
import { Detours } from '../detours.js';
import { DiditClient, type DiditClientOptions, type VendorFailureReport, type VendorCallReport } from '../client.js';
import { ApiKeyCredential } from '../credential.js';
import { VendorFailure } from '../failure.js';
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
  client: DiditClient;
  answers: VendorCallReport[];
  failures: VendorFailureReport[];
}

/** A client of the fake vendor with short time-outs; disposing it closes its connections. */
export function clientOf(
  vendor: FakeVendor,
  options: Partial<DiditClientOptions> & { keys?: string[] } = {},
): TestClient {
  const answers: VendorCallReport[] = [];
  const failures: VendorFailureReport[] = [];
  const client = new DiditClient({
    baseUrl: vendor.baseUrl,
    hosts: [],
    caFile: vendor.caFile,
    credential: new ApiKeyCredential((options.keys ?? ['key-one']).map((key) => new Secret(key))),
    timeouts: { ...TIMEOUTS, connect: 2_000 },
    connections: 4,
    clock: new SystemClock(),
    detours: new Detours(),
    observer: { onAnswer: (report) => answers.push(report), onFailure: (report) => failures.push(report) },
    ...options,
  });
  return { client, answers, failures, [Symbol.asyncDispose]: () => client.close() };
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
