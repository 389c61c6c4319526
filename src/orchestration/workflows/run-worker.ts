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

/** A client's part of the runs at once: the rest is for who comes next, however long the vendor takes over those under way. */
const SHARE = 3 / 4;

/**
 * Drives the runs that are due, so many at once and no more, clients in turn: the job that a start leaves, a place that comes free and a
 * clock call for a look at what has just started, has rested, has to expire, found no room, or was left by an engine that died.
 */
@Injectable()
export class RunWorker implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  #sweeps: Rounds | undefined;
  #leases: Rounds | undefined;
  readonly #driving = new Set<Promise<void>>();
  #draining = false;
  /** Something may have become due since the last look. */
  #called = false;

  constructor(
    private readonly engine: WorkflowEngine,
    private readonly jobs: Jobs,
    private readonly lifecycle: Lifecycle,
    private readonly log: Log,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.jobs.work(RUN_JOB, () => Promise.resolve(this.look()));
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
    const mostEach = Math.ceil(this.config.workflows.runsAtOnce * SHARE);
    do {
      this.#called = false;
      if (this.room <= 0) return;
      for (const id of await this.engine.claimDue(this.room, mostEach)) void this.drive(id);
    } while (this.#called);
  }

  private look(): void {
    this.#called = true;
    this.#sweeps?.now();
  }

  private get room(): number {
    return this.#draining ? 0 : this.config.workflows.runsAtOnce - this.#driving.size;
  }

  private async drive(id: string): Promise<void> {
    const driving = this.watch(this.engine.goOn(id));
    this.#driving.add(driving);
    await driving;
    this.#driving.delete(driving);
    this.look();
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
