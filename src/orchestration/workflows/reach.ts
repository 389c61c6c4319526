import { type Condition, mentioned } from './conditions.js';
import type { Definition, StepDefinition } from './definition.js';
import { inOrder } from './graph.js';
import { STEP_ENDS, type StepEnd } from './step-states.js';

/** With more steps than these in one condition it counts as one that can hold. */
const MOST_TRIED = 6;
const RAN: readonly StepEnd[] = ['passed', 'failed', 'review'];

/** Places of the steps whose condition holds under no ending of the steps before. What it says of members is left open. */
export function neverRuns({ steps }: Definition): number[] {
  const ends = new Map<string, readonly StepEnd[]>();
  const never: number[] = [];
  for (const step of inOrder(steps)) {
    const can = verdicts(step, ends);
    if (!can.has(true)) never.push(steps.indexOf(step));
    ends.set(step.name, [...(can.has(true) ? RAN : []), ...(can.has(false) ? (['skipped'] as const) : [])]);
  }
  return never;
}

/** Which ways the step's condition can go. */
function verdicts({ when }: StepDefinition, ends: ReadonlyMap<string, readonly StepEnd[]>): Set<boolean> {
  if (when === undefined) return new Set([true]);
  const names = [...new Set([...mentioned(when, '')].flatMap(({ kind, name }) => (kind === 'step' ? name : [])))];
  if (names.length > MOST_TRIED) return new Set([true, false]);
  const found = new Set<boolean>();
  for (const assigned of assignments(names, ends)) for (const verdict of possible(when, assigned)) found.add(verdict);
  return found;
}

function* assignments(
  names: readonly string[],
  ends: ReadonlyMap<string, readonly StepEnd[]>,
): Generator<ReadonlyMap<string, StepEnd>> {
  const [first, ...rest] = names;
  if (first === undefined) {
    yield new Map();
    return;
  }
  for (const tail of assignments(rest, ends))
    for (const end of ends.get(first) ?? STEP_ENDS) yield new Map([...tail, [first, end]]);
}

/** Three-valued: a comparison can go either way, save that a skipped step has no report. */
function possible(condition: Condition, ends: ReadonlyMap<string, StepEnd>): readonly boolean[] {
  if ('not' in condition) return possible(condition.not, ends).map((value) => !value);
  if ('all' in condition)
    return together(
      condition.all.map((part) => possible(part, ends)),
      false,
    );
  if ('any' in condition)
    return together(
      condition.any.map((part) => possible(part, ends)),
      true,
    );
  if ('upload' in condition) return [true, false];
  if ('field' in condition) {
    if (ends.get(condition.step) === 'skipped') return [condition.present === false];
    return [true, false];
  }
  const end = ends.get(condition.step);
  return [end !== undefined && [condition.is].flat().includes(end)];
}

/** `all` is decided by one false, `any` by one true: by `decisive`. */
function together(parts: readonly (readonly boolean[])[], decisive: boolean): readonly boolean[] {
  const can: boolean[] = [];
  if (parts.some((part) => part.includes(decisive))) can.push(decisive);
  if (parts.every((part) => part.includes(!decisive))) can.push(!decisive);
  return can;
}
