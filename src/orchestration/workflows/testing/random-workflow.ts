import { checkDefinition } from '../checker.js';
import type { Condition } from '../conditions.js';
import { definitionSchema, type WrittenDefinition } from '../definition.js';
import { ancestorsOf } from '../graph.js';
import { STEP_ENDS } from '../step-states.js';

/** Numbers that a property gives, read one after the other: the same numbers make the same workflow and the same faults. */
export class Tape {
  #at = 0;

  constructor(private readonly numbers: readonly number[]) {}

  /** Below `most`; 0 once the tape has run out. */
  next(most: number): number {
    const number = this.numbers[this.#at++] ?? 0;
    return number % most;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.next(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  get ended(): boolean {
    return this.#at >= this.numbers.length;
  }
}

const MOST_STEPS = 5;

/** A sound workflow of up to five steps: checks that must not be done twice, keyed ones, and ones that may be repeated. */
export function randomWorkflow(tape: Tape): WrittenDefinition {
  for (let tries = 0; tries < 20; tries += 1) {
    const written = attempt(tape);
    if (checkDefinition(definitionSchema.parse(written)).length === 0) return written;
  }
  return { steps: [screening('s0')], outcome: [{ is: 'approved' }] };
}

type Step = WrittenDefinition['steps'][number];

function attempt(tape: Tape): WrittenDefinition {
  const steps: Step[] = [];
  for (let n = 1 + tape.next(MOST_STEPS); steps.length < n;) steps.push(stepOf(tape, steps));
  const pictured = steps.some(({ operation }) => operation === 'passive-liveness');
  const names = steps.map(({ name }) => name);
  return {
    ...(pictured ? { uploads: { selfie: {} } } : {}),
    fallback: tape.pick([['manual'], ['queued', 'manual'], ['queued'], []]),
    steps,
    outcome: [
      { when: conditionOf(tape, names, 2), is: 'declined' },
      { when: conditionOf(tape, names, 2), is: 'approved' },
      { is: 'in-review' },
    ],
  };
}

function stepOf(tape: Tape, before: readonly Step[]): Step {
  const name = `s${before.length}`;
  const after = before.map((step) => step.name).filter(() => tape.next(2) === 0);
  const known = [
    ...ancestorsOf([...before.map((step) => ({ ...step, after: step.after ?? [] })), { name, after }], name),
  ];
  const when = known.length > 0 && tape.next(3) > 0 ? { when: conditionOf(tape, known, 2) } : {};
  const kind = tape.next(4) === 0 ? screening(name) : check(name);
  const retry = { count: tape.next(3), backoff: '1s', most: '10s' };
  const fallback = tape.next(3) === 0 ? { fallback: ['manual' as const] } : {};
  return { ...kind, after, ...when, retry, repeat: tape.next(6) === 0, ...fallback };
}

const screening = (name: string): Step => ({ name, operation: 'aml', input: { full_name: { value: 'Nuria Prat' } } });
const check = (name: string): Step => ({
  name,
  operation: 'passive-liveness',
  input: { user_image: { upload: 'selfie' } },
});

function conditionOf(tape: Tape, names: readonly string[], depth: number): Condition {
  const step = tape.pick(names);
  switch (tape.next(depth > 0 ? 6 : 3)) {
    case 0:
      return { step, is: tape.pick(STEP_ENDS) };
    case 1:
      return { step, is: [tape.pick(STEP_ENDS), tape.pick(STEP_ENDS)] };
    case 2:
      return { step, field: 'score', atLeast: tape.next(100) };
    case 3:
      return { all: [conditionOf(tape, names, depth - 1), conditionOf(tape, names, depth - 1)] };
    case 4:
      return { any: [conditionOf(tape, names, depth - 1), conditionOf(tape, names, depth - 1)] };
    default:
      return { not: conditionOf(tape, names, depth - 1) };
  }
}
