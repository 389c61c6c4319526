import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { aRecord, openTestLog, type TestLog, withClient } from '../../test/support/audit.js';
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js';
import { account } from '../../test/support/instances.js';
import { verifyLog } from './verify/verify-log.js';

/** How long whoever stalls may keep the others from getting numbers, milliseconds. */
const BOUND_MS = 2_000;

let database: TestDatabase;
let log: TestLog;
const appended: string[] = [];

beforeAll(async () => {
  database = await startTestDatabase();
  log = await openTestLog(database.superuserUrl);
});

afterAll(async () => {
  await log.stop();
  await database.stop();
});

const append = async (): Promise<string> => {
  const record = aRecord();
  await log.auditLog.append(record);
  appended.push(record.id);
  return record.id;
};

/** Milliseconds until a fresh record has its number. */
async function numberedWithin(): Promise<number> {
  const from = performance.now();
  const id = await append();
  await vi.waitFor(
    async () => {
      const rows = await database.database.query('SELECT FROM audit.log WHERE id = $1', [id]);
      expect(rows).toHaveLength(1);
    },
    { timeout: 15_000, interval: 10 },
  );
  return performance.now() - from;
}

/** The parts of the protocol one by one: pg has them and does not tell. */
interface Wire {
  parse(query: { name: string; text: string }): void;
  bind(config: object): void;
  execute(config: object): void;
  flush(): void;
}

async function stalled(holds: (client: Client) => Promise<unknown>): Promise<{ client: Client; ended: Promise<void> }> {
  const client = new Client({ connectionString: database.superuserUrl });
  // What it is told and did not ask for comes as an error too: only the end counts.
  client.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => client.once('end', () => resolve()));
  await client.connect();
  await append();
  await holds(client);
  return { client, ended };
}

describe('whoever holds the head and stalls', () => {
  it('between two statements is thrown out, and the others go on', async () => {
    const { client, ended } = await stalled(async (holder) => {
      await holder.query('BEGIN');
      expect((await holder.query('SELECT * FROM audit.sequence(1)')).rowCount).toBe(1);
    });
    log.start();
    expect(await numberedWithin()).toBeLessThan(BOUND_MS);
    await ended;
    await expect(client.query('COMMIT')).rejects.toThrow();
  });

  it('before it asks for the end of its statement is thrown out, and the others go on', async () => {
    const { ended } = await stalled(async (holder) => {
      const { connection } = holder as unknown as { connection: Wire };
      connection.parse({ name: '', text: 'SELECT * FROM audit.sequence(1)' });
      connection.bind({ portal: '', statement: '', values: [] });
      connection.execute({ portal: '', rows: 0 });
      connection.flush();
      await withClient(database.superuserUrl, (other) =>
        vi.waitFor(async () => {
          const free = await other.query('SELECT FROM audit.head FOR UPDATE SKIP LOCKED');
          expect(free.rowCount).toBe(0);
        }),
      );
    });
    expect(await numberedWithin()).toBeLessThan(BOUND_MS);
    await ended;
  });

  it('behind a lock that it waits for is thrown out, and the others go on when they can', async () => {
    await withClient(database.superuserUrl, async (locker) => {
      await locker.query('BEGIN');
      await locker.query('LOCK audit.tile IN ACCESS EXCLUSIVE MODE');
      await append();
      await vi.waitFor(
        async () => {
          const waits = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'gatehouse-sequencer' AND wait_event_type = 'Lock'`;
          expect((await locker.query(waits)).rowCount).toBe(1);
        },
        { interval: 5 },
      );
      await vi.waitFor(
        async () => expect((await locker.query('SELECT FROM audit.head FOR UPDATE SKIP LOCKED')).rowCount).toBe(1),
        { timeout: BOUND_MS, interval: 10 },
      );
      await locker.query('ROLLBACK');
    });
    expect(await numberedWithin()).toBeLessThan(BOUND_MS);
  });

  it('loses and doubles nothing', async () => {
    expect(await account(database.superuserUrl, appended)).toEqual({ size: appended.length, lost: [], doubled: [] });
    expect(await verifyLog(database.superuserUrl)).toMatchObject({ ok: true, size: appended.length });
  });
});
