import { type Facts, holds } from './conditions.js';
import { type Definition, ladderOf, type Outcome, type StepDefinition } from './definition.js';
import type { StepRow } from './run-store.js';
import { resolve, type Resolved, type RunInput, sourcesOf } from './sources.js';
import { isEnded, type StepEnd, type StepEvent } from './step-states.js';
import { stepOperation } from './step-operations.js';

/** All that the next move of a run depends on. */
export interface Snapshot {
  definition: Definition;
  steps: readonly StepRow[];
  reports: ReadonlyMap<string, unknown>;
  uploads: ReadonlySet<string>;
  input: RunInput;
  deadline: Date;
  now: Date;
}

/** Members of a request by name. */
export type StepRequest = Readonly<Record<string, Resolved>>;

export interface Move {
  step: StepRow;
  definition: StepDefinition;
  event: StepEvent;
  reason?: string;
  /** What is sent, with the event `sent`. */
  request?: StepRequest;
}

function factsOf({ steps, reports, uploads }: Pick<Snapshot, 'steps' | 'reports' | 'uploads'>): Facts {
  const states = new Map(steps.map((step) => [step.name, step.state]));
  return {
    end: (name) => {
      const state = states.get(name);
      return state !== undefined && state !== 'error' && isEnded(state) ? (state as StepEnd) : undefined;
    },
    report: (name) => reports.get(name),
    upload: (name) => uploads.has(name),
  };
}

/** The next thing that happens to a step without the vendor's doing; undefined when all that is left is to wait, or nothing is left. */
export function nextMove(snapshot: Snapshot): Move | undefined {
  const { definition, steps } = snapshot;
  const failing = steps.some(({ state }) => state === 'error');
  for (const step of steps) {
    if (isEnded(step.state) || step.state === 'sending') continue;
    const own = definition.steps.find(({ name }) => name === step.name);
    if (own === undefined) throw new Error('a step stands in no definition');
    const move = failing ? ({ event: 'stopped', reason: 'error-elsewhere' } as const) : moveOf(snapshot, step, own);
    if (move !== undefined) return { step, definition: own, ...move };
  }
  return undefined;
}

function moveOf(snapshot: Snapshot, step: StepRow, own: StepDefinition): Omit<Move, 'step' | 'definition'> | undefined {
  const { definition, steps, now, deadline, input } = snapshot;
  const facts = factsOf(snapshot);
  const begun = step.state !== 'waiting';
  const free = begun || own.after.every((name) => steps.some((other) => other.name === name && isEnded(other.state)));
  if (free && !begun && own.when !== undefined && !holds(own.when, facts))
    return { event: 'passed-over', reason: 'condition' };
  if (now >= deadline) return { event: fallOf(definition, own), reason: 'time-over' };
  if (!free || (step.notBefore !== null && step.notBefore > now)) return undefined;
  const request = requestOf(own, input, facts);
  return request === undefined
    ? { event: fallOf(definition, own), reason: 'input-missing' }
    : { event: 'sent', request };
}

/** The lowest rung that needs no vendor. */
export function fallOf(definition: Definition, step: StepDefinition): 'fell-to.manual' | 'fell-to.error' {
  return ladderOf(definition, step).includes('manual') ? 'fell-to.manual' : 'fell-to.error';
}

/** Undefined when something is missing that the operation needs. */
function requestOf(step: StepDefinition, input: RunInput, facts: Facts): StepRequest | undefined {
  const needs = stepOperation(step.operation)?.needs ?? {};
  const request: Record<string, Resolved> = {};
  for (const [name, source] of Object.entries(step.input)) {
    const value = resolve(source, input, facts);
    if (value !== undefined) request[name] = value;
    else if (Object.hasOwn(needs, name)) return undefined;
  }
  return request;
}

/** What came of a run whose steps have all ended, and the place of the rule that says so; `failed` when no rung was left somewhere. */
export function outcomeOf(
  definition: Definition,
  snapshot: Pick<Snapshot, 'steps' | 'reports' | 'uploads'>,
): { is: Outcome | 'failed'; rule: number | undefined } {
  if (snapshot.steps.some(({ state }) => state === 'error')) return { is: 'failed', rule: undefined };
  const facts = factsOf(snapshot);
  const rule = definition.outcome.findIndex(({ when }) => when === undefined || holds(when, facts));
  const is = definition.outcome[rule]?.is;
  if (is === undefined || is === 'as-vendor') throw new Error('the outcome of a run is total');
  return { is, rule };
}

/** When the run is due again although nothing of it is under way. */
export function wakeOf(steps: readonly StepRow[], deadline: Date): Date {
  const rests = steps.flatMap(({ notBefore }) => notBefore?.getTime() ?? []);
  return new Date(Math.min(deadline.getTime(), ...rests));
}

/** Uploads whose bytes no step needs any more. */
export function spentUploads(definition: Definition, steps: readonly StepRow[], kept: readonly string[]): string[] {
  const needed = new Set(
    definition.steps
      .filter(({ name }) => steps.some((step) => step.name === name && !isEnded(step.state)))
      .flatMap(({ input }) => Object.values(input).flatMap((source) => [...sourcesOf(source, '')]))
      .flatMap(({ kind, name }) => (kind === 'upload' ? name : [])),
  );
  return kept.filter((name) => !needed.has(name));
}
