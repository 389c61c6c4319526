import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import type { Database } from '../database/database.js';
import { Lifecycle } from '../lifecycle.js';
import { Log, type LogFields } from '../telemetry/log.js';
import { Jobs } from './jobs.js';

/** Keeps what the queue itself complains of. */
class ListeningLog extends Log {
  readonly complaints: unknown[] = [];

  override warn(message: string, fields?: LogFields): void {
    if (message.startsWith('the job queue')) this.complaints.push(fields?.error);
  }
}

const QUEUES = { plain: 'spec', dead: 'spec-dead', once: 'spec-once' };

describe('durable jobs on Postgres', () => {
  let test: TestDatabase;
  let root: Client;
  const running: Jobs[] = [];
  let log: ListeningLog;

  beforeAll(async () => {
    test = await startTestDatabase();
    root = new Client(test.superuserUrl);
    await root.connect();
    const common = { policy: 'standard', notify: true, heartbeatSeconds: 10 };
    await createQueue(QUEUES.dead, common);
    await createQueue(QUEUES.plain, { ...common, retryLimit: 3, retryDelay: 1, deadLetter: QUEUES.dead });
    await createQueue(QUEUES.once, { ...common, retryLimit: 0, deadLetter: QUEUES.dead });
  });

  beforeEach(() => {
    log = new ListeningLog('silent');
  });

  afterEach(async () => {
    await Promise.all(running.splice(0).map((jobs) => jobs.beforeApplicationShutdown()));
    await root.query('DELETE FROM pgboss.job');
  });

  afterAll(async () => {
    await root.end();
    await test.stop();
  });

  async function createQueue(name: string, options: object): Promise<void> {
    await root.query('SELECT pgboss.create_queue($1, $2)', [name, options]);
  }

  function make(database: Database = test.database, drainMs = 2_000): { jobs: Jobs; lifecycle: Lifecycle } {
    const lifecycle = new Lifecycle();
    const jobs = new Jobs({ database, lifecycle, log, drainMs });
    running.push(jobs);
    return { jobs, lifecycle };
  }

  async function started<T extends { jobs: Jobs }>(instance: T): Promise<T> {
    await instance.jobs.onApplicationBootstrap();
    return instance;
  }

  const send = (jobs: Jobs, queue: string, n: string): Promise<string> =>
    test.database.transaction((tx) => jobs.send(tx, queue, { n }));
  const states = async (queue: string): Promise<string[]> =>
    (await root.query<{ state: string }>('SELECT state FROM pgboss.job WHERE name = $1', [queue])).rows.map(
      (row) => row.state,
    );

  it('hands out a job as soon as its transaction has committed, and never when it was rolled back', async () => {
    const { jobs } = make();
    const seen: unknown[] = [];
    jobs.work(QUEUES.plain, async (job) => seen.push(job.data));
    await jobs.onApplicationBootstrap();
    const lost = test.database.transaction(async (tx) => {
      await jobs.send(tx, QUEUES.plain, { n: 'rolled back' });
      throw new Error('undo');
    });
    await expect(lost).rejects.toThrow('undo');
    const sentAt = performance.now();
    await send(jobs, QUEUES.plain, 'committed');
    await vi.waitFor(() => expect(seen).toEqual([{ n: 'committed' }]), { interval: 5 });
    expect(performance.now() - sentAt).toBeLessThan(500);
    await vi.waitFor(async () => expect(await states(QUEUES.plain)).toEqual(['completed']));
  });

  it('shares the jobs of a queue between two instances, each job done by one', async () => {
    const seen: string[] = [];
    const instances = [make(), make(await test.another())];
    for (const { jobs } of instances) {
      jobs.work(QUEUES.plain, async (job) => seen.push(job.data['n'] ?? ''));
      await jobs.onApplicationBootstrap();
    }
    const [first] = instances;
    if (first === undefined) throw new Error('no instance');
    await Promise.all(Array.from({ length: 40 }, (_, n) => send(first.jobs, QUEUES.plain, String(n))));
    await vi.waitFor(() => expect(seen.length).toBeGreaterThanOrEqual(40), { timeout: 10_000 });
    expect(new Set(seen).size).toBe(40);
    expect(seen).toHaveLength(40);
  });

  it('works on no more than its concurrency at once', async () => {
    const { jobs: sender } = await started(make());
    const { jobs, lifecycle } = make();
    let most = 0;
    let under = 0;
    let done = 0;
    jobs.work(
      QUEUES.plain,
      async () => {
        under += 1;
        most = Math.max(most, under, lifecycle.underWay);
        await new Promise((resolve) => setImmediate(resolve));
        under -= 1;
        done += 1;
      },
      { concurrency: 3 },
    );
    for (let n = 0; n < 20; n += 1) await send(sender, QUEUES.plain, String(n));
    await jobs.onApplicationBootstrap();
    await vi.waitFor(() => expect(done).toBe(20), { timeout: 10_000 });
    expect(most).toBeLessThanOrEqual(3);
    await vi.waitFor(() => expect(lifecycle.underWay).toBe(0));
  });

  it('tries a failed job again after a growing delay, and tells no message of the error', async () => {
    const { jobs } = make();
    const attempts: number[] = [];
    jobs.work(QUEUES.plain, async (job) => {
      attempts.push(job.attempt);
      if (job.attempt === 1) throw Object.assign(new Error('Zoë Müller'), { code: 'EX' });
    });
    await jobs.onApplicationBootstrap();
    await send(jobs, QUEUES.plain, 'x');
    await vi.waitFor(async () => expect(await states(QUEUES.plain)).toEqual(['retry']));
    const { rows } = await root.query<{ output: unknown; data: unknown }>('SELECT output, data FROM pgboss.job');
    expect(rows).toEqual([{ output: { name: 'JobFailure', message: 'Error EX' }, data: { n: 'x' } }]);
    await vi.waitFor(() => expect(attempts).toEqual([1, 2]), { timeout: 10_000 });
  });

  it('puts what failed too often among the dead letters, which can be worked on like any queue', async () => {
    const { jobs } = make();
    const dead: unknown[] = [];
    jobs.work(QUEUES.once, async () => {
      throw new Error('never');
    });
    jobs.work(QUEUES.dead, async (job) => dead.push(job.data));
    await jobs.onApplicationBootstrap();
    await send(jobs, QUEUES.once, 'doomed');
    await vi.waitFor(() => expect(dead).toEqual([{ n: 'doomed' }]), { timeout: 5_000 });
  });

  it('gives a job of an instance that died to another one, with the upkeep done under its own rights', async () => {
    const id = await send((await started(make())).jobs, QUEUES.plain, 'orphan');
    // As a killed instance leaves it: taken, never ended, never renewed again.
    await root.query(
      `UPDATE pgboss.job SET state = 'active', started_on = now() - interval '20 seconds', heartbeat_on = now() - interval '20 seconds'
        WHERE id = $1`,
      [id],
    );
    const { jobs } = make();
    const seen: number[] = [];
    jobs.work(QUEUES.plain, async (job) => seen.push(job.attempt));
    await jobs.onApplicationBootstrap();
    await vi.waitFor(() => expect(seen).toEqual([2]), { timeout: 20_000 });
    expect(log.complaints).toEqual([]);
  });

  it('lets what is under way end before it stops, takes nothing more, and gives back what does not end', async () => {
    const { jobs, lifecycle } = make(test.database, 300);
    const aborted: boolean[] = [];
    let begun = 0;
    jobs.work(
      QUEUES.plain,
      async (job) => {
        begun += 1;
        await new Promise<void>((resolve) => {
          job.signal.addEventListener('abort', () => resolve());
        });
        aborted.push(job.signal.aborted);
        throw new Error('stopped');
      },
      { concurrency: 1 },
    );
    await jobs.onApplicationBootstrap();
    await send(jobs, QUEUES.plain, 'long');
    await send(jobs, QUEUES.plain, 'waiting');
    await vi.waitFor(() => expect(begun).toBe(1));
    await jobs.beforeApplicationShutdown();
    running.splice(0);
    expect(aborted).toEqual([true]);
    expect(begun).toBe(1);
    expect(lifecycle.underWay).toBe(0);
    expect((await states(QUEUES.plain)).sort()).toEqual(['created', 'retry']);
  });

  it('goes on after its connections were cut', async () => {
    const { jobs } = make();
    const seen: unknown[] = [];
    jobs.work(QUEUES.plain, async (job) => seen.push(job.data['n']));
    await jobs.onApplicationBootstrap();
    await send(jobs, QUEUES.plain, 'before');
    await vi.waitFor(() => expect(seen).toEqual(['before']));
    await root.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'gatehouse-jobs%'`,
    );
    await send(jobs, QUEUES.plain, 'after');
    await vi.waitFor(() => expect(seen).toEqual(['before', 'after']), { timeout: 5_000 });
  });

  it('refuses a queue that no migration made, and has no right to make one', async () => {
    const { jobs } = await started(make());
    await expect(send(jobs, 'unheard-of', '1')).rejects.toThrow('Queue unheard-of does not exist');
    await expect(test.database.query(`SELECT pgboss.create_queue('mine', '{}')`)).rejects.toThrow(/permission denied/);
    await expect(test.database.query(`UPDATE pgboss.version SET version = 1`)).rejects.toThrow(/permission denied/);
    await expect(test.database.query(`UPDATE pgboss.queue SET retry_limit = 0`)).rejects.toThrow(/permission denied/);
  });
});
