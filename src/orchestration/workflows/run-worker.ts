import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleInit,
} from '@nestjs/common';
import { type Config, CONFIG, Jobs, Lifecycle, Log, Rounds } from '../../platform/index.js';
import { RUN_LEASE_MS, WorkflowEngine } from './engine.js';
import { RUN_JOB } from './step-sender.js';

const SWEEP_EVERY_MS = 1_000;

/**
 * Drives the runs that are due, so many at once and no more: those that have just started by the job that their start leaves, and by a sweep
 * what has rested, has to expire, found no room, or was left by an engine that died.
 */
@Injectable()
export class RunWorker implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  #sweeps: Rounds | undefined;
  #leases: Rounds | undefined;
  readonly #driving = new Set<Promise<void>>();
  #draining = false;

  constructor(
    private readonly engine: WorkflowEngine,
    private readonly jobs: Jobs,
    private readonly lifecycle: Lifecycle,
    private readonly log: Log,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): void {
    const { runsAtOnce } = this.config.workflows;
    this.jobs.work(RUN_JOB, ({ data }) => this.started(data['verification'] ?? ''), { concurrency: runsAtOnce });
    this.lifecycle.whenDraining(() => {
      this.#draining = true;
      this.engine.stop();
    });
  }

  onApplicationBootstrap(): void {
    this.#sweeps = new Rounds('workflows.sweep', SWEEP_EVERY_MS, this.log, () => this.sweep());
    this.#leases = new Rounds('workflows.leases', RUN_LEASE_MS / 3, this.log, () => this.engine.renew());
  }

  async beforeApplicationShutdown(): Promise<void> {
    // What is under way was waited for while the instance drained; what took longer is another engine's.
    await this.#sweeps?.stop();
    await this.#leases?.stop();
  }

  /** Takes as many of the runs that are due as there is room for. */
  async sweep(): Promise<void> {
    if (this.room <= 0) return;
    for (const id of await this.engine.claimDue(this.room)) void this.drive(this.engine.goOn(id));
  }

  /** Where there is no room the run stays due, and a sweep finds it. */
  private async started(id: string): Promise<void> {
    if (this.room > 0) await this.drive(this.engine.drive(id));
  }

  private get room(): number {
    return this.#draining ? 0 : this.config.workflows.runsAtOnce - this.#driving.size;
  }

  private async drive(work: Promise<void>): Promise<void> {
    const full = this.room <= 1;
    const driving = this.watch(work);
    this.#driving.add(driving);
    await driving;
    this.#driving.delete(driving);
    if (full) this.#sweeps?.now();
  }

  /** A run that could not be gone on with is found again once its lease has lapsed. */
  private async watch(work: Promise<void>): Promise<void> {
    this.lifecycle.begin();
    try {
      await work;
    } catch (error) {
      this.log.warn('a run could not be gone on with and is taken up again', { error });
    } finally {
      this.lifecycle.end();
    }
  }
}
