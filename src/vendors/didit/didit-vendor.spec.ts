import { createHmac } from 'node:crypto';
import { type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Clock, CONFIG, Keyring, loadConfig, ManualClock } from '../../platform/index.js';
import { Detours } from './detours.js';
import { DiditVendor } from './didit-vendor.js';
import { CREATED, DECISION, params } from './testing/client.js';
import { FakeVendor, json } from './testing/fake-vendor.js';
import { ALL } from './testing/masks.js';

@Module({})
class Surroundings {}

/** The adapter without what tells of it in the database. */
@Module({ providers: [Detours, DiditVendor] })
class Adapter {}

let fake: FakeVendor;
let app: INestApplicationContext | undefined;
const clock = new ManualClock('2026-03-31T15:40:00.000Z');
beforeAll(async () => {
  fake = await FakeVendor.start();
});
afterEach(async () => {
  await app?.close();
  app = undefined;
  fake.reset();
});
afterAll(() => fake.stop());

async function open(env: NodeJS.ProcessEnv): Promise<DiditVendor> {
  const providers = [
    { provide: CONFIG, useValue: loadConfig(env) },
    { provide: Keyring, useValue: new Keyring(Buffer.alloc(32, 1)) },
    { provide: Clock, useValue: clock },
  ];
  const exports = providers.map(({ provide }) => provide);
  const root = { module: Surroundings, global: true, imports: [Adapter], providers, exports };
  app = await NestFactory.createApplicationContext(root, { logger: false, abortOnError: false });
  return app.get(DiditVendor, { strict: false });
}

const settings = () => ({
  DIDIT_BASE_URL: fake.baseUrl,
  DIDIT_CA_FILE: fake.caFile,
  DIDIT_API_KEY: 'old,new',
  DIDIT_WEBHOOK_SECRET: 'first,second',
  DIDIT_WORKFLOW_ID: 'w-1',
});

describe('Didit, as the settings name it', () => {
  it('is called with its keys, and tells its observers of every call', async () => {
    const vendor = await open(settings());
    const told: string[] = [];
    vendor.observe({ onAnswer: ({ operation, status }) => told.push(`${operation} ${status}`) });
    vendor.observe({ onFailure: ({ operation, problem }) => told.push(`${operation} ${problem}`) });
    fake.handler = json(200, DECISION);
    expect((await vendor.call('session.decision', { params })).body).toEqual(DECISION);
    fake.handler = json(500, {});
    await expect(vendor.call('session.create', { body: { json: {} } })).rejects.toMatchObject({ code: 'vendor-error' });
    expect(told).toEqual(['session.decision 200', 'session.create vendor-error']);
    expect(fake.requests[0]?.headers['x-api-key']).toBe('old');
    expect(vendor.workflowId).toBe('w-1');
  });

  it('judges webhooks by its secrets and the clock', async () => {
    const vendor = await open(settings());
    const timestamp = clock.epochMs() / 1_000;
    const raw = Buffer.from(JSON.stringify({ timestamp, session_id: CREATED.session_id }));
    const signature = createHmac('sha256', 'second').update(raw).digest('hex');
    const headers = { timestamp: String(timestamp), signature };
    expect(vendor.judgeWebhook(raw, headers)).toMatchObject({ kind: 'trusted', secret: 1 });
    clock.advance(301_000);
    expect(vendor.judgeWebhook(raw, headers)).toMatchObject({ kind: 'ask', reason: 'stale' });
    expect(vendor.judgeWebhook(raw, { ...headers, signature: 'x' }).kind).toBe('forged');
  });

  it('gives keyed pseudonyms that are the same for the same value and place alone', async () => {
    const vendor = await open(settings());
    const tight = new DiditVendor(
      {
        ...loadConfig(settings()),
        policy: { ...loadConfig({}).policy, masks: { didit: { a: 'pseudonym', b: 'pseudonym' } } },
      },
      clock,
      new Keyring(Buffer.alloc(32, 1)),
      new Detours(),
    );
    const { value } = tight.masks.answer('session.decision', { a: 'Nuria', b: 'Nuria' }, ALL);
    const again = tight.masks.answer('session.decision', { a: 'Nuria' }, ALL).value;
    expect(value).toMatchObject(again as object);
    expect(value).toEqual({ a: expect.stringMatching(/^[0-9a-f]{32}$/), b: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(Reflect.get(Object(value), 'a')).not.toBe(Reflect.get(Object(value), 'b'));
    await tight.onApplicationShutdown();
    expect(vendor.masks.answer('session.decision', { a: 'Nuria' }, ALL).value).toEqual({ a: 'Nuria' });
  });

  it.each([
    ['DIDIT_BASE_URL', { DIDIT_BASE_URL: undefined }],
    ['DIDIT_BASE_URL', { DIDIT_BASE_URL: 'http://didit.test' }],
    ['DIDIT_API_KEY', { DIDIT_API_KEY: undefined }],
    ['DIDIT_CA_FILE', { DIDIT_CA_FILE: '/nowhere/ca.pem' }],
  ])('stops the start by naming %s', async (setting, change) => {
    await expect(open({ ...settings(), ...change })).rejects.toThrow(setting);
  });
});
