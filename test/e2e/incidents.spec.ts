import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedSystem } from '../support/shared.js';
import { type Answer, type CallOptions, startSystem, type System, until } from '../support/system.js';

interface Incident {
  id: string;
  reference: string;
  state: string;
  title: string;
  openedBy: string;
  detectedAt: string;
  awareAt: string;
  facts: Record<string, unknown>;
  proposal: { major: boolean; at: string; explanation: unknown[] };
  decision: { major: boolean; by: string; at: string; reason: string } | null;
  clocks: { report: string; dueAt: string; conservative: boolean; state: string }[];
  measurements?: { failedCalls: number };
  version: number;
}
interface Page<T> {
  items: T[];
  nextCursor: string | null;
}
interface Problem {
  code: string;
  errors?: { pointer: string }[];
}

const HOUR = 3_600_000;

describe('/admin/v1/incidents', () => {
  const system = sharedSystem();

  const write = <T = Incident>(path: string, options: CallOptions): Promise<Answer<T>> =>
    system.admin<T>(`/incidents${path}`, { ...options, scope: 'incident-manager' });
  const read = <T = Incident>(path: string, scope = 'auditor'): Promise<Answer<T>> =>
    system.admin<T>(`/incidents${path}`, { scope });

  async function opened(members: object = {}): Promise<Incident> {
    const answer = await write('', {
      body: { title: `E2E ${randomUUID()}`, detectedAt: new Date().toISOString(), ...members },
    });
    expect(answer.status).toBe(201);
    expect(answer.headers['etag']).toBe('"1"');
    expect(answer.headers['location']).toBe(`/admin/v1/incidents/${answer.body.id}`);
    return answer.body;
  }

  const patch = (id: string, version: string | undefined, body: object): Promise<Answer<Incident & Problem>> =>
    write<Incident & Problem>(`/${id}`, {
      method: 'PATCH',
      body: JSON.stringify(body),
      headers: {
        'content-type': 'application/merge-patch+json',
        ...(version === undefined ? {} : { 'if-match': version }),
      },
    });

  const major = {
    critical: { cif: { value: true, provenance: 'entered' } },
    clients: {
      affected: { value: 2_000, provenance: 'measured', method: 'subjects with a failed call' },
      usingService: 9_000,
    },
    reputation: { media: true },
    entity: {
      home: 'FR',
      type: 'insurance_intermediary_reinsurance_intermediary_and_ancillary_insurance_intermediary',
    },
  };

  it('opens one, with its facts’ provenance, the proposal and the conservative clock', async () => {
    const detectedAt = new Date(Date.now() - 2 * HOUR).toISOString();
    const made = await opened({ detectedAt, facts: major, description: 'Logins fail.' });
    expect(made.reference).toMatch(/^INC-\d{4}-\d{4,}$/);
    expect(made).toMatchObject({
      state: 'assessing',
      detectedAt,
      awareAt: detectedAt,
      decision: null,
      version: 1,
      facts: {
        entity: { home: 'ES', type: 'credit_institution' },
        critical: { cif: { value: true, provenance: 'entered' } },
        clients: {
          affected: { value: 2_000, provenance: 'measured', method: 'subjects with a failed call' },
          usingService: { value: 9_000, provenance: 'entered' },
        },
      },
      proposal: { major: true, limb: '8(1)(b)' },
    });
    expect(made.openedBy).not.toBe('gateway');
    const due = Math.min(Date.parse(made.awareAt) + 24 * HOUR, Date.parse(made.proposal.at) + 4 * HOUR);
    expect(made.clocks).toMatchObject([
      { report: 'initial', conservative: true, state: 'running', dueAt: new Date(due).toISOString() },
    ]);
    const got = await read(`/${made.id}`);
    expect(got.headers['etag']).toBe('"1"');
    expect(got.body).toEqual(made);
    expect((await read(`/${made.id}/classification`)).body).toEqual(made.proposal);
    expect((await read<Page<unknown>>(`/${made.id}/clocks`)).body).toEqual({ items: made.clocks });
  });

  it('takes a merge patch of the version that was read', async () => {
    const made = await opened({ facts: major });
    const none = await patch(made.id, undefined, { title: 'x' });
    expect([none.status, none.body.code]).toEqual([400, 'invalid-request']);
    for (const tag of ['"2"', '*', 'W/"1"', '1']) {
      const other = await patch(made.id, tag, { title: 'x' });
      expect([tag, other.status, other.body.code]).toEqual([tag, 409, 'version-conflict']);
    }
    const patched = await patch(made.id, '"1"', {
      title: 'Renamed',
      facts: { reputation: null, clients: { affected: 7 } },
    });
    expect([patched.status, patched.headers['etag']]).toEqual([200, '"2"']);
    expect(patched.body).toMatchObject({ title: 'Renamed', version: 2, proposal: { major: false } });
    expect(patched.body.facts).not.toHaveProperty('reputation');
    const asJson = await write(`/${made.id}`, {
      method: 'PATCH',
      body: { description: null, facts: { clients: null } },
      headers: { 'if-match': '"2"' },
    });
    expect(asJson.status).toBe(200);
    expect(asJson.body.facts).not.toHaveProperty('clients');
    const wrong = await write<Problem>(`/${made.id}`, {
      method: 'PATCH',
      body: '{}',
      headers: { 'if-match': '"3"', 'content-type': 'application/vnd.api+json' },
    });
    expect([wrong.status, wrong.body.code]).toEqual([415, 'unsupported-media-type']);
    const bad = await patch(made.id, '"3"', { facts: { clients: { affected: 'many' } }, reference: 'INC-1' });
    expect([bad.status, bad.body.code]).toEqual([400, 'invalid-request']);
    expect(bad.body.errors?.map(({ pointer }) => pointer).sort()).toEqual(['/facts/clients/affected', '/reference']);
  });

  it('takes the decision of a named person, from which the clock runs', async () => {
    const made = await opened({ detectedAt: new Date(Date.now() - 3 * HOUR).toISOString() });
    const classifiedAt = new Date(Date.now() - HOUR).toISOString();
    const decide = (body: object, version?: string): Promise<Answer<Incident & Problem>> =>
      write<Incident & Problem>(`/${made.id}/classification`, {
        body,
        headers: version === undefined ? {} : { 'if-match': version },
      });
    expect((await decide({ major: true, reason: 'many customers' })).status).toBe(400);
    expect((await decide({ major: true }, '"1"')).body.errors).toMatchObject([{ pointer: '/reason' }]);
    const decided = await decide({ major: true, reason: 'many customers', classifiedAt }, '"1"');
    expect([decided.status, decided.headers['etag']]).toEqual([200, '"2"']);
    expect(decided.body).toMatchObject({
      state: 'major',
      decision: { major: true, at: classifiedAt, reason: 'many customers' },
      clocks: [
        {
          report: 'initial',
          conservative: false,
          limb: '5(1)(a) 4h limb',
          dueAt: new Date(Date.parse(classifiedAt) + 4 * HOUR).toISOString(),
        },
      ],
    });
    expect(decided.body.decision?.by).toBe(made.openedBy);
    expect((await decide({ major: true, reason: 'again' }, '"2"')).body.code).toBe('conflict');
    expect((await decide({ major: false, reason: 'it never was' }, '"2"')).body).toMatchObject({
      state: 'reclassified',
      clocks: [],
    });
    const timeline = await read<Page<{ what: string; by: string; recordId: string }>>(`/${made.id}/timeline`);
    expect(timeline.body.items.map(({ what, by }) => [what, by])).toEqual([
      ['opened', made.openedBy],
      ['classified', made.openedBy],
      ['classified', made.openedBy],
    ]);
    const { recordId } = timeline.body.items[1] ?? { recordId: '' };
    const record = await until(async () => {
      const found = await system.admin<{ record: object }>(`/audit/records/${recordId}`);
      return found.status === 200 && found.body.record;
    });
    expect(record).toMatchObject({
      kind: 'incident.act',
      detail: { act: 'classified', incident: made.id, major: true },
    });
    expect(JSON.stringify(record)).not.toContain('many customers');
  });

  it('lists the newest first, page by page', async () => {
    const mine = [await opened(), await opened(), await opened()].map(({ id }) => id);
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null && !mine.every((id) => seen.includes(id))) {
      const page: Answer<Page<Incident>> = await read<Page<Incident>>(
        `?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      expect(page.body.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.body.items.map(({ id }) => id));
      cursor = page.body.nextCursor;
    }
    expect(seen).toEqual([...seen].sort().reverse());
    expect(mine.every((id) => seen.includes(id))).toBe(true);
    const wrong = await read<Problem>('?cursor=nonsense');
    expect([wrong.status, wrong.body.code]).toEqual([400, 'invalid-cursor']);
    expect((await read<Problem>('?limit=0')).body.code).toBe('invalid-request');
  });

  it('is written by incident managers and read by auditors too', async () => {
    const made = await opened();
    const body = { title: 'x', detectedAt: new Date().toISOString() };
    const denied = await system.admin<Problem>('/incidents', { body, scope: 'auditor' });
    expect([denied.status, denied.body.code]).toEqual([403, 'forbidden-scope']);
    for (const scope of ['auditor', 'incident-manager']) expect((await read(`/${made.id}`, scope)).status).toBe(200);
    expect((await read(`/${made.id}`, 'operator')).status).toBe(403);
  });

  it('refuses what is wrong with pointers, and what is not there', async () => {
    const bad = await write<Problem>('', { body: { title: ' ', detectedAt: 'today', surprise: 1 } });
    expect(bad.body.errors?.map(({ pointer }) => pointer).sort()).toEqual(['/detectedAt', '/surprise', '/title']);
    const imprecise = await write<Problem>('', {
      body: `{"title":"x","detectedAt":"${new Date().toISOString()}","facts":{"costEur":1.0000000000000001}}`,
      headers: { 'content-type': 'application/json' },
    });
    expect(imprecise.body.errors).toMatchObject([{ pointer: '/facts/costEur' }]);
    for (const id of [randomUUID(), 'nonsense'])
      for (const tail of ['', '/classification', '/clocks', '/timeline'])
        expect((await read<Problem>(`/${id}${tail}`)).body.code).toBe('not-found');
  });
});

describe('an incident that the gateway opens by itself', () => {
  let system: System;

  beforeAll(async () => {
    system = await startSystem();
  });

  afterAll(() => system.stop());

  const open = async (): Promise<Incident[]> =>
    (await system.admin<Page<Incident>>('/incidents')).body.items.filter(({ openedBy }) => openedBy === 'gateway');

  const failing = async (times: number): Promise<void> => {
    for (let n = 0; n < times; n += 1) {
      const body = { workflow_id: system.credentials.diditWorkflowId, vendor_data: randomUUID() };
      expect((await system.didit('session/', { body })).status).toBeGreaterThanOrEqual(500);
    }
  };

  it('is there within a minute of five failures, once, and takes the further ones', async () => {
    await system.sandbox('faults', { body: { kind: 'error', status: 500 } });
    await failing(6);
    const [incident] = await until(async () => {
      const found = await open();
      return found.length > 0 && found;
    }, 60_000);
    expect(incident).toMatchObject({
      state: 'assessing',
      measurements: { failedCalls: 6 },
      clocks: [{ conservative: true }],
    });
    await failing(4);
    await until(async () => (await open())[0]?.measurements?.failedCalls === 10, 40_000);
    expect(await open()).toHaveLength(1);
  }, 110_000);
});
