import type { ScenarioFault } from '../scenario/schema.js';
import type { Caller } from './caller.js';
import type { Finish } from './load.js';

/** The first sign that the gateway itself saw something. */
export interface Noticed {
  at: Date;
  by: string;
}

/** The system that a scenario is played on. */
export interface Stage {
  readonly place: 'own' | 'running';
  readonly caller: Caller;
  /** Undefined where nobody can play the person at the vendor's page. */
  readonly finish: Finish | undefined;
  /** Puts these faults to work and no others. */
  apply(faults: readonly ScenarioFault[]): Promise<void>;
  /** Attempts at the vendor that left the gateway so far. */
  attempts(): number;
  noticed(since: Date): Promise<Noticed | undefined>;
  /** Sessions that the vendor made since, by what it was told of their person; undefined where its books are closed to us. */
  sessionsMade(since: Date): Promise<ReadonlyMap<string, ReadonlySet<string>> | undefined>;
}
