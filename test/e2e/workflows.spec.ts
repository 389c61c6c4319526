import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, startSystem, type System, until } from '../support/system.js';
import { verify } from '../support/verify.js';

const JPEG = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(200_000, 7)]);

interface Verification {
  id: string;
  status: string;
  url: string | null;
  vendor: { sessionId: string | null };
  steps: { name: string; status: string; rung: string }[];
  uploads?: { name: string; maxBytes: number; required: boolean; received: boolean }[];
  result: { status: string; idVerifications: Record<string, unknown>[]; amlScreenings: unknown[] } | null;
}
interface Problem {
  code: string;
  errors?: { pointer: string; message: string }[];
}

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.stop());

async function create(reference = `flow-${randomUUID()}`): Promise<Verification> {
  const answer = await system.v1<Verification>('/v1/verifications', {
    body: { workflow: 'onboarding-api', subject: { reference, relationship: 'prospect' } },
  });
  expect(answer.status).toBe(201);
  return answer.body;
}

const put = (id: string, name: string, body: Buffer = JPEG, type = 'image/jpeg') =>
  system.v1<Verification & Problem>(`/v1/verifications/${id}/uploads/${name}`, {
    method: 'PUT',
    body,
    headers: { 'content-type': type },
  });

async function started(): Promise<string> {
  const { id } = await create();
  expect((await put(id, 'document-front')).status).toBe(200);
  const last = await put(id, 'selfie');
  expect([last.status, last.body.status]).toEqual([200, 'in-progress']);
  return id;
}

const read = async (id: string): Promise<Verification> =>
  (await system.v1<Verification>(`/v1/verifications/${id}`)).body;
const ended = (id: string, status: string, withinMs = 30_000) =>
  until(async () => {
    const view = await read(id);
    return view.status === status ? view : undefined;
  }, withinMs);
const statuses = ({ steps }: Verification) => steps.map(({ name, status }) => `${name} ${status}`);
/** How often each check of a verification was received: its id stands in what the vendor is told of it. */
async function received(id: string): Promise<Record<string, number>> {
  const { body } = await system.sandbox<{ items: { operation: string; vendorData: string | null }[] }>('ledger');
  const counts: Record<string, number> = {};
  for (const { operation, vendorData } of body.items)
    if (vendorData?.includes(id) === true) counts[operation] = (counts[operation] ?? 0) + 1;
  return counts;
}

describe('onboarding-api', () => {
  it('runs the four checks from what its caller uploads', async () => {
    const made = await create();
    expect(made).toMatchObject({ status: 'pending', url: null, vendor: { sessionId: null } });
    expect(made.uploads?.map(({ name, required }) => `${name} ${required}`)).toEqual([
      'document-front true',
      'document-back false',
      'selfie true',
    ]);
    await put(made.id, 'document-front');
    expect((await put(made.id, 'selfie')).headers['gatehouse-record']).toMatch(/^[0-9a-f-]{36}$/);
    const view = await ended(made.id, 'approved');
    expect(statuses(view)).toEqual([
      'id-verification passed',
      'passive-liveness passed',
      'face-match passed',
      'aml-screening passed',
    ]);
    expect(view.result?.status).toBe('Approved');
    expect(Object.keys(view.result?.idVerifications[0] ?? {})).toContain('documentNumber');
    expect(Object.keys(view.result?.idVerifications[0] ?? {})).not.toContain('firstName');
    expect(Object.values(await received(made.id))).toEqual([1, 1, 1, 1]);
    const foreign = await system.v1(`/v1/verifications/${made.id}`, {}, system.credentials.otherClient);
    expect(foreign.status).toBe(404);
  });

  it('stops at the check that declines: the later ones are skipped and never sent', async () => {
    await system.sandbox('configure', { body: { standaloneScenario: 'spoof' } });
    try {
      const id = await started();
      const view = await ended(id, 'declined');
      expect(view.steps.map(({ status }) => status)).toEqual(['passed', 'failed', 'skipped', 'skipped']);
      expect(Object.values(await received(id))).toEqual([1, 1]);
    } finally {
      await system.sandbox('configure', { body: { standaloneScenario: 'clean' } });
    }
  });

  it('takes only the pictures it wants, as they are', async () => {
    const { id } = await create();
    const refusal = async (answer: Promise<Answer<Problem>>) => {
      const { status, body } = await answer;
      return [status, body.code];
    };
    expect(await refusal(put(id, 'selfie', Buffer.from('{}'), 'application/json'))).toEqual([
      415,
      'unsupported-media-type',
    ]);
    expect(await refusal(put(id, 'selfie', Buffer.from('no picture'), 'image/png'))).toEqual([
      415,
      'unsupported-media-type',
    ]);
    expect(await refusal(put(id, 'selfie', Buffer.alloc(5_242_881, JPEG)))).toEqual([413, 'body-too-large']);
    expect(await refusal(put(id, 'passport'))).toEqual([404, 'not-found']);
    expect(
      await refusal(system.v1('/v1/verifications', { body: JPEG, headers: { 'content-type': 'image/jpeg' } })),
    ).toEqual([415, 'unsupported-media-type']);
    const other = await system.v1<Problem>(
      `/v1/verifications/${id}/uploads/selfie`,
      { method: 'PUT', body: JPEG, headers: { 'content-type': 'image/jpeg' } },
      system.credentials.otherClient,
    );
    expect(other.status).toBe(404);
  });
});

