import { createHmac, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openTestLog, type TestLog } from '../../../test/support/audit.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { ErasedSessions, type VerificationFollower } from '../../orchestration/index.js';
import {
  type Call,
  Jobs,
  Keyring,
  Lifecycle,
  loadConfig,
  Log,
  ManualClock,
  Outbox,
  uuidv7,
  Vault,
} from '../../platform/index.js';
import { Anonymous } from '../../policy/index.js';
import { Detours, DiditVendor } from '../../vendors/index.js';
import { Inbox } from './inbox.js';
import { webhooksEntities } from '../index.js';
import { WebhookReceiver } from './receiver.js';
import { WebhookWorker } from './webhook-worker.js';
import { WebhooksController } from './webhooks.controller.js';

const SECRETS = ['the secret of today', 'the secret of tomorrow'];
const config = loadConfig({
  DIDIT_BASE_URL: 'https://vendor.test',
  DIDIT_API_KEY: 'spec-key',
  DIDIT_WEBHOOK_SECRET: SECRETS.join(','),
});
const silent = new Log('silent');

let test: TestDatabase;
let log: TestLog;
let jobs: Jobs;
let inbox: Inbox;
let vault: Vault;
let controller: WebhooksController;
let worker: WebhookWorker;
let anonymous: Anonymous;
let clock: ManualClock;
/** What the vendor is asked, and how many follow the session that it is asked of. */
const followSession = vi.fn<VerificationFollower['followSession']>();

function assemble(webhookAddresses: string[] = []): void {
  const keyring = new Keyring(Buffer.alloc(32, 5));
  vault = new Vault(keyring, clock);
  inbox = new Inbox(test.database, vault, keyring, clock, new ErasedSessions());
  anonymous = new Anonymous(clock, { ...config.policy.rates, anonymous: { limit: 3, windowMs: 60_000 } }, () => {});
  const vendor = new DiditVendor(config, clock, keyring, new Detours());
  const outbox = new Outbox(test.database);
  const receiver = new WebhookReceiver(
    vendor,
    test.database,
    inbox,
    jobs,
    log.auditLog,
    outbox,
    anonymous,
    clock,
    silent,
    { ...config, vendors: { didit: { ...config.vendors.didit, webhookAddresses } } },
  );
  controller = new WebhooksController(receiver, log.callWriter, clock, silent);
  const follower = { followSession } as unknown as VerificationFollower;
  worker = new WebhookWorker(jobs, inbox, follower, test.database, outbox, clock, silent);
}

interface Sent {
  event?: object;
  headers?: Record<string, string>;
  secret?: string;
  /** Which of the two headers carries a valid signature. */
  signed?: 'raw' | 'simple' | 'none';
  age?: number;
}

const SESSION = '11111111-2222-4333-8444-555555555555';

function callWith(rawBody: Buffer | undefined): Call {
  return {
    id: uuidv7(),
    startedNs: clock.monotonic(),
    traceId: '0af7651916cd43dd8448eb211c80319c',
    address: '192.0.2.7',
    rawBody,
    at: clock.now(),
    method: 'POST',
    route: '/webhooks/didit',
    anonymous: true,
    recorded: false,
  } as unknown as Call;
}

async function post(sent: Sent = {}): Promise<{ call: Call; answer: unknown; body: Buffer }> {
  const { signed = 'raw', secret = SECRETS[0] ?? '', age = 0 } = sent;
  const timestamp = Math.floor(clock.epochMs() / 1_000) - age;
  const event = {
    event_id: randomUUID(),
    webhook_type: 'status.updated',
    timestamp,
    session_id: SESSION,
    status: 'Approved',
    vendor_data: 'Zoë Müller',
    ...sent.event,
  };
  const body = Buffer.from(JSON.stringify(event));
  const hmac = (text: string | Buffer): string => createHmac('sha256', secret).update(text).digest('hex');
  const simple = [timestamp, event.session_id, event.status, event.webhook_type].join(':');
  const headers = {
    'content-type': 'application/json',
    'x-timestamp': String(timestamp),
    ...(signed === 'raw' ? { 'x-signature': hmac(body) } : { 'x-signature': 'f'.repeat(64) }),
    ...(signed === 'simple' ? { 'x-signature-simple': hmac(simple) } : {}),
    ...sent.headers,
  };
  const call = callWith(body);
  return { call, answer: await controller.didit(call, headers), body };
}

