import { z } from 'zod';
import { STEP_ENDS, type StepEnd } from './step-states.js';

const MOST_PARTS = 20;

type Scalar = string | number | boolean;

export interface IsCondition {
  step: string;
  is: StepEnd | readonly StepEnd[];
}

/** One comparison with a member of the step's report; what is not there compares with nothing. */
export interface FieldCondition {
  step: string;
  field: string;
  atLeast?: number | undefined;
  atMost?: number | undefined;
  equals?: Scalar | undefined;
  oneOf?: readonly Scalar[] | undefined;
  present?: boolean | undefined;
}

/** A condition on earlier results, as data: a closed form that nobody has to run. */
export type Condition =
  | IsCondition
  | FieldCondition
  | { upload: string; given: boolean }
  | { all: readonly Condition[] }
  | { any: readonly Condition[] }
  | { not: Condition };

export const stepName = () =>
  z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, { error: 'must be a name in small letters, digits and hyphens' });

/** Members of the vendor's report, in its own spelling; digits are places in a list. */
export const fieldPath = () =>
  z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,63}(\.(\d{1,3}|[a-z][a-z0-9_]{0,63})){0,7}$/, { error: 'must be a path such as score' });

const end = z.enum(STEP_ENDS);
const scalar = z.union([z.string().max(256), z.number(), z.boolean()]);
const COMPARISONS = ['atLeast', 'atMost', 'equals', 'oneOf', 'present'] as const;

const is = z.strictObject({ step: stepName(), is: z.union([end, z.array(end).min(1).max(STEP_ENDS.length)]) });
const field = z
  .strictObject({
    step: stepName(),
    field: fieldPath(),
    atLeast: z.number().optional(),
    atMost: z.number().optional(),
    equals: scalar.optional(),
    oneOf: z.array(scalar).min(1).max(50).optional(),
    present: z.boolean().optional(),
  })
  .refine((value) => COMPARISONS.filter((name) => value[name] !== undefined).length === 1, {
    error: `needs one of ${COMPARISONS.join(', ')}`,
  });
const upload = z.strictObject({ upload: stepName(), given: z.boolean() });
const parts = () =>
  z.lazy(() => z.array(conditionSchema).max(MOST_PARTS)) as z.ZodType<readonly Condition[], readonly Condition[]>;

/** Chosen by its members, so that what is wrong in it is told at its own place. */
export const conditionSchema: z.ZodType<Condition, Condition> = z.lazy(() =>
  z.unknown().transform((value, context): Condition => {
    const parsed = formOf(value).safeParse(value);
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) context.issues.push({ ...issue, input: value } as never);
    return z.NEVER;
  }),
) as z.ZodType<Condition, Condition>;

const FORMS: readonly [string, z.ZodType<Condition>][] = [
  ['all', z.strictObject({ all: parts() })],
  ['any', z.strictObject({ any: parts() })],
  ['not', z.strictObject({ not: conditionSchema })],
  ['field', field],
  ['upload', upload],
];

function formOf(value: unknown): z.ZodType<Condition> {
  const found = FORMS.find(([member]) => typeof value === 'object' && value !== null && member in value);
  return found?.[1] ?? is;
}

/** What conditions and inputs may look at. */
export interface Facts {
  /** How an earlier step ended; undefined while it has not. */
  end(step: string): StepEnd | undefined;
  /** Its report as kept, without pictures; undefined when there is none. */
  report(step: string): unknown;
  upload(name: string): boolean;
}

export function holds(condition: Condition, facts: Facts): boolean {
  if ('all' in condition) return condition.all.every((part) => holds(part, facts));
  if ('any' in condition) return condition.any.some((part) => holds(part, facts));
  if ('not' in condition) return !holds(condition.not, facts);
  if ('upload' in condition) return facts.upload(condition.upload) === condition.given;
  if ('field' in condition) return compares(condition, memberOf(facts.report(condition.step), condition.field));
  const end = facts.end(condition.step);
  return end !== undefined && [condition.is].flat().includes(end);
}

function compares(condition: FieldCondition, value: unknown): boolean {
  const { atLeast, atMost, equals, oneOf, present } = condition;
  if (present !== undefined) return (value !== undefined && value !== null) === present;
  if (atLeast !== undefined) return typeof value === 'number' && value >= atLeast;
  if (atMost !== undefined) return typeof value === 'number' && value <= atMost;
  return oneOf === undefined ? value === equals : oneOf.some((one) => one === value);
}

/** The member at a dotted path, of own members only. */
export function memberOf(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (node, key) =>
        typeof node === 'object' && node !== null && Object.hasOwn(node, key)
          ? (node as Record<string, unknown>)[key]
          : undefined,
      value,
    );
}

/** Every place in a condition that names a step or an upload, with its pointer below the condition's own. */
export function* mentioned(
  condition: Condition,
  pointer: string,
): Generator<{ kind: 'step' | 'upload'; name: string; pointer: string }> {
  if ('all' in condition || 'any' in condition) {
    const [member, inner] = 'all' in condition ? ['all', condition.all] : ['any', condition.any];
    for (const [at, part] of inner.entries()) yield* mentioned(part, `${pointer}/${member}/${at}`);
  } else if ('not' in condition) yield* mentioned(condition.not, `${pointer}/not`);
  else if ('upload' in condition) yield { kind: 'upload', name: condition.upload, pointer: `${pointer}/upload` };
  else yield { kind: 'step', name: condition.step, pointer: `${pointer}/step` };
}