describe('workflows as data', () => {
  const screening = {
    name: 'screening',
    operation: 'aml',
    input: { full_name: { join: [{ expected: 'firstName' }, { expected: 'lastName' }], with: ' ' } },
  };
  const flow = (more: object = {}) => ({
    steps: [screening],
    outcome: [{ when: { step: 'screening', is: 'passed' }, is: 'approved' }, { is: 'in-review' }],
    ...more,
  });
  const post = (name: string, definition: object) =>
    system.admin<Record<string, unknown> & Problem>('/workflows', { body: { name, definition } });

  it('are refused with a pointer when they are not sound', async () => {
    const cycle = await post('mine', flow({ steps: [{ ...screening, after: ['screening'] }] }));
    expect([cycle.status, cycle.body.code, cycle.body.errors?.[0]?.pointer]).toEqual([
      400,
      'invalid-request',
      '/definition/steps/0/after',
    ]);
    const unknown = await post('mine', flow({ steps: [{ ...screening, operation: 'tea' }] }));
    expect(unknown.body.errors).toContainEqual({
      pointer: '/definition/steps/0/operation',
      message: 'is no operation that a step can use',
    });
    const form = await post('mine', flow({ outcome: [{ is: 'maybe' }] }));
    expect(form.body.errors?.[0]?.pointer).toBe('/definition/outcome/0/is');
  });

  it('go from draft to published to retired, each act with its record, and what runs stays on its version', async () => {
    const made = await post('screen', flow());
    expect([made.status, made.body['version'], made.body['state'], made.headers['etag']]).toEqual([
      201,
      1,
      'draft',
      '"1"',
    ]);
    const path = '/workflows/screen/versions/1';
    const body = { definition: flow({ title: 'Screening alone' }) };
    expect((await system.admin(path, { method: 'PUT', body })).status).toBe(400);
    const changed = await system.admin(path, { method: 'PUT', body, headers: { 'if-match': '"1"' } });
    expect([changed.status, changed.headers['etag']]).toEqual([200, '"2"']);
    const stale = await system.admin<Problem>(`${path}/publish`, { method: 'POST', headers: { 'if-match': '"1"' } });
    expect([stale.status, stale.body.code]).toEqual([409, 'version-conflict']);
    const bodyOf = {
      workflow: 'screen',
      subject: { reference: `s-${randomUUID()}`, relationship: 'customer' },
      expected: { firstName: 'Nuria', lastName: 'Prat' },
    };
    const early = await system.v1<Problem>('/v1/verifications', { body: bodyOf });
    expect([early.status, early.body.errors?.[0]?.pointer]).toEqual([400, '/workflow']);
    const published = await system.admin(`${path}/publish`, { method: 'POST', headers: { 'if-match': '"2"' } });
    expect(published.body).toMatchObject({ state: 'published' });
    // Nothing is to be uploaded: it runs at once.
    const run = await system.v1<Verification & { workflow: object }>('/v1/verifications', { body: bodyOf });
    expect(run.body).toMatchObject({ status: 'in-progress', workflow: { name: 'screen', version: 1 } });
    const second = await post('screen', flow({ title: 'Screening again' }));
    expect(second.body['version']).toBe(2);
    await system.admin('/workflows/screen/versions/2/publish', { method: 'POST', headers: { 'if-match': '"1"' } });
    const first = await system.admin(path);
    expect(first.body).toMatchObject({ state: 'retired' });
    expect((await ended(run.body.id, 'approved')) as unknown).toMatchObject({ workflow: { version: 1 } });
    const list = await system.admin<{ items: { name: string; version: number; state: string }[] }>(
      '/workflows?name=screen',
    );
    expect(list.body.items.map(({ version, state }) => `${version} ${state}`)).toEqual(['2 published', '1 retired']);
    const late = await system.admin<Problem>(path, {
      method: 'PUT',
      body,
      headers: { 'if-match': String(first.headers['etag']) },
    });
    expect([late.status, late.body.code]).toEqual([409, 'conflict']);
    const acts = await system.admin<{ items: { record: { detail: { act: string; workflow?: string } } }[] }>(
      '/audit/records?kind=admin.act&limit=100',
    );
    const told = acts.body.items.map(({ record }) => record.detail).filter(({ workflow }) => workflow === 'screen');
    expect(told.map(({ act }) => act).sort()).toEqual(
      [
        'workflow.drafted',
        'workflow.drafted',
        'workflow.changed',
        'workflow.published',
        'workflow.published',
        'workflow.superseded',
      ].sort(),
    );
  });

  it('are for operators', async () => {
    expect((await system.admin('/workflows', { scope: 'auditor' })).status).toBe(403);
  });
});

describe('kill -9 in the middle of runs', () => {
  it('loses none, does nothing twice, and the log verifies', async () => {
    await system.sandbox('faults', { body: { kind: 'slow', ms: 150, operations: ['passive-liveness', 'face-match'] } });
    const ids = await Promise.all(Array.from({ length: 8 }, () => started()));
    await until(async () => {
      const views = await Promise.all(ids.map((id) => read(id)));
      return views.some(({ steps }) => steps[1]?.status === 'passed');
    });
    await system.kill();
    system = await startSystem({ dataDir: system.dataDir, quiet: true });
    await system.sandbox('faults', { method: 'DELETE' });
    const views = await Promise.all(
      ids.map((id) =>
        until(async () => {
          const view = await read(id);
          return ['approved', 'in-review'].includes(view.status) ? view : undefined;
        }, 60_000),
      ),
    );
    for (const [at, view] of views.entries()) {
      const counts = await received(ids[at] ?? '');
      // What was under way when it died may have been done: a person looks, and it is not paid for twice.
      expect(Object.entries(counts).filter(([operation, n]) => n > 1 && operation !== 'aml')).toEqual([]);
      const doubtful = view.steps.filter(({ rung }) => rung === 'manual').length;
      expect(view.status).toBe(doubtful > 0 ? 'in-review' : 'approved');
    }
    expect(verify(system.dataDir)).toMatchObject({ ok: true, exit: 0 });
  }, 120_000);
});