const rows = () =>
  test.database.query<Record<string, unknown> & { raw: string; id: string }>(
    'SELECT * FROM webhooks.inbox ORDER BY id',
  );
const queued = async (): Promise<number> =>
  (
    await test.database.query<{ n: number }>(
      `SELECT count(*)::integer AS n FROM pgboss.job WHERE name = 'webhooks.follow' AND state = 'created'`,
    )
  )[0]?.n ?? 0;
const signals = (kind: string) =>
  test.database.query<{ detail: object }>('SELECT detail FROM platform.signals WHERE kind = $1', [kind]);

async function records(): Promise<Record<string, unknown>[]> {
  const found = await test.database.query<{ bytes: Buffer }>(
    'SELECT bytes FROM (SELECT id, bytes FROM audit.intake UNION SELECT id, bytes FROM audit.log) r ORDER BY id',
  );
  return found.map(({ bytes }) => JSON.parse(bytes.toString()) as Record<string, unknown>);
}

beforeAll(async () => {
  test = await startTestDatabase(webhooksEntities);
  log = await openTestLog(test.superuserUrl);
  jobs = new Jobs({ database: test.database, lifecycle: new Lifecycle(), log: silent, drainMs: 1_000 });
  await jobs.onApplicationBootstrap();
});

beforeEach(async () => {
  clock = new ManualClock();
  assemble();
  followSession.mockReset();
  followSession.mockResolvedValue({ followers: 1, moved: [], decision: {} });
  await test.database.query('DELETE FROM webhooks.inbox');
  await test.database.query('DELETE FROM platform.signals');
  await test.database.query('DELETE FROM pgboss.job');
});

afterAll(async () => {
  await jobs.beforeApplicationShutdown();
  await log.stop();
  await test.stop();
});

it('has an entity that says what the migration made', async () => {
  const { upQueries } = await test.database.source.driver.createSchemaBuilder().log();
  expect(upQueries.map(({ query }) => query)).toEqual([]);
});

describe('a webhook that is signed', () => {
  it.each(SECRETS)('is kept, sealed, with its record and its job, and answered (under %j)', async (secret) => {
    const { answer, body, call } = await post({ secret });
    expect(answer).toEqual({ received: true });
    const [row, ...others] = await rows();
    expect(others).toEqual([]);
    expect(row).toMatchObject({
      vendor: 'didit',
      verdict: 'trusted',
      reason: 'raw',
      state: 'new',
      session_id: SESSION,
    });
    expect(await vault.get(test.database.source.manager, row?.raw ?? '', 'webhook')).toEqual(body);
    expect(await queued()).toBe(1);
    expect(call.detail).toMatchObject({ webhook: row?.id, verdict: 'trusted', duplicate: false });
    const record = (await records()).at(-1);
    expect(record).toMatchObject({
      kind: 'webhook.received',
      call: call.id,
      detail: { webhook: row?.id, type: 'status.updated', session: SESSION, duplicate: false },
    });
    expect(JSON.stringify([record, row])).not.toContain('Zoë');
  });

  it('makes no second work of a duplicate, and records it', async () => {
    const event = { event_id: 'one-and-the-same' };
    await post({ event });
    const again = await post({ event });
    expect(again.answer).toEqual({ received: true });
    expect(again.call.detail).toMatchObject({ duplicate: true });
    expect(await rows()).toHaveLength(1);
    expect(await queued()).toBe(1);
    expect((await records()).at(-1)).toMatchObject({ kind: 'webhook.received', detail: { duplicate: true } });
  });

  it('is kept once, however many of it arrive at once', async () => {
    const event = { event_id: randomUUID() };
    await Promise.all(Array.from({ length: 8 }, () => post({ event })));
    expect(await rows()).toHaveLength(1);
    expect(await queued()).toBe(1);
  });

  it('is kept without work when it names no session, whatever its type', async () => {
    await post({ event: { webhook_type: 'something.new', session_id: undefined } });
    expect(await rows()).toMatchObject([{ state: 'kept', event_type: 'something.new', session_id: null }]);
    expect(await queued()).toBe(0);
  });

  it('is asked for when its time is stale or differs from the header’s', async () => {
    await post({ age: 301 });
    await post({ headers: { 'x-timestamp': String(Math.floor(clock.epochMs() / 1_000) + 1) } });
    expect(await rows()).toMatchObject([
      { verdict: 'ask', reason: 'stale', state: 'new' },
      { verdict: 'ask', reason: 'timestamp-mismatch', state: 'new' },
    ]);
    expect(await queued()).toBe(2);
  });

  it('is trusted when it comes again in time, though a stale one came before', async () => {
    const event = { event_id: randomUUID() };
    await post({ event, age: 301 });
    await post({ event });
    expect(await rows()).toMatchObject([{ verdict: 'ask' }, { verdict: 'trusted', state: 'new' }]);
    expect(await queued()).toBe(2);
  });
});

