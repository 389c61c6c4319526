import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AuditLog, type RecordInput } from '../../audit/index.js';
import { type Call, loadConfig, ManualClock, ProblemError, type Tx, uuidv7 } from '../../platform/index.js';
import { ApiKeys } from '../api-keys.js';
import { ClientDirectory } from '../client-directory.js';
import { type AuthHouse, openAuthHouse, openTestDatabase, type TestDatabase } from '../testing/auth-house.js';
import { tokenOf } from '../testing/callers.js';
import { ClientAdministration } from './client-administration.js';
import { ClientsAdminController } from './clients.admin.controller.js';
import {
  clientListSchema,
  type ClientPatch,
  clientPatchSchema,
  newClientSchema,
  newKeySchema,
} from './client-schemas.js';

const config = loadConfig({});
const clock = new ManualClock(new Date());

let db: TestDatabase;
let records: RecordInput[];
let house: AuthHouse;
let clients: ClientAdministration;
let call: Call;
let names = 0;

/** The real log, but for its batcher, which has no part in `appendIn`. */
class WatchedLog extends AuditLog {
  constructor() {
    super({} as never, { origin: 'spec.example/log', instance: 'spec' });
  }

  override async appendIn(tx: Tx, record: RecordInput): Promise<void> {
    const [row] = await tx.query<{ changing: boolean }[]>(
      'SELECT pg_current_xact_id_if_assigned() IS NOT NULL AS changing',
    );
    expect(row?.changing, 'the record is in the transaction of a change').toBe(true);
    await super.appendIn(tx, record);
    records.push(record);
  }
}

const caches = (): [ApiKeys, ClientDirectory] => [new ApiKeys(db.app, clock), new ClientDirectory(db.app, clock)];

beforeAll(async () => {
  db = await openTestDatabase();
  house = await openAuthHouse(db.app, { clock });
  clients = new ClientAdministration(db.app, new WatchedLog(), clock, ...caches(), config);
});

afterAll(async () => {
  await house?.stop();
  await db?.stop();
});

beforeEach(() => {
  records = [];
  const caller = {
    kind: 'administrator',
    id: randomUUID(),
    name: 'maria',
    roles: new Set(['security']),
    tokenId: 't-1',
  };
  call = { id: uuidv7(), traceId: 'a'.repeat(32), caller } as unknown as Call;
});

const fresh = (more: object = {}) =>
  newClientSchema.parse({ name: `desk-${++names}`, scopes: ['verifications:read'], ...more });

async function refusalOf(work: Promise<unknown>): Promise<ProblemError> {
  const error = await work.then(
    () => undefined,
    (refusal: unknown) => refusal,
  );
  if (!(error instanceof ProblemError)) throw new Error('was not refused', { cause: error });
  return error;
}

