import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type CallOptions, startSystem, type System, until } from '../support/system.js';

interface DrillView {
  id: string;
  state: string;
  why: string | null;
  counts: { struck: number; failed: number; outside: number };
  reportDigest: string | null;
  signature: { by: string } | null;
}
interface Problem {
  code: string;
  errors?: { pointer: string }[];
}

const YAML = `
policy:
  rates: { client: 1000000/min, key: 1000000/min, address: 1000000/min, anonymous: 1000000/min }
drills: { approval: always, limits: { share: 0.2, calls: 500, duration: 2m } }
vendors: { didit: { timeouts: { read: 1s, write: 1s, connect: 500ms } } }
`;

describe('/admin/v1/drills', () => {
  let system: System;
  let second: string;
  beforeAll(async () => {
    system = await startSystem({ yaml: YAML });
    const { adminTokenUrl, secondAdmin } = system.credentials;
    const answer = await system.call<{ access_token: string }>(adminTokenUrl, {
      body: 'grant_type=client_credentials',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from(`${secondAdmin.clientId}:${secondAdmin.clientSecret}`).toString('base64')}`,
      },
    });
    second = answer.body.access_token;
  });
  afterAll(() => system?.stop());

  const act = <T = DrillView & Problem>(path: string, body?: object, scope = 'operator'): Promise<Answer<T>> =>
    system.admin<T>(`/drills${path}`, { method: 'POST', ...(body === undefined ? {} : { body }), scope });
  const asSecond = <T = DrillView & Problem>(path: string, options: CallOptions = {}): Promise<Answer<T>> =>
    system.call<T>(`${system.credentials.adminUrl}/admin/v1/drills${path}`, {
      method: 'POST',
      ...options,
      headers: { authorization: `Bearer ${second}`, ...options.headers },
    });
  const get = (id: string): Promise<Answer<DrillView>> =>
    system.admin<DrillView>(`/drills/${id}`, { scope: 'auditor' });
  const plan = (members: object = {}) => ({
    faults: [{ fault: { kind: 'refused' } }],
    scope: { clients: [system.credentials.clientId] },
    durationMs: 60_000,
    ...members,
  });
  const propose = async (members: object = {}): Promise<DrillView> => {
    const answer = await act('', {
      name: 'one-client-down',
      purpose: 'One client meets a dead vendor.',
      plan: plan(members),
    });
    expect(answer.status, answer.text).toBe(201);
    return answer.body;
  };
  const begun = async (members: object = {}): Promise<DrillView> => {
    const { id } = await propose(members);
    expect((await asSecond(`/${id}/approve`)).status).toBe(200);
    const started = await act(`/${id}/start`);
    expect(started.status, started.text).toBe(200);
    return started.body;
  };
  const list = (client?: System['credentials']['otherClient']) => system.didit('sessions/', {}, client);

  it('strikes the client of its scope, and no other, until the switch', async () => {
    const { id } = await begun();
    await until(async () => (await list()).status === 502 || (await list()).status === 503);
    expect((await list(system.credentials.otherClient)).status).toBe(200);
    expect((await get(id)).body.state).toBe('running');
    const from = performance.now();
    const stopped = await act<{ stopped: string[] }>('/stop', undefined, 'security');
    expect(stopped.body).toEqual({ stopped: [id] });
    await until(async () => (await list()).status === 200, 5_000);
    expect(performance.now() - from).toBeLessThan(2_000);
    const over = await get(id);
    expect(over.body).toMatchObject({ state: 'stopped', why: 'stopped' });
    expect(over.body.counts.struck).toBeGreaterThan(0);
  });

  it('does not start before another person has approved it', async () => {
    const { id } = await propose();
    expect(await act(`/${id}/start`)).toMatchObject({ status: 403, body: { code: 'approval-required' } });
    expect(await act(`/${id}/approve`)).toMatchObject({ status: 403, body: { code: 'approval-required' } });
    expect(await asSecond(`/${id}/approve`)).toMatchObject({ status: 200, body: { state: 'approved' } });
    expect(await act(`/${id}/stop`)).toMatchObject({ status: 200, body: { state: 'stopped' } });
    expect(await act(`/${id}/start`)).toMatchObject({ status: 409, body: { code: 'conflict' } });
  });

  it.each([
    ['/plan/scope/share', { scope: { share: 0.5 } }],
    ['/plan/durationMs', { durationMs: 3_600_000 }],
    ['/plan/mostCalls', { mostCalls: 501 }],
    ['/plan/faults/0/fault/kind', { faults: [{ fault: { kind: 'flood' } }] }],
    ['/plan/guards/0/above', { guards: [{ metric: 'outside-error-ratio', above: 3 }] }],
  ])('refuses a plan beyond the limits or the words, pointing at %s', async (pointer, members) => {
    const answer = await act('', { name: 'too-far', purpose: 'Refused.', plan: plan(members) });
    expect(answer.status).toBe(400);
    expect(answer.body.errors?.map((error) => error.pointer)).toContain(pointer);
  });

  it('ends by its time, and its report is signed by who did not run it', async () => {
    const { id } = await begun({ durationMs: 500, faults: [{ fault: { kind: 'errors', status: 503 } }] });
    const over = await until(async () => {
      const { body } = await get(id);
      return body.state === 'ended' && body;
    });
    const report = await system.admin<{ scenario: { name: string }; passed: boolean }>(`/drills/${id}/report`, {
      scope: 'auditor',
    });
    expect(report.body).toMatchObject({ scenario: { name: 'one-client-down' }, passed: true });
    const digest = createHash('sha256').update(report.text).digest('hex');
    expect(over.reportDigest).toBe(digest);
    const page = await system.admin(`/drills/${id}/report?format=html`, { scope: 'auditor' });
    expect(page.headers['content-type']).toContain('text/html');
    expect(page.text).not.toContain('<script');
    const body = { digest, verdict: 'accepted' };
    expect(await act(`/${id}/sign`, body, 'auditor')).toMatchObject({
      status: 403,
      body: { code: 'approval-required' },
    });
    expect((await asSecond(`/${id}/sign`, { body: { ...body, digest: '0'.repeat(64) } })).status).toBe(409);
    const signed = await asSecond(`/${id}/sign`, { body });
    expect(signed.status, signed.text).toBe(200);
    expect(signed.body.signature).toMatchObject({ verdict: 'accepted' });
    const kinds = await until(async () => {
      const { body: found } = await system.admin<{ items: { record: { kind: string; detail: { drill: string } } }[] }>(
        `/audit/records?limit=100&from=${new Date(Date.now() - 60_000).toISOString()}`,
      );
      const mine = found.items.filter(({ record }) => record.detail?.drill === id).map(({ record }) => record.kind);
      return mine.includes('drill.signed') && mine.toSorted();
    });
    expect(kinds).toEqual([
      'drill.approved',
      'drill.over',
      'drill.proposed',
      'drill.reported',
      'drill.signed',
      'drill.started',
    ]);
  });
});
