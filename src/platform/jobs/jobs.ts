import { PgBoss } from 'pg-boss';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { APP_ROLE, type Database, type Tx } from '../database/database.js';
import type { Lifecycle } from '../lifecycle.js';
import { type Log, safeError } from '../telemetry/log.js';

/** Connections for taking and ending jobs, beside one that listens; the work itself uses the gateway's own pool. */
const CONNECTIONS = 3;
const STATEMENT_TIMEOUT_MS = 10_000;
/** Without a notification, the longest time until a job is found. */
const POLL_S = 1;
/** How often one of the instances looks for jobs whose instance went silent, and how often for finished ones to drop. */
const UPKEEP_S = 5;
const DROP_S = 300;
const DEFAULT_CONCURRENCY = 4;
/** While the database is away every poll fails: one line in this time tells it. */
const COMPLAIN_EVERY_MS = 30_000;

/** One piece of work, handed out at least once. */
export interface Job {
  id: string;
  data: JobData;
  /** 1 for the first attempt. */
  attempt: number;
  /** Aborted when the instance stops, the job takes too long, or another instance has taken it over. */
  signal: AbortSignal;
}

/** Ids only: never personal data, never a secret. */
export type JobData = Readonly<Record<string, string>>;

export type JobHandler = (job: Job) => Promise<unknown>;

export interface SendOptions {
  /** Not before this many seconds from now. */
  afterS?: number;
}

export interface WorkOptions {
  /** Jobs of this queue that the instance works on at once; 4. */
  concurrency?: number;
}

export interface JobsParts {
  database: Database;
  lifecycle: Lifecycle;
  log: Log;
  /** How long jobs under way may take to end when the instance stops. */
  drainMs: number;
}

/** The queue's statements in a transaction of ours. */
function within(tx: Tx) {
  return {
    executeSql: async (sql: string, values?: unknown[]) => ({ rows: await tx.query<object[]>(sql, values) }),
  };
}

/**
 * Durable jobs in Postgres (pg-boss): left in the transaction of what they follow from, taken by any instance, run at least once, so a
 * handler makes its effects once. A queue is made by a migration (`pgboss.create_queue`, with `notify` and `heartbeatSeconds`), since the
 * gateway's role cannot make one; how often and how long apart a job is tried again, and where dead letters go, is the queue's own.
 */
export class Jobs implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #parts: JobsParts;
  readonly #boss: PgBoss;
  readonly #work: { queue: string; handler: JobHandler; options: WorkOptions }[] = [];
  #started = false;
  #complainedAt = -COMPLAIN_EVERY_MS;

  constructor(parts: JobsParts) {
    this.#parts = parts;
    this.#boss = new PgBoss({
      connectionString: urlOf(parts.database),
      options: `-c role=${APP_ROLE} -c statement_timeout=${STATEMENT_TIMEOUT_MS} -c idle_in_transaction_session_timeout=${STATEMENT_TIMEOUT_MS}`,
      application_name: 'gatehouse-jobs',
      connectionTimeoutMillis: 5_000,
      max: CONNECTIONS,
      schema: 'pgboss',
      useListenNotify: true,
      superviseIntervalSeconds: UPKEEP_S,
      monitorIntervalSeconds: UPKEEP_S,
      maintenanceIntervalSeconds: DROP_S,
      // What follows would need rights over the schema, or keep what nobody here reads.
      migrate: false,
      createSchema: false,
      reindex: false,
      schedule: false,
      monitorVacuum: false,
      registerInstance: false,
      persistWarnings: false,
      openTelemetry: { enabled: false },
    });
    this.#boss.on('error', (error) => this.complain(error));
    this.#boss.on('warning', ({ data }) => this.complain(data));
    parts.lifecycle.whenDraining(() => void this.takeNoMore());
  }

  /**
   * Leaves a job with the caller's transaction: there once it commits, and never when it does not.
   * @returns the job's id
   */
  async send(tx: Tx, queue: string, data: JobData, options: SendOptions = {}): Promise<string> {
    const startAfter = options.afterS === undefined ? {} : { startAfter: options.afterS };
    const id = await this.#boss.send(queue, data, { db: within(tx), ...startAfter });
    if (id === null) throw new Error(`the queue ${queue} took no job`);
    return id;
  }

  /** Several at once. */
  async sendAll(tx: Tx, queue: string, data: readonly JobData[]): Promise<void> {
    if (data.length === 0) return;
    await this.#boss.insert(
      queue,
      data.map((one) => ({ data: one })),
      { db: within(tx) },
    );
  }

  /** Works on the jobs of a queue from the start of this instance until it drains. */
  work(queue: string, handler: JobHandler, options: WorkOptions = {}): void {
    if (this.#started) throw new Error('work is taken on before the instance has started');
    this.#work.push({ queue, handler, options });
  }

  async onApplicationBootstrap(): Promise<void> {
    this.#started = true;
    await this.#boss.start();
    for (const { queue, handler, options } of this.#work) {
      for (let n = 0; n < (options.concurrency ?? DEFAULT_CONCURRENCY); n += 1) await this.employ(queue, handler);
    }
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#boss.stop({ timeout: this.#parts.drainMs });
  }

  /** One worker, which takes one job at a time. */
  private async employ(queue: string, handler: JobHandler): Promise<void> {
    const worker: { id?: string } = {};
    const options = {
      includeMetadata: true,
      pollingIntervalSeconds: POLL_S,
      notifyPollingIntervalSeconds: POLL_S,
    } as const;
    worker.id = await this.#boss.work<JobData, void, typeof options>(queue, options, async ([job]) => {
      if (job === undefined) return;
      await this.run(queue, handler, { id: job.id, data: job.data, attempt: job.retryCount + 1, signal: job.signal });
      // Where there was one there may be more: the next look need not wait for the poll.
      if (worker.id !== undefined) this.#boss.notifyWorker(worker.id);
    });
  }

  /** What fails is told to the log and to the queue by its kind alone: an error's message can quote the data it choked on. */
  private async run(queue: string, handler: JobHandler, job: Job): Promise<void> {
    const { lifecycle, log } = this.#parts;
    lifecycle.begin();
    try {
      await handler(job);
    } catch (error) {
      log.warn('a job failed and is tried again while attempts are left', { job: queue, count: job.attempt, error });
      throw new JobFailure(safeError(error));
    } finally {
      lifecycle.end();
    }
  }

  private async takeNoMore(): Promise<void> {
    const queues = new Set(this.#work.map(({ queue }) => queue));
    await Promise.all([...queues].map((queue) => this.#boss.offWork(queue, { wait: false }))).catch((error: unknown) =>
      this.complain(error),
    );
  }

  private complain(error: unknown): void {
    const now = performance.now();
    if (now - this.#complainedAt < COMPLAIN_EVERY_MS) return;
    this.#complainedAt = now;
    this.#parts.log.warn('the job queue cannot be reached or refused a statement', { error });
  }
}

/** What pg-boss keeps of a failure. */
class JobFailure extends Error {
  constructor({ type, code }: { type: string; code?: string }) {
    super(code === undefined ? type : `${type} ${code}`);
    this.name = 'JobFailure';
    delete this.stack;
  }
}

function urlOf(database: Database): string {
  const { options } = database.source;
  if (options.type !== 'postgres' || options.url === undefined) throw new Error('the database is no Postgres by URL');
  return options.url;
}
