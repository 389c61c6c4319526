import { hash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { aRecord, appConnection, openTestLog, type TestLog, withClient } from '../../../test/support/audit.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { startTsa, type Tsa, type TsaBehaviour } from '../../../test/support/tsa.js';
import { ManualClock, SystemClock } from '../../platform/index.js';
import type { Connection } from '../connection.js';
import { Anchorer } from './anchorer.js';
import { AnchorStore } from './anchor-store.js';
import { Authority } from './authority.js';
import { verifyAnchor } from './verify-anchor.js';

const NOTE = 'spec.example/log\n5\nAAAA\n\n— spec.example/log AAAA\n';

let tsa: Tsa;
let other: Tsa;
beforeAll(async () => {
  [tsa, other] = await Promise.all([startTsa(), startTsa()]);
});
afterAll(async () => {
  await tsa.stop();
  await other.stop();
});
beforeEach(() => {
  tsa.behave = {};
});

const authority = (over: Partial<ConstructorParameters<typeof Authority>[0]> = {}) =>
  new Authority({ url: tsa.url, roots: tsa.roots, clock: new SystemClock(), ...over });

describe('a time stamp', () => {
  it('is had, and verified again from the note, the token and the roots alone', async () => {
    const { token, genTime, authority: name } = await authority({ policy: '1.2.3.4.1' }).stamp(NOTE);
    expect(Math.abs(genTime.getTime() - Date.now())).toBeLessThan(5_000);
    expect(name).toBe('CN=Spec TSA, O=Spec');
    const roots = `${other.roots}\n${tsa.roots}`;
    expect(await verifyAnchor(NOTE, token, roots)).toEqual({ genTime, authority: name });
    await expect(verifyAnchor(`${NOTE} `, token, roots)).rejects.toThrow('of something else');
    await expect(verifyAnchor(NOTE, token, other.roots)).rejects.toThrow('does not chain to a trusted root');
    await expect(verifyAnchor(NOTE, token, '')).rejects.toThrow('no certificate');
    await expect(verifyAnchor(NOTE, token.subarray(0, -9), roots)).rejects.toThrow('no time-stamp token');
  });

  const bad: [string, TsaBehaviour, string][] = [
    ['of something else', { imprint: hash('sha256', 'another', 'buffer') }, 'of something else'],
    ['that answers another question', { nonce: 42 }, 'another question'],
    ['that answers no question', { nonce: 'none' }, 'another question'],
    ['whose signature is spoilt', { spoilt: true }, 'signature of the time stamp is not good'],
    ['of an expired certificate', { certificate: 'expired' }, 'does not chain'],
    ['of a certificate for anything', { certificate: 'without-purpose' }, 'time stamping alone'],
    ['of a certificate whose purpose is advice', { certificate: 'not-critical' }, 'time stamping alone'],
    ['that names another certificate', { misnamed: true }, 'does not name the certificate'],
    ['of another time', { genTime: new Date(Date.now() - 3_600_000) }, 'far from ours'],
    ['under another policy', { policy: '1.2.3.4.2' }, 'another policy'],
    ['that was refused', { rejects: true }, 'refused to stamp'],
    ['that is none', { garbage: true }, 'no TimeStampResp'],
    ['with an error of HTTP', { status: 500 }, 'did not answer'],
  ];
  for (const [what, behave, reason] of bad) {
    it(`is not taken: one ${what}`, async () => {
      tsa.behave = behave;
      await expect(authority({ policy: '1.2.3.4.1' }).stamp(NOTE)).rejects.toThrow(reason);
    });
  }

  it('is not taken of another CA', async () => {
    await expect(authority({ roots: other.roots }).stamp(NOTE)).rejects.toThrow('does not chain');
  });
});

describe('the stamping of the log', () => {
  let test: TestDatabase;
  let log: TestLog;
  const connections: Connection[] = [];
  beforeAll(async () => {
    test = await startTestDatabase();
    log = await openTestLog(test.superuserUrl, 'spec', true);
    log.start();
  });
  afterAll(async () => {
    for (const connection of connections) await connection.close();
    await log.stop();
    await test.stop();
  });

  const warn = vi.fn();
  beforeEach(() => {
    warn.mockClear();
    tsa.asked = 0;
  });
  function anchorer(everyMs = 0, clock = new ManualClock(new Date())): Anchorer {
    const connection = appConnection(test.superuserUrl);
    connections.push(connection);
    const store = new AnchorStore(connection);
    return new Anchorer({
      store,
      authority: authority(),
      auditLog: log.auditLog,
      clock,
      everyMs,
      log: { warn, info: () => undefined },
    });
  }
  const signed = async (): Promise<number> => {
    const [row] = await test.database.query<{ size: string | null }>('SELECT max(size) AS size FROM audit.checkpoint');
    return Number(row?.size);
  };
  /** The log has grown and is signed. */
  async function grow(): Promise<number> {
    const before = await signed();
    await log.auditLog.append(aRecord());
    await vi.waitFor(async () => expect(await signed()).toBeGreaterThan(before), { timeout: 10_000, interval: 100 });
    return signed();
  }
  const anchors = async () =>
    test.database.query<{ size: string; token: Buffer; note: string }>(
      'SELECT anchor.size, token, note FROM audit.anchor JOIN audit.checkpoint USING (size) ORDER BY size DESC',
    );

  it('keeps the stamp of the last checkpoint with its record', async () => {
    await grow();
    expect(await anchorer().round()).toBe(true);
    const [anchor] = await anchors();
    const { genTime } = await verifyAnchor(anchor!.note, anchor!.token, tsa.roots);
    const [record] = await test.database.query<{ detail: object }>(
      `SELECT convert_from(bytes, 'UTF8')::jsonb -> 'detail' AS detail
         FROM (SELECT kind, bytes FROM audit.intake UNION ALL SELECT kind, bytes FROM audit.log) r WHERE kind = 'log.anchored'`,
    );
    expect(record?.detail).toEqual({
      size: Number(anchor!.size),
      authority: 'CN=Spec TSA, O=Spec',
      genTime: genTime.toISOString(),
      token: hash('sha256', anchor!.token, 'hex'),
    });
  });

  it('asks once in its time, and not while nothing was signed since', async () => {
    await grow();
    await anchorer().round();
    const before = (await anchors()).length;
    await grow();
    expect(await anchorer(3_600_000).round()).toBe(false);
    expect(await anchorer().round()).toBe(true);
    expect((await anchors()).length).toBe(before + 1);
  });

  it('is asked for by one instance at a time', async () => {
    await grow();
    let answer = (): void => undefined;
    tsa.behave = { waitFor: new Promise((resolve) => (answer = resolve)) };
    const first = anchorer().round();
    await vi.waitFor(() => expect(tsa.asked).toBe(1));
    expect(await anchorer().round()).toBe(false);
    answer();
    expect(await first).toBe(true);
    expect(tsa.asked).toBe(1);
  });

  it('warns once of an authority that fails, asks again later, and hinders nothing', async () => {
    const size = await grow();
    const clock = new ManualClock(new Date());
    const one = anchorer(3_600_000, clock);
    await withClient(test.superuserUrl, async (client) => {
      // As if the last stamp were of yesterday.
      await client.query(`SET session_replication_role = replica`);
      await client.query(`UPDATE audit.anchor SET kept_at = kept_at - interval '1 day'`);
    });
    tsa.behave = { rejects: true };
    expect(await one.round()).toBe(false);
    expect(await one.round()).toBe(false);
    expect(tsa.asked).toBe(1);
    clock.advance(30_000);
    await one.round();
    clock.advance(59_000);
    await one.round();
    expect([tsa.asked, warn.mock.calls.length]).toEqual([2, 1]);
    tsa.behave = {};
    clock.advance(1_000);
    expect(await one.round()).toBe(true);
    expect(Number((await anchors())[0]?.size)).toBeGreaterThanOrEqual(size);
  });

  it('is kept for good, and written by its function alone', async () => {
    await expect(test.database.query(`DELETE FROM audit.anchor`)).rejects.toThrow('permission denied');
    await expect(
      test.database.query(`INSERT INTO audit.anchor (size, authority, gen_time, token) VALUES (1, 'x', now(), 'x')`),
    ).rejects.toThrow('permission denied');
    for (const sql of ['DELETE FROM audit.anchor', `UPDATE audit.anchor SET authority = 'x'`, 'TRUNCATE audit.anchor'])
      await expect(withClient(test.superuserUrl, (client) => client.query(sql))).rejects.toThrow('only grows');
    await expect(test.database.query(`SELECT audit.keep_anchor(987654, 'x', now(), 'x')`)).rejects.toThrow(
      'anchor_size',
    );
  });

  it('lists the stamps, newest first', async () => {
    const connection = appConnection(test.superuserUrl);
    connections.push(connection);
    const store = new AnchorStore(connection);
    const all = await store.list(10, undefined);
    const stored = await anchors();
    expect(all.map(({ size, token }) => [size, token])).toEqual(
      stored.map(({ size, token }) => [Number(size), token.toString('base64')]),
    );
    expect(await store.list(10, all[0]!.size)).toEqual(all.slice(1));
    expect(await store.list(1, undefined)).toEqual(all.slice(0, 1));
  });
});