describe('a webhook with the simple signature alone', () => {
  it('is kept and asked for once, whatever else its body says', async () => {
    await post({ signed: 'simple', event: { event_id: 'first', decision: { forged: true } } });
    await post({ signed: 'simple', event: { event_id: 'second' } });
    expect(await rows()).toMatchObject([{ verdict: 'ask', reason: 'simple-only', state: 'new' }]);
    expect(await queued()).toBe(1);
  });
});

describe('a forged webhook', () => {
  it('is refused; nothing of it is kept but the signal', async () => {
    await expect(post({ signed: 'none' })).rejects.toMatchObject({
      code: 'unauthenticated',
      rule: 'webhook.signature',
    });
    expect(await rows()).toEqual([]);
    expect(await queued()).toBe(0);
    expect(await signals('webhook.forged')).toEqual([{ detail: { reason: 'no-match' } }]);
    expect((await records()).filter(({ kind }) => kind === 'webhook.received')).not.toContainEqual(
      expect.objectContaining({ detail: expect.objectContaining({ reason: 'no-match' }) }),
    );
  });

  it('is limited after a few, which a genuine one from the same address never is', async () => {
    for (let n = 0; n < 3; n += 1)
      await expect(post({ signed: 'none' })).rejects.toMatchObject({ code: 'unauthenticated' });
    await expect(post({ signed: 'none' })).rejects.toMatchObject({ code: 'rate-limited' });
    expect((await post()).answer).toEqual({ received: true });
  });
});

describe('what a sender calls its bytes', () => {
  it.each(['text/plain', 'application/vnd.api+json', ''])('does not matter to a genuine webhook: %j', async (type) => {
    const { answer } = await post({ headers: { 'content-type': type } });
    expect(answer).toEqual({ received: true });
  });

  it('does not help a forged one, nor one without any body', async () => {
    for (const body of [Buffer.from('not json'), Buffer.from('[1]'), undefined]) {
      const refusal = controller.didit(callWith(body), { 'x-signature': 'f'.repeat(64) });
      await expect(refusal).rejects.toMatchObject({ code: expect.stringMatching(/^(unauthenticated|rate-limited)$/) });
    }
  });
});