describe('a client', () => {
  it('is made with what it may do, by default with key and token on /v1 and the key on the drop-in', async () => {
    const made = await clients.create(call, fresh({ addresses: ['10.0.0.0/8', '192.0.2.1', '2001:db8::/32'] }));
    expect(made).toMatchObject({
      scopes: ['verifications:read'],
      factors: { data: ['key', 'token'], dropIn: ['key'] },
      state: 'active',
      addresses: ['10.0.0.0/8', '192.0.2.1/32', '2001:db8::/32'],
      version: 1,
    });
    expect(await clients.get(made.id)).toEqual({ ...made, keys: [], secrets: [] });
    expect(records).toMatchObject([
      { kind: 'admin.act', client: made.id, detail: { act: 'client.created', scopes: ['verifications:read'] } },
    ]);
  });

  it('has a name of its own', async () => {
    const first = fresh();
    await clients.create(call, first);
    expect((await refusalOf(clients.create(call, first))).code).toBe('conflict');
  });

  it('is refused networks with bits beyond their prefix', async () => {
    const refusal = await refusalOf(clients.create(call, fresh({ addresses: ['10.0.0.1/8'] })));
    expect(refusal).toMatchObject({ code: 'invalid-request', errors: [{ pointer: '/addresses' }] });
  });

  it('is changed member by member, with the record of before and after', async () => {
    const made = await clients.create(call, fresh());
    const changed = await clients.change(call, made.id, { factors: { dropIn: ['key', 'token'] } }, undefined);
    expect(changed).toMatchObject({
      name: made.name,
      factors: { data: ['key', 'token'], dropIn: ['key', 'token'] },
      version: 2,
    });
    const [, record] = records;
    expect(record).toMatchObject({
      detail: {
        act: 'client.changed',
        before: { factors: { dropIn: ['key'] } },
        after: { factors: { dropIn: ['key', 'token'] } },
      },
    });
  });

  it('that nobody names changes for nobody', async () => {
    expect((await refusalOf(clients.get(uuidv7()))).code).toBe('not-found');
    expect((await refusalOf(clients.get('1 OR true'))).code).toBe('not-found');
    expect((await refusalOf(clients.change(call, uuidv7(), { state: 'suspended' }, undefined))).code).toBe('not-found');
    expect(records).toEqual([]);
  });

  it('is not overwritten by one who saw an older version', async () => {
    const made = await clients.create(call, fresh());
    await clients.change(call, made.id, { scopes: [] }, 1);
    expect((await refusalOf(clients.change(call, made.id, { scopes: ['pii:read'] }, 1))).code).toBe('version-conflict');
    expect((await clients.get(made.id)).scopes).toEqual([]);
  });

  it('changed by two at once loses neither change', async () => {
    const made = await clients.create(call, fresh());
    const patches: ClientPatch[] = [{ scopes: ['pii:read'] }, { addresses: ['10.0.0.0/8'] }];
    await Promise.all(patches.map((patch) => clients.change(call, made.id, patch, undefined)));
    expect(await clients.get(made.id)).toMatchObject({ scopes: ['pii:read'], addresses: ['10.0.0.0/8'], version: 3 });
  });

  it('once revoked stays so', async () => {
    const made = await clients.create(call, fresh());
    await clients.change(call, made.id, { state: 'revoked' }, undefined);
    for (const work of [
      () => clients.change(call, made.id, { state: 'active' }, undefined),
      () => clients.addKey(call, made.id, {}),
      () => clients.addSecret(call, made.id),
    ]) {
      expect((await refusalOf(work())).code).toBe('conflict');
    }
  });

  it('does not change when its record cannot be written', async () => {
    const made = await clients.create(call, fresh());
    const broken = new ClientAdministration(
      db.app,
      { appendIn: () => Promise.reject(new ProblemError('audit-unavailable')) } as unknown as AuditLog,
      clock,
      ...caches(),
      config,
    );
    expect((await refusalOf(broken.change(call, made.id, { state: 'suspended' }, undefined))).code).toBe(
      'audit-unavailable',
    );
    expect((await refusalOf(broken.addKey(call, made.id, {}))).code).toBe('audit-unavailable');
    expect(await clients.get(made.id)).toMatchObject({ state: 'active', keys: [] });
  });

  it('is listed page by page', async () => {
    const made: string[] = [];
    for (let n = 0; n < 5; n += 1) made.push((await clients.create(call, fresh())).id);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await clients.list(clientListSchema.parse({ limit: '2', cursor }));
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.items.map((client) => client.id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.filter((id) => made.includes(id))).toEqual(made);
    expect((await refusalOf(clients.list({ limit: 2, cursor: 'bm9wZQ' }))).code).toBe('invalid-cursor');
  });
});

