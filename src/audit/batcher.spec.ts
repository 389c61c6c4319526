import { afterEach, describe, expect, it, vi } from 'vitest';
import { aRecord, appConnection, sequenceAll, withClient } from '../../test/support/audit.js';
import { startTestDatabase } from '../../test/support/database.js';
import { SystemClock, uuidv7 } from '../platform/index.js';
import { Batcher, BATCHER_LIMITS, type BatcherLimits, type Entry } from './batcher.js';
import { Connection } from './connection.js';
import { recordBytes } from './record.js';
import { verifyLog } from './verify/verify-log.js';

interface Sent {
  text: string;
  values: Buffer[];
}

/** A Postgres that answers as it is told: one answer a query, the last one for all that follow. */
class FakeConnection {
  readonly sent: Sent[] = [];
  closed = false;

  constructor(private readonly answers: ((query: Sent) => Promise<object> | object)[]) {}

  async query(query: Sent): Promise<object | undefined> {
    this.sent.push(query);
    const answer = this.answers.length > 1 ? this.answers.shift() : this.answers[0];
    return answer?.(query);
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  /** Records in each append. */
  get batches(): number[] {
    return this.sent
      .filter(({ text }) => text.includes('audit.append'))
      .map(({ values }) => values[0]?.readInt32BE(12) ?? 0);
  }
}

const ok = (): object => ({ rows: [] });
const lost = (): never => {
  throw new Error('Connection terminated unexpectedly');
};
const failing = (code: string) => (): never => {
  throw Object.assign(new Error('refused'), { code, severity: 'ERROR' });
};
const later = async (): Promise<object> => {
  await new Promise((resolve) => {
    setTimeout(resolve, 5);
  });
  return ok();
};

let batcher: Batcher | undefined;

function start(answers: ConstructorParameters<typeof FakeConnection>[0], limits: Partial<BatcherLimits> = {}) {
  const connection = new FakeConnection(answers);
  batcher = new Batcher(connection as unknown as Connection, new SystemClock(), { ...BATCHER_LIMITS, ...limits });
  return { batcher, connection };
}

const entry = (bytes = 10): Entry => ({ id: uuidv7(), bytes: Buffer.alloc(bytes), key: null });

afterEach(() => batcher?.stop());

describe('group commit', () => {
  it('sends at once when idle, and together what came while a commit was under way', async () => {
    const { batcher, connection } = start([later]);
    const first = batcher.append(entry());
    await vi.waitFor(() => expect(connection.batches).toEqual([1]));
    const rest = Array.from({ length: 20 }, () => batcher.append(entry()));
    await Promise.all([first, ...rest]);
    expect(connection.batches).toEqual([1, 20]);
  });

  it('bounds a commit by records and by bytes', async () => {
    const { batcher, connection } = start([later], { batch: 4, batchBytes: 100 });
    await Promise.all([...Array.from({ length: 9 }, () => batcher.append(entry())), batcher.append(entry(200))]);
    expect(connection.batches).toEqual([4, 4, 1, 1]);
  });

  it('refuses as overloaded what does not fit the queue, in records and in bytes', async () => {
    const { batcher } = start([later], { queue: 3, queueBytes: 1_000 });
    const taken = [batcher.append(entry()), batcher.append(entry())];
    await expect(batcher.append(entry(2_000))).rejects.toMatchObject({
      code: 'overloaded',
      headers: { 'retry-after': '1' },
    });
    taken.push(batcher.append(entry()));
    const told = vi.fn();
    batcher.onRefused = told;
    await expect(batcher.append(entry())).rejects.toMatchObject({ code: 'overloaded' });
    expect(told.mock.calls).toEqual([['overloaded']]);
    await Promise.all(taken);
    await batcher.append(entry());
  });

  it('tells after each commit', async () => {
    const { batcher } = start([ok]);
    const told = vi.fn();
    batcher.onCommitted = told;
    await Promise.all([batcher.append(entry()), batcher.append(entry())]);
    expect(told.mock.calls).toEqual([[2]]);
  });

  it('writes what waits before it stops, and takes nothing after', async () => {
    const { batcher, connection } = start([later]);
    const waiting = Promise.all(Array.from({ length: 5 }, () => batcher.append(entry())));
    await batcher.stop();
    await waiting;
    expect(connection.closed).toBe(true);
    await expect(batcher.append(entry())).rejects.toMatchObject({ code: 'shutting-down' });
  });
});

describe('trouble', () => {
  it('refuses the one bad record and keeps the others', async () => {
    const bad = entry();
    const hex = Buffer.from(bad.id.replaceAll('-', ''), 'hex');
    const { batcher } = start([
      ({ values }) => {
        if (values[0]?.includes(hex) === true) return failing('22P02')();
        return ok();
      },
    ]);
    const good = Array.from({ length: 7 }, () => batcher.append(entry()));
    const refused = batcher.append(bad);
    good.push(...Array.from({ length: 6 }, () => batcher.append(entry())));
    await expect(refused).rejects.toMatchObject({ code: '22P02' });
    await Promise.all(good);
    expect(batcher.down).toBe(false);
  });

  it('asks by id after a lost connection, and sends again only what is not known', async () => {
    const [known, unknown] = [entry(), entry()];
    const { batcher, connection } = start([lost, () => ({ rows: [{ id: known.id }] }), ok]);
    await Promise.all([batcher.append(known), batcher.append(unknown)]);
    expect(connection.sent.map(({ text }) => /audit\.(append|intake)/.exec(text)?.[1])).toEqual([
      'append',
      'intake',
      'append',
    ]);
    expect(connection.batches).toEqual([2, 1]);
  });

  it('does not ask when the server said that nothing was done', async () => {
    const { batcher, connection } = start([failing('57014'), ok]);
    await batcher.append(entry());
    expect(connection.batches).toEqual([1, 1]);
    expect(connection.sent).toHaveLength(2);
  });

  it('gives up on a record in bounded time, then refuses at once, and resumes by itself', async () => {
    let away = true;
    const { batcher } = start([() => (away ? lost() : ok())], { patienceMs: 300 });
    const startedAt = performance.now();
    await expect(batcher.append(entry())).rejects.toMatchObject({ code: 'audit-unavailable' });
    expect(performance.now() - startedAt).toBeLessThan(1_500);
    expect(batcher.down).toBe(true);
    const again = performance.now();
    await expect(batcher.append(entry())).rejects.toMatchObject({ code: 'audit-unavailable' });
    expect(performance.now() - again).toBeLessThan(50);
    away = false;
    await vi.waitFor(() => expect(batcher.down).toBe(false), { timeout: 3_000 });
    await batcher.append(entry());
  });

  it('gives up in time also when the commit hangs', async () => {
    let release: () => void = () => undefined;
    const hang = (): Promise<object> =>
      new Promise((resolve) => {
        release = () => resolve(ok());
      });
    const { batcher } = start([hang, ok], { patienceMs: 200 });
    const first = batcher.append(entry());
    await expect(first).rejects.toMatchObject({ code: 'audit-unavailable' });
    await expect(batcher.append(entry())).rejects.toMatchObject({ code: 'audit-unavailable' });
    release();
    await batcher.append(entry());
  });
});

describe('on a real Postgres', () => {
  it('loses and doubles nothing when its backend is killed again and again', async () => {
    const database = await startTestDatabase();
    const url = database.superuserUrl;
    const own = new Connection({
      url,
      role: 'gatehouse_app',
      applicationName: 'gatehouse-victim',
      statementTimeoutMs: 3_000,
      lockTimeoutMs: 3_000,
    });
    batcher = new Batcher(own, new SystemClock(), { ...BATCHER_LIMITS, patienceMs: 10_000 });
    const frame = { origin: 'gatehouse.local/log', instance: 'spec' };
    await database.database.query('SELECT audit.begin($1)', [frame.origin]);
    const resolved: string[] = [];
    const done = new AbortController();
    const write = async (into: Batcher): Promise<void> => {
      while (!done.signal.aborted) {
        const record = aRecord();
        await into.append({ id: record.id, bytes: recordBytes(record, frame), key: null });
        resolved.push(record.id);
      }
    };
    const connection = appConnection(url);
    const writers = Promise.all(Array.from({ length: 32 }, () => write(batcher as Batcher)));
    let killed = 0;
    await withClient(url, async (killer) => {
      while (killed < 15) {
        const { rows } = await killer.query<{ killed: boolean }>(
          `SELECT pg_terminate_backend(pid) AS killed FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = 'gatehouse-victim' AND state = 'active'`,
        );
        killed += rows.length;
        await sequenceAll(connection);
      }
    });
    done.abort();
    await writers;
    await batcher.stop();
    const size = await sequenceAll(connection);
    const rows = await database.database.query<{ id: string }>('SELECT id FROM audit.log');
    const inLog = new Set(rows.map((row) => row.id));
    expect(resolved.filter((id) => !inLog.has(id))).toEqual([]);
    expect(inLog.size).toBe(size);
    expect(size).toBe(resolved.length);
    expect(await verifyLog(url)).toMatchObject({ ok: true, size });
    await connection.close();
    await database.stop();
  });
});
