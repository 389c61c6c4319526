import type { Clock, Database, Tx } from '../../../platform/index.js';
import { VerificationProgress } from '../../verifications/verification-progress.js';
import { VerificationStore } from '../../verifications/verification-store.js';
import { WorkflowEngine } from '../engine.js';
import { RunCloser } from '../run-closer.js';
import { RunReports } from '../run-reports.js';
import { RunStore } from '../run-store.js';
import type { Settlement } from '../settlement.js';
import { StepProgress } from '../step-progress.js';
import { type Sending, StepVendor } from '../step-sender.js';
import { WorkflowCatalogue } from '../workflow-catalogue.js';
import type { Tape } from './random-workflow.js';

/** What the vendor says of a step, whoever asks and however often. */
export interface Scripted {
  end: 'passed' | 'failed' | 'review';
  score: number;
}

/** What the vendor has done: once more for each time that it was sent, or once a key. */
export class Effects {
  readonly done = new Map<string, number>();

  add(step: string): void {
    this.done.set(step, (this.done.get(step) ?? 0) + 1);
  }
}

type Get = <T>(type: abstract new (...args: never[]) => T, options: { strict: boolean }) => T;

export interface Mortal {
  get: Get;
  database: Database;
  clock: Clock;
  tape: Tape;
  script: ReadonlyMap<string, Scripted>;
  effects: Effects;
}

/** How often in twelve something goes wrong at a place where it can. */
const PLACES = 12;

/** The end of a process between any two of its acts: it makes no further one, and nobody hears of it. */
class Life {
  #die: () => void = () => {};
  dead = false;
  readonly death = new Promise<'died'>((resolve) => {
    this.#die = () => resolve('died');
  });

  async end(): Promise<never> {
    this.dead = true;
    this.#die();
    return new Promise<never>(() => {});
  }

  /** Whatever a dead process would do next does not happen. */
  async alive(): Promise<void> {
    if (this.dead) await this.end();
  }
}

class Undone extends Error {}

class MortalRuns extends RunStore {
  constructor(
    private readonly life: Life,
    private readonly mortal: Mortal,
  ) {
    super(mortal.database);
  }

  override async transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    await this.life.alive();
    const fate = this.mortal.tape.ended ? PLACES : this.mortal.tape.next(PLACES);
    if (fate === 0) await this.life.end();
    if (fate === 1 || fate === 2) {
      await super
        .transaction(async (tx) => {
          await work(tx);
          throw new Undone();
        })
        .catch((error: unknown) => {
          if (!(error instanceof Undone)) throw error;
        });
      if (fate === 1) await this.life.end();
      throw new Undone();
    }
    const result = await super.transaction(work);
    if (fate === 3) await this.life.end();
    await this.life.alive();
    return result;
  }
}

class MortalVendor extends StepVendor {
  constructor(
    private readonly life: Life,
    private readonly mortal: Mortal,
  ) {
    super();
  }

  override async send({ step }: Sending): Promise<Settlement> {
    await this.life.alive();
    const { tape, effects, script } = this.mortal;
    const fate = tape.ended ? PLACES : tape.next(PLACES);
    if (fate === 0) await this.life.end();
    if (fate === 1) return { kind: 'undone', afterMs: tape.next(3_000) };
    if (fate === 2) return { kind: 'put-off', afterMs: tape.next(3_000) };
    if (fate === 3) return { kind: 'unsure', reason: 'unsure' };
    if (fate === 4 && tape.next(4) === 0) return { kind: 'refused' };
    effects.add(step.name);
    if (fate === 5 || fate === 7) await this.life.end();
    if (fate === 6) return { kind: 'unsure', reason: 'unsure' };
    const said = script.get(step.name);
    if (said === undefined) throw new Error('the script knows every step');
    return { kind: 'answered', end: said.end, report: { status: said.end, score: said.score } };
  }
}

/** Drives the run that is due with an engine of its own until that returns, fails or dies. */
export async function driveMortal(mortal: Mortal): Promise<'returned' | 'failed' | 'died'> {
  const { get } = mortal;
  const life = new Life();
  const runs = new MortalRuns(life, mortal);
  const one = <T>(type: abstract new (...args: never[]) => T): T => get(type, { strict: false });
  const engine = new WorkflowEngine(
    runs,
    one(VerificationStore),
    one(VerificationProgress),
    one(StepProgress),
    one(RunReports),
    one(RunCloser),
    one(WorkflowCatalogue),
    new MortalVendor(life, mortal),
    mortal.clock,
  );
  const due = await engine.claimDue(1, 1);
  const driven = Promise.all(due.map((id) => engine.goOn(id))).then(
    () => 'returned' as const,
    (error: unknown) => {
      if (error instanceof Undone) return 'failed' as const;
      throw error;
    },
  );
  return Promise.race([driven, life.death]);
}
