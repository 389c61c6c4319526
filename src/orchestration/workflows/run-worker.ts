import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { Clock, type Config, CONFIG, type Job, Jobs, Log, Rounds } from '../../platform/index.js';
import { RUN_LEASE_MS, WorkflowEngine } from './engine.js';
import { RunStore } from './run-store.js';
import { RUN_JOB } from './step-sender.js';

const SWEEP_EVERY_MS = 1_000;
/** A job that is lost is left again after this. */
const AGAIN_MS = 30_000;
const MOST_AT_ONCE = 200;

/** Drives the runs that are due: by the jobs that their start leaves, and by a sweep over what rests, expires or was left by a dead engine. */
@Injectable()
export class RunWorker implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  readonly #rounds: Rounds[] = [];

  constructor(
    private readonly engine: WorkflowEngine,
    private readonly runs: RunStore,
    private readonly jobs: Jobs,
    private readonly clock: Clock,
    private readonly log: Log,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): void {
    const { runsAtOnce } = this.config.workflows;
    this.jobs.work(RUN_JOB, (job) => this.run(job), { concurrency: runsAtOnce });
  }

  onApplicationBootstrap(): void {
    this.#rounds.push(
      new Rounds('workflows.sweep', SWEEP_EVERY_MS, this.log, () => this.sweep()),
      new Rounds('workflows.leases', RUN_LEASE_MS / 3, this.log, () => this.engine.renew()),
    );
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.#rounds.map((rounds) => rounds.stop()));
  }

  async run({ data }: Pick<Job, 'data'>): Promise<void> {
    await this.engine.drive(data['verification'] ?? '');
  }

  /** One of all instances leaves the job of a run that is due. */
  async sweep(): Promise<void> {
    const now = this.clock.now();
    await this.runs.transaction(async (tx) => {
      const due = await this.runs.due(tx, now, new Date(now.getTime() + AGAIN_MS), MOST_AT_ONCE);
      for (const id of due) await this.jobs.send(tx, RUN_JOB, { verification: id });
    });
  }
}
