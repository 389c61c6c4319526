import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { aRecord, openTestLog, type TestLog } from '../../../test/support/audit.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { type Call, ManualClock, uuidv7 } from '../../platform/index.js';
import { type NewHold, newHoldSchema } from './hold-schemas.js';
import { LegalHolds } from './legal-holds.js';

const BY = '0190a7b2-3333-7000-8000-000000000001';

let test: TestDatabase;
let log: TestLog;
let holds: LegalHolds;
const clock = new ManualClock();

beforeAll(async () => {
  test = await startTestDatabase();
  log = await openTestLog(test.superuserUrl);
  holds = new LegalHolds(test.database, log.auditLog, clock);
});
afterAll(async () => {
  await log.stop();
  await test.stop();
});

const call = (): Call =>
  ({
    id: uuidv7(),
    traceId: '0af7651916cd43dd8448eb211c80319c',
    caller: { kind: 'administrator', id: BY, name: 'ana', roles: new Set(['security']), tokenId: 'tok' },
  }) as unknown as Call;

async function records(hold: string): Promise<Record<string, unknown>[]> {
  const rows = await test.database.query<{ bytes: Buffer }>(
    `SELECT bytes FROM audit.intake WHERE kind LIKE 'legal-hold.%' ORDER BY n`,
  );
  return rows
    .map(({ bytes }) => JSON.parse(bytes.toString()) as Record<string, unknown>)
    .filter(({ detail }) => (detail as { hold: string }).hold === hold);
}

const isHeld = (subject: string): Promise<boolean> =>
  test.database.transaction((tx) => holds.holdsSubject(tx, subject));

describe('a legal hold', () => {
  it('is placed and released once, each with its record, which says nothing of the reasons', async () => {
    const placed = await holds.place(call(), { scope: 'subject', value: 'p1', reason: 'Zoë sues us.' });
    expect(placed).toMatchObject({
      scope: 'subject',
      value: 'p1',
      reason: 'Zoë sues us.',
      placedBy: BY,
      releasedAt: null,
    });
    clock.advance(1_000);
    const released = await holds.release(call(), placed.id, 'Zoë settled.');
    expect(released).toEqual({
      ...placed,
      releasedBy: BY,
      releasedAt: clock.now().toISOString(),
      releaseReason: 'Zoë settled.',
    });
    const told = await records(placed.id);
    expect(told).toMatchObject([
      { kind: 'legal-hold.placed', subject: 'p1', actor: BY, credential: 'tok', detail: { scope: 'subject' } },
      { kind: 'legal-hold.released', subject: 'p1', actor: BY },
    ]);
    expect(JSON.stringify(told)).not.toContain('Zoë');
    await expect(holds.release(call(), placed.id, 'again')).rejects.toMatchObject({ code: 'conflict' });
    for (const id of [uuidv7(), 'x'])
      await expect(holds.release(call(), id, 'x')).rejects.toMatchObject({ code: 'not-found' });
    expect(await records(placed.id)).toHaveLength(2);
  });

  it('is not placed without its record', async () => {
    const before = await holds.list({ limit: 200 });
    vi.spyOn(log.auditLog, 'appendIn').mockRejectedValueOnce(new Error('the log is away'));
    await expect(holds.place(call(), { scope: 'all', reason: 'x' })).rejects.toThrow('the log is away');
    expect(await holds.list({ limit: 200 })).toEqual(before);
  });

  it('is listed, the newest first, a page at a time', async () => {
    const placed: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      clock.advance(1);
      placed.unshift((await holds.place(call(), { scope: 'client', value: `listed-${n}`, reason: 'x' })).id);
    }
    const first = await holds.list({ limit: 2 });
    const second = await holds.list({ limit: 2, cursor: first.nextCursor ?? '' });
    expect([...first.items, ...second.items].map(({ id }) => id).slice(0, 3)).toEqual(placed);
    await expect(holds.list({ limit: 2, cursor: 'x' })).rejects.toMatchObject({
      code: 'invalid-cursor',
      errors: [{ pointer: '/cursor' }],
    });
  });

  it.each<[what: string, body: object, pointer: string]>([
    ['no scope', { reason: 'x' }, '/scope'],
    ['another scope', { scope: 'world', reason: 'x' }, '/scope'],
    ['no value', { scope: 'subject', reason: 'x' }, '/value'],
    ['no reason', { scope: 'all' }, '/reason'],
    ['a blank reason', { scope: 'all', reason: ' \n' }, '/reason'],
    ['a period without bounds', { scope: 'period', reason: 'x' }, '/from'],
    [
      'a period that ends before',
      { scope: 'period', from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z', reason: 'x' },
      '/from',
    ],
    ['a value for all', { scope: 'all', value: 'x', reason: 'x' }, ''],
  ])('is refused with %s', (_what, body, pointer) => {
    const { error } = newHoldSchema.safeParse(body);
    expect(error?.issues.map(({ path }) => path.map((segment) => `/${String(segment)}`).join(''))).toContain(pointer);
  });
});

describe('a subject', () => {
  it('is held by what touches a record of it, numbered or not, until that is released', async () => {
    const [client, verification] = [uuidv7(), uuidv7()];
    const at = '2025-06-01T12:00:00.000Z';
    await log.auditLog.append(aRecord({ subject: 'held', client, verification, at }));
    await log.auditLog.append(aRecord({ subject: 'other', client: uuidv7(), verification: uuidv7() }));
    const scopes: NewHold[] = [
      { scope: 'subject', value: 'held', reason: 'x' },
      { scope: 'client', value: client, reason: 'x' },
      { scope: 'verification', value: verification, reason: 'x' },
      { scope: 'period', from: '2025-06-01T00:00:00Z', to: '2025-06-02T00:00:00Z', reason: 'x' },
      { scope: 'period', to: '2025-06-02T00:00:00Z', reason: 'x' },
    ];
    expect([await isHeld('held'), await isHeld('unknown')]).toEqual([false, false]);
    for (const scope of scopes) {
      const { id } = await holds.place(call(), scope);
      expect([scope, await isHeld('held'), await isHeld('other')]).toEqual([scope, true, false]);
      await holds.release(call(), id, 'x');
      expect(await isHeld('held')).toBe(false);
    }
    const { id } = await holds.place(call(), { scope: 'all', reason: 'x' });
    expect([await isHeld('held'), await isHeld('unknown')]).toEqual([true, true]);
    await holds.release(call(), id, 'x');
  });

  it('that was found free stays free until the transaction ends', async () => {
    const order: string[] = [];
    const { promise: found, resolve } = Promise.withResolvers<void>();
    const placing = (async () => {
      await found;
      await holds.place(call(), { scope: 'subject', value: 'erased', reason: 'x' });
      order.push('placed');
    })();
    await test.database.transaction(async (tx) => {
      expect(await holds.holdsSubject(tx, 'erased')).toBe(false);
      resolve();
      await vi.waitFor(async () => {
        const waiting = await test.database.query(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`);
        expect(waiting).toHaveLength(1);
      });
      order.push('erased');
    });
    await placing;
    expect(order).toEqual(['erased', 'placed']);
    expect(await isHeld('erased')).toBe(true);
  });
});
