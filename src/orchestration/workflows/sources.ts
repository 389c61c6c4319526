import { z } from 'zod';
import { type Facts, fieldPath, memberOf, stepName } from './conditions.js';

const EXPECTED = [
  'firstName',
  'lastName',
  'dateOfBirth',
  'gender',
  'nationality',
  'country',
  'idCountry',
  'poaCountry',
  'address',
  'identificationNumber',
  'ipAddress',
] as const;

/** Where a member of a step's request comes from. */
export type Source =
  | { upload: string }
  | { subject: 'reference' | 'relationship' }
  | { expected: (typeof EXPECTED)[number] }
  | { step: string; field: string }
  | { value: string | number | boolean }
  /** All of them, with a text between; nothing when one is missing. */
  | { join: readonly Source[]; with: string }
  /** The first that is there. */
  | { firstOf: readonly Source[] };

const parts = () =>
  z.lazy(() => z.array(sourceSchema).min(1).max(8)) as z.ZodType<readonly Source[], readonly Source[]>;

export const sourceSchema: z.ZodType<Source, Source> = z.lazy(() =>
  z.union(
    [
      z.strictObject({ upload: stepName() }),
      z.strictObject({ subject: z.enum(['reference', 'relationship']) }),
      z.strictObject({ expected: z.enum(EXPECTED) }),
      z.strictObject({ step: stepName(), field: fieldPath() }),
      z.strictObject({ value: z.union([z.string().max(1_024), z.number(), z.boolean()]) }),
      z.strictObject({ join: parts(), with: z.string().max(16) }),
      z.strictObject({ firstOf: parts() }),
    ],
    { error: 'must be one of upload, subject, expected, step with field, value, join, firstOf' },
  ),
) as z.ZodType<Source, Source>;

/** What stands behind a run beside the results of its steps. */
export interface RunInput {
  reference: string | null;
  relationship: string;
  expected: Readonly<Record<string, unknown>>;
}

/** A member of a request: a value, or an upload by its name. */
export type Resolved = { value: string | number | boolean } | { upload: string };

/** Undefined when it is not there. */
export function resolve(source: Source, input: RunInput, facts: Facts): Resolved | undefined {
  if ('upload' in source) return facts.upload(source.upload) ? { upload: source.upload } : undefined;
  if ('value' in source) return { value: source.value };
  if ('firstOf' in source) {
    for (const part of source.firstOf) {
      const found = resolve(part, input, facts);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if ('join' in source) {
    const found = source.join.map((part) => resolve(part, input, facts));
    const texts = found.flatMap((part) => (part !== undefined && 'value' in part ? String(part.value) : []));
    return texts.length === found.length ? { value: texts.join(source.with) } : undefined;
  }
  return scalarOf(plainOf(source, input, facts));
}

function plainOf(source: Exclude<Source, { upload: string } | { value: unknown }>, input: RunInput, facts: Facts) {
  if ('subject' in source) return source.subject === 'reference' ? input.reference : input.relationship;
  if ('expected' in source) return input.expected[source.expected];
  return 'step' in source ? memberOf(facts.report(source.step), source.field) : undefined;
}

function scalarOf(value: unknown): Resolved | undefined {
  if (typeof value === 'string') return value === '' ? undefined : { value };
  return typeof value === 'number' || typeof value === 'boolean' ? { value } : undefined;
}

/** Every place in a source that names a step or an upload. */
export function* sourcesOf(
  source: Source,
  pointer: string,
): Generator<{ kind: 'step' | 'upload'; name: string; pointer: string }> {
  if ('upload' in source) yield { kind: 'upload', name: source.upload, pointer: `${pointer}/upload` };
  if ('step' in source) yield { kind: 'step', name: source.step, pointer: `${pointer}/step` };
  if ('join' in source) for (const [at, part] of source.join.entries()) yield* sourcesOf(part, `${pointer}/join/${at}`);
  if ('firstOf' in source)
    for (const [at, part] of source.firstOf.entries()) yield* sourcesOf(part, `${pointer}/firstOf/${at}`);
}
