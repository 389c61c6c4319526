import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Call } from '../../platform/index.js';
import { Erasures } from '../erasure/erasures.js';
import { openSpecHouse, REPLY, type SpecHouse } from '../testing/spec-house.js';
import type { CreateBody } from '../verifications/schemas.js';
import { VerificationsController } from '../verifications/verifications.controller.js';
import type { DecidedView, VerificationView } from '../verifications/verification-views.js';
import { RunWorker } from './run-worker.js';

const JPEG = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(2_000, 7)]);

describe('onboarding-api', () => {
  let house: SpecHouse;
  let controller: VerificationsController;
  let client: string;

  beforeAll(async () => {
    house = await openSpecHouse();
    controller = house.get(VerificationsController, { strict: false });
  });
  afterAll(() => house.stop());
  beforeEach(() => {
    client = randomUUID();
  });
  afterEach(() => {
    house.vendor.asked.length = 0;
    house.vendor.checks.clear();
    house.vendor.before = undefined;
  });

  async function create(more: Partial<CreateBody> = {}): Promise<VerificationView> {
    const body: CreateBody = {
      workflow: 'onboarding-api',
      subject: { reference: `cust-${randomUUID()}`, relationship: 'prospect' },
      ...more,
    };
    return controller.create(await house.write(client, randomUUID(), body), body, REPLY);
  }

  const upload = (id: string, name: string, bytes: Buffer = JPEG, type = 'image/jpeg') =>
    controller.upload(house.call(client), id, name, Readable.from([bytes], { objectMode: false }), type);
  const read = (id: string, scopes?: string[]): Promise<DecidedView> =>
    controller.read(house.call(client, scopes), id, REPLY);
  const statuses = ({ steps }: VerificationView) => steps.map(({ status }) => status);
  const decided = (id: string, status: string): Promise<DecidedView> =>
    vi.waitFor(
      async () => {
        const view = await read(id, ['verifications:read', 'pii:read']);
        expect(view.status).toBe(status);
        return view;
      },
      { timeout: 10_000, interval: 20 },
    );
  const started = async (more: Partial<CreateBody> = {}): Promise<string> => {
    const { id } = await create(more);
    await upload(id, 'document-front');
    await upload(id, 'selfie');
    return id;
  };
  const kept = async (): Promise<number> => {
    const [row] = await house.database.query<{ n: number }>(
      `SELECT count(*)::integer AS n FROM platform.vault WHERE purpose = 'upload' OR purpose LIKE 'step-report%'`,
    );
    return row?.n ?? 0;
  };
  const sent = () => house.vendor.asked.map(({ operation }) => operation);

  it('tells what it wants, and runs once the last needed picture is there', async () => {
    const made = await create();
    expect(made).toMatchObject({ status: 'pending', url: null, vendor: { name: 'didit', sessionId: null } });
    expect(made.uploads).toEqual([
      {
        name: 'document-front',
        mediaTypes: ['image/jpeg', 'image/png', 'image/webp'],
        maxBytes: 5_242_880,
        required: true,
        received: false,
      },
      expect.objectContaining({ name: 'document-back', maxBytes: 10_485_760, required: false }),
      expect.objectContaining({ name: 'selfie', required: true }),
    ]);
    const first = await upload(made.id, 'selfie');
    expect([first.status, first.uploads?.map(({ received }) => received)]).toEqual(['pending', [false, false, true]]);
    await upload(made.id, 'document-back', Buffer.from('%PDF-1.7 and more'), 'application/pdf');
    expect(sent()).toEqual([]);
    expect((await upload(made.id, 'document-front')).status).toBe('in-progress');
    const view = await decided(made.id, 'approved');
    expect(statuses(view)).toEqual(['passed', 'passed', 'passed', 'passed']);
    expect(sent()).toEqual(['id-verification', 'passive-liveness', 'face-match', 'aml']);
    // Out of the share of its client, and of nobody else's.
    for (const { request } of house.vendor.asked) expect(request).toMatchObject({ client, priority: 'interactive' });
    expect(view.result).toMatchObject({
      status: 'Approved',
      idVerifications: [{ status: 'Approved', firstName: 'Nuria' }],
      livenessChecks: [{ score: 95.5 }],
      faceMatches: [{ score: 88.25 }],
      amlScreenings: [{ totalHits: 0 }],
    });
    expect(JSON.stringify((await read(made.id)).result)).not.toContain('Nuria');
    expect(house.vendor.asked.at(-1)?.request).toMatchObject({
      body: { json: { full_name: 'Nuria Prat', date_of_birth: '1984-02-29', save_api_request: false } },
      headers: { 'idempotency-key': `${made.id}.aml-screening` },
    });
    expect(await kept()).toBe(0);
  });

  it('stops at the first decline and sends nothing more', async () => {
    house.vendor.checks.set('passive-liveness', 'Declined');
    const view = await decided(await started(), 'declined');
    expect(statuses(view)).toEqual(['passed', 'failed', 'skipped', 'skipped']);
    expect(sent()).toEqual(['id-verification', 'passive-liveness']);
    expect(view.result?.faceMatches).toEqual([]);
  });

  it('gives each transition its record, with the intent before and the completion after a step', async () => {
    const id = await started();
    await decided(id, 'approved');
    const records = await house.records(id);
    const moves = records
      .filter(({ kind }) => kind === 'verification.transition')
      .map(({ detail }) => detail as Record<string, string>);
    expect(moves.map(({ step, event }) => `${step ?? ''} ${event ?? ''}`).sort()).toEqual(
      [
        ' begun',
        ' run.started',
        ' run.approved',
        ...['id-verification', 'passive-liveness', 'face-match', 'aml-screening'].flatMap((name) => [
          `${name} sent`,
          `${name} answered.passed`,
        ]),
      ].sort(),
    );
    const intents = records.filter(({ kind }) => kind === 'vendor.intent');
    expect(intents).toHaveLength(4);
    const ids = new Set(records.map((record) => record['id']));
    expect(intents.every(({ call }) => ids.has(call))).toBe(true);
    expect(records.filter(({ kind }) => kind === 'upload.kept')).toHaveLength(2);
  });

  it('has a person look when it is not known whether a check was done, and sends that one no more', async () => {
    house.vendor.fail('face-match', { problem: 'vendor-timeout', outcome: 'unknown', after: true });
    const view = await decided(await started(), 'in-review');
    expect(statuses(view)).toEqual(['passed', 'passed', 'review', 'passed']);
    expect(view.steps[2]?.rung).toBe('manual');
    expect(house.vendor.count('face-match')).toBe(1);
  });

  it('tries again what was certainly not done, and a screening under the same key', async () => {
    house.vendor.fail('id-verification', { problem: 'vendor-unavailable', outcome: 'none' });
    house.vendor.fail('aml', { problem: 'vendor-timeout', outcome: 'unknown', after: true });
    const id = await started();
    const due = async () => {
      house.clock.advance(1_000);
      await house.get(RunWorker, { strict: false }).sweep();
      expect((await read(id)).status).toBe('approved');
    };
    await vi.waitFor(due, { timeout: 15_000, interval: 50 });
    expect(house.vendor.count('id-verification')).toBe(2);
    expect(house.vendor.count('aml')).toBe(2);
  });

  it('waits for a vendor that is away, and has a person look when it stays away', async () => {
    const down = { problem: 'vendor-unavailable', outcome: 'none' } as const;
    house.vendor.fail('id-verification', ...Array.from({ length: 1_000 }, () => down));
    const id = await started({ expected: { firstName: 'Nuria', lastName: 'Prat' } });
    const worker = house.get(RunWorker, { strict: false });
    const until = (ms: number, check: (view: DecidedView) => void) =>
      vi.waitFor(
        async () => {
          house.clock.advance(ms);
          await worker.sweep();
          check(await read(id));
        },
        { timeout: 15_000, interval: 50 },
      );
    await until(5_000, ({ steps }) => expect(steps[0]).toMatchObject({ status: 'waiting', rung: 'queued' }));
    expect((await read(id)).status).toBe('in-progress');
    await until(4 * 3_600_000, ({ status }) => expect(status).toBe('in-review'));
    house.vendor.fail('id-verification');
    expect((await read(id)).steps[0]).toMatchObject({ status: 'review', rung: 'manual' });
  });

  it('expires when its uploads never come', async () => {
    const { id } = await create();
    await upload(id, 'selfie');
    house.clock.advance(24 * 3_600_000);
    await vi.waitFor(
      async () => {
        await house.get(RunWorker, { strict: false }).sweep();
        expect((await read(id)).status).toBe('expired');
      },
      { timeout: 10_000, interval: 50 },
    );
    expect(await kept()).toBe(0);
    await expect(upload(id, 'document-front')).rejects.toMatchObject({ code: 'conflict' });
  });

  it('is called off until it is decided', async () => {
    const { id } = await create();
    await upload(id, 'selfie');
    const cancelled = await controller.cancel(await house.write(client, randomUUID(), {}), id);
    expect([cancelled.status, ...statuses(cancelled)]).toEqual([
      'cancelled',
      'skipped',
      'skipped',
      'skipped',
      'skipped',
    ]);
    expect(await kept()).toBe(0);
    const other = await started();
    await decided(other, 'approved');
    await expect(controller.cancel(await house.write(client, randomUUID(), {}), other)).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  it('drops the late answer of a step of a run that was called off', async () => {
    let cancelled: VerificationView | undefined;
    house.vendor.before = async (operation) => {
      if (operation !== 'passive-liveness') return;
      cancelled = await controller.cancel(await house.write(client, randomUUID(), {}), id);
    };
    const id = await started();
    await vi.waitFor(() => expect(cancelled?.status).toBe('cancelled'), { timeout: 5_000 });
    await vi.waitFor(async () => expect(await kept()).toBe(0));
    expect(sent()).toEqual(['id-verification', 'passive-liveness']);
    expect((await read(id)).status).toBe('cancelled');
  });

  it('refuses uploads that it does not want', async () => {
    const { id } = await create();
    await expect(upload(id, 'passport')).rejects.toMatchObject({ code: 'not-found' });
    await expect(upload(randomUUID(), 'selfie')).rejects.toMatchObject({ code: 'not-found' });
    await expect(upload(id, 'selfie', JPEG, 'application/pdf')).rejects.toMatchObject({
      code: 'unsupported-media-type',
    });
    await expect(upload(id, 'selfie', Buffer.from('GIF89a'))).rejects.toMatchObject({ code: 'unsupported-media-type' });
    const large = Buffer.concat([JPEG, Buffer.alloc(5_242_880)]);
    await expect(upload(id, 'selfie', large)).rejects.toMatchObject({ code: 'body-too-large' });
    await upload(id, 'selfie');
    await upload(id, 'selfie');
    await upload(id, 'document-front');
    await expect(upload(id, 'selfie')).rejects.toMatchObject({ code: 'conflict' });
    await decided(id, 'approved');
  });

  it('stops and forgets when the person is erased', async () => {
    const reference = `cust-${randomUUID()}`;
    const { id } = await create({ subject: { reference, relationship: 'customer' } });
    await upload(id, 'selfie');
    const admin = {
      ...house.call(client),
      caller: { kind: 'administrator', id: 'a', name: 'a', roles: new Set<string>() },
    };
    await house
      .get(Erasures, { strict: false })
      .erase(admin as Call, { client, reference, ground: 'request', reason: 'asked for' });
    expect((await read(id)).status).toBe('cancelled');
    expect(await kept()).toBe(0);
    await expect(upload(id, 'document-front')).rejects.toMatchObject({ code: 'conflict' });
  });

  it('knows no workflow that is not published', async () => {
    await expect(create({ workflow: 'tea' })).rejects.toMatchObject({
      code: 'invalid-request',
      errors: [{ pointer: '/workflow' }],
    });
  });
});