describe('the credentials of a client', () => {
  it('work as soon as they are made, several at once, until they are revoked', async () => {
    const made = await clients.create(call, fresh({ factors: { data: ['key'] } }));
    const [first, second] = [await clients.addKey(call, made.id, {}), await clients.addKey(call, made.id, {})];
    const enter = (apiKey: string) =>
      house.authenticator.authenticateClient({ address: '127.0.0.1' }, { 'x-api-key': apiKey }, 'v1');
    expect((await enter(first.apiKey)).id).toBe(made.id);
    expect((await enter(second.apiKey)).id).toBe(made.id);
    await clients.revokeKey(call, made.id, first.id);
    clock.advance(1_000);
    expect((await refusalOf(enter(first.apiKey))).rule).toBe('auth.key-revoked');
    expect((await enter(second.apiKey)).id).toBe(made.id);
  });

  it('are in no record and no later answer', async () => {
    const made = await clients.create(call, fresh());
    const key = await clients.addKey(call, made.id, {});
    const { secret } = await clients.addSecret(call, made.id);
    expect(await tokenOf(house.urls.public, { id: made.id, secret })).toMatch(/^ey/);
    const later = JSON.stringify([await clients.get(made.id), records]);
    expect(later).toContain(key.prefix);
    expect(later).not.toContain(key.apiKey.slice(12));
    expect(later).not.toContain(secret);
    expect(records.map((record) => record.detail?.['act'])).toEqual([
      'client.created',
      'client.key-added',
      'client.secret-added',
    ]);
  });

  it('carry no scope that the client has not', async () => {
    const made = await clients.create(call, fresh({ scopes: ['verifications:read', 'pii:read'] }));
    expect((await clients.addKey(call, made.id, { scopes: ['pii:read'] })).scopes).toEqual(['pii:read']);
    expect(await refusalOf(clients.addKey(call, made.id, { scopes: ['didit:delete'] }))).toMatchObject({
      code: 'invalid-request',
      errors: [{ pointer: '/scopes' }],
    });
  });

  it('expire when asked, within what the settings allow', async () => {
    const made = await clients.create(call, fresh());
    const in365Days = new Date(clock.epochMs() + 365 * 86_400_000);
    expect((await clients.addKey(call, made.id, {})).expiresAt).toEqual(in365Days);
    const soon = new Date(clock.epochMs() + 1_000).toISOString();
    expect((await clients.addKey(call, made.id, { expiresAt: soon })).expiresAt.toISOString()).toBe(soon);
    for (const expiresAt of [clock.now().toISOString(), new Date(in365Days.getTime() + 1).toISOString()]) {
      expect(await refusalOf(clients.addKey(call, made.id, { expiresAt }))).toMatchObject({
        errors: [{ pointer: '/expiresAt' }],
      });
    }
  });

  it('are bounded in number', async () => {
    const made = await clients.create(call, fresh());
    const keys: { id: string }[] = [];
    for (let n = 0; n < 10; n += 1) keys.push(await clients.addKey(call, made.id, {}));
    expect((await refusalOf(clients.addKey(call, made.id, {}))).code).toBe('conflict');
    await clients.revokeKey(call, made.id, keys[0]?.id ?? '');
    await clients.addKey(call, made.id, {});
  });

  it('of another client cannot be revoked by its path', async () => {
    const [one, other] = [await clients.create(call, fresh()), await clients.create(call, fresh())];
    const key = await clients.addKey(call, one.id, {});
    expect((await refusalOf(clients.revokeKey(call, other.id, key.id))).code).toBe('not-found');
    expect((await refusalOf(clients.revokeKey(call, one.id, uuidv7()))).code).toBe('not-found');
    expect((await clients.get(one.id)).keys).toMatchObject([{ revokedAt: null }]);
  });

  it('are revoked once, however often it is asked', async () => {
    const made = await clients.create(call, fresh());
    const key = await clients.addKey(call, made.id, {});
    await clients.revokeKey(call, made.id, key.id);
    await clients.revokeKey(call, made.id, key.id);
    const acts = records.filter((record) => record.detail?.['act'] === 'client.key-revoked');
    expect(acts).toHaveLength(1);
  });
});

describe('what the operations take', () => {
  it.each([
    {},
    { name: '' },
    { name: 'x'.repeat(65) },
    { name: randomUUID() },
    { name: 'a', scopes: ['everything'] },
    { name: 'a', scopes: ['pii:read', 'pii:read'] },
    { name: 'a', factors: { data: [] } },
    { name: 'a', factors: { data: ['certificate'] } },
    { name: 'a', addresses: ['example.com'] },
    { name: 'a', addresses: ['10.0.0.0/33'] },
    { name: 'a', state: 'active' },
    { name: 'a', admin: true },
  ])('is no client: %j', (body) => {
    expect(newClientSchema.safeParse(body).success).toBe(false);
  });

  it.each([{ state: 'deleted' }, { name: null }, { version: 7 }, { id: randomUUID() }, { createdAt: '2026-01-01' }])(
    'is no patch: %j',
    (body) => {
      expect(clientPatchSchema.safeParse(body).success).toBe(false);
    },
  );

  it('is a key without any body', () => {
    expect(newKeySchema.parse(undefined)).toEqual({});
  });
});

describe('the controller', () => {
  function reply() {
    const headers: Record<string, string> = {};
    return { headers, header: (name: string, value: string) => (headers[name] = value) };
  }

  it('answers with the version as ETag and takes it as If-Match', async () => {
    const controller = new ClientsAdminController(clients);
    const first = reply();
    const made = await controller.create(call, fresh(), first as never);
    expect(first.headers).toEqual({ etag: '"1"' });
    const second = reply();
    await controller.change(call, made.id, { state: 'suspended' }, '"1"', second as never);
    expect(second.headers).toEqual({ etag: '"2"' });
    const stale = controller.change(call, made.id, { state: 'active' }, '"1"', reply() as never);
    expect((await refusalOf(stale)).code).toBe('version-conflict');
    const unreadable = controller.change(call, made.id, { state: 'active' }, 'W/"1"', reply() as never);
    expect((await refusalOf(unreadable)).code).toBe('invalid-request');
  });

  it('shows a key and a secret once, as the contract names them', async () => {
    const controller = new ClientsAdminController(clients);
    const made = await clients.create(call, fresh());
    const key = await controller.addKey(call, made.id, {});
    expect(Object.keys(key).sort()).toEqual(['apiKey', 'expiresAt', 'id', 'prefix', 'scopes']);
    expect(key.apiKey.startsWith(key.prefix)).toBe(true);
    expect(await controller.addSecret(call, made.id)).toEqual({
      id: expect.any(String) as string,
      clientSecret: expect.stringMatching(/^ghs_/) as string,
    });
  });
});