describe('a webhook that cannot be kept', () => {
  it('is refused with 503 after four seconds, and noted in the journal alone', async () => {
    const holder = test.database.source.createQueryRunner();
    await holder.startTransaction();
    await holder.query('LOCK TABLE webhooks.inbox IN ACCESS EXCLUSIVE MODE');
    const startedAt = performance.now();
    const refused = vi.spyOn(log.callWriter, 'refused');
    const refusal = post({});
    await expect(refusal).rejects.toMatchObject({ code: 'audit-unavailable', status: 503 });
    expect(performance.now() - startedAt).toBeGreaterThan(3_500);
    expect(performance.now() - startedAt).toBeLessThan(4_800);
    expect(refused).toHaveBeenCalledWith(
      expect.objectContaining({ recorded: true }),
      expect.objectContaining({ status: 503 }),
    );
    await holder.rollbackTransaction();
    await holder.release();
    // Nobody stopped the transaction: what it keeps in the end makes the repeat a duplicate.
    await vi.waitFor(async () => expect(await rows()).toHaveLength(1));
  });

  it('is refused with 503 at once when the transaction fails, and leaves nothing half-way', async () => {
    vi.spyOn(log.auditLog, 'appendAllIn').mockRejectedValueOnce(new Error('the log is away'));
    await expect(post()).rejects.toMatchObject({ code: 'audit-unavailable' });
    expect(await rows()).toEqual([]);
    expect(await queued()).toBe(0);
    expect((await post()).answer).toEqual({ received: true });
  });
});

describe('a webhook from an address that is not on the operator’s list', () => {
  it('is refused like a forged one, whoever signed it', async () => {
    assemble(['198.51.100.0/24']);
    await expect(post()).rejects.toMatchObject({ code: 'unauthenticated', reason: 'forged: address' });
    expect(await rows()).toEqual([]);
    assemble(['192.0.2.0/24', '127.0.0.1']);
    expect((await post()).answer).toEqual({ received: true });
  });
});

describe('the work on a webhook', () => {
  const jobOf = async (): Promise<{ data: Record<string, string> }> => {
    const [row] = await rows();
    return { data: { webhook: row?.id ?? '' } };
  };

  it('asks the vendor once and is done', async () => {
    await post();
    const job = await jobOf();
    await worker.follow(job);
    await worker.follow(job);
    expect(followSession).toHaveBeenCalledExactlyOnceWith(
      { job: 'webhooks.follow', priority: 'critical' },
      SESSION,
      'webhook',
    );
    expect(await rows()).toMatchObject([{ state: 'done' }]);
  });

  it('stays open while the vendor fails', async () => {
    await post();
    followSession.mockRejectedValueOnce(new Error('away'));
    await expect(worker.follow(await jobOf())).rejects.toThrow('away');
    expect(await rows()).toMatchObject([{ state: 'new' }]);
  });

  it('looks again for a session that nobody follows yet, and then leaves it kept', async () => {
    followSession.mockResolvedValue({ followers: 0, moved: [], decision: undefined });
    await post();
    const job = await jobOf();
    await worker.follow(job);
    expect(await rows()).toMatchObject([{ state: 'new', attempts: 1 }]);
    expect(await queued()).toBe(2);
    await worker.follow(job);
    await worker.follow(job);
    expect(await rows()).toMatchObject([{ state: 'unmatched' }]);
  });

  it('begins anew when the event comes again', async () => {
    followSession.mockResolvedValue({ followers: 0, moved: [], decision: undefined });
    const event = { event_id: randomUUID() };
    await post({ event });
    const job = await jobOf();
    for (let n = 0; n < 3; n += 1) await worker.follow(job);
    await test.database.query('DELETE FROM pgboss.job');
    await post({ event });
    expect(await rows()).toMatchObject([{ state: 'new', attempts: 0 }]);
    expect(await queued()).toBe(1);
  });

  it('gives up with a signal, unless it was done after all', async () => {
    await post();
    const job = await jobOf();
    await worker.giveUp(job);
    await worker.giveUp(job);
    expect(await rows()).toMatchObject([{ state: 'failed' }]);
    expect(await signals('webhook.failed')).toHaveLength(1);
  });

  it('is found by whichever instance works, as soon as it was kept', async () => {
    const other = new Jobs({ database: test.database, lifecycle: new Lifecycle(), log: silent, drainMs: 1_000 });
    const before = jobs;
    jobs = other;
    assemble();
    worker.onModuleInit();
    await other.onApplicationBootstrap();
    await post();
    await vi.waitFor(async () => expect(await rows()).toMatchObject([{ state: 'done' }]), {
      timeout: 3_000,
      interval: 20,
    });
    await other.beforeApplicationShutdown();
    jobs = before;
  });
});
