import type { Config } from '../../platform/index.js';
import type { Attempt } from '../proxy/attempts.js';
import type { Scenario, ScenarioFault } from '../scenario/schema.js';
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
  /** What its gateways are set to. */
  readonly config: Config;
  /** Undefined where nobody can play the person at the vendor's page. */
  readonly finish: Finish | undefined;
  /** Is as the scenario wants its system. */
  prepare(system: Scenario['system']): Promise<void>;
  /** Puts these faults to work and no others. */
  apply(faults: readonly ScenarioFault[]): Promise<void>;
  /** Attempts at the vendor since. */
  attempts(since: Date): readonly Attempt[];
  noticed(since: Date): Promise<Noticed | undefined>;
  /** Sessions that the vendor made since, by what it was told of their person; undefined where its books are closed to us. */
  sessionsMade(since: Date): Promise<ReadonlyMap<string, ReadonlySet<string>> | undefined>;
}
