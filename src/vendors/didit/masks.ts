import {
  compileMask,
  type CompiledMask,
  dropped,
  exempt,
  type ExtraMethod,
  type Masked,
  parsePath,
  type Pseudonymize,
} from '../../policy/index.js';
import { ConfigError } from '../../platform/index.js';
import { isObject, type JsonObject } from './json.js';
import { errorMask } from './masks-errors.js';
import { fullMask } from './masks-full.js';
import { leanMask } from './masks-lean.js';
import { plain, type Rights, sentence } from './media.js';
import { REPORTING, type ReportingModule } from './modules.js';
import type { OperationName } from './operations.js';

type Fixed = Extract<ReportingModule, { onboarding: true }>['result'];

/**
 * `result` of a verification: Didit's reports by module, in camelCase. The four of `onboarding` are always there, an empty list where one has
 * produced nothing; further modules are there once the decision has them.
 */
export type VerificationResult = { status: string | null } & Record<Fixed, JsonObject[]> &
  Partial<Record<ReportingModule['result'], JsonObject[]>>;

export interface ResultView {
  result: VerificationResult;
  /** Warnings of every module, those without a place in `result` included. */
  warnings: JsonObject[];
  unlisted: readonly string[];
}

/** Members whose own keys are data: a listing's words, the client's metadata. */
const VERBATIM = new Set([
  'metadata',
  'adverse_keywords',
  'risk_scores',
  'custom_list',
  'custom_fields',
  'source_data',
]);

/**
 * Didit's answers for a caller's eyes. Each view is compiled at its first use and kept: there are at most eight a kind of answer.
 * @throws ConfigError at construction when one of the operator's paths is malformed.
 */
export class DiditMasks {
  readonly #extra: Readonly<Record<string, ExtraMethod>>;
  readonly #pseudonymize: Pseudonymize;
  readonly #views = new Map<string, CompiledMask>();
  readonly #errors: CompiledMask;

  constructor(extra: Readonly<Record<string, ExtraMethod>>, pseudonymize: Pseudonymize) {
    for (const path of Object.keys(extra)) checkPath(path);
    this.#extra = extra;
    this.#pseudonymize = pseudonymize;
    this.#errors = compileMask(errorMask, { names: 'as-is', pseudonymize, guard: sentence });
  }

  /** An answer in Didit's own spelling, for the drop-in. */
  answer(operation: OperationName, body: unknown, rights: Rights): Masked {
    return this.#view(operation, rights, 'as-is')(body);
  }

  /** The body of an error that is passed on; its `value` is undefined when nothing of it may be shown and a problem of ours stands in. */
  error(body: unknown): Masked {
    const masked = this.#errors(body);
    const empty = Array.isArray(masked.value)
      ? masked.value.length === 0
      : isObject(masked.value)
        ? Object.keys(masked.value).length === 0
        : true;
    return empty ? { ...masked, value: undefined } : masked;
  }

  /** A decision as `result` and `warnings` of a verification, in camelCase. */
  result(decision: unknown, rights: Rights): ResultView {
    const { value, unlisted } = this.#view('session.decision', rights, 'camel')(decision);
    const view = isObject(value) ? value : {};
    return {
      result: { status: typeof view['status'] === 'string' ? view['status'] : null, ...reportsOf(view) },
      warnings: Object.values(view).flatMap((module) => objects(module).flatMap((item) => objects(item['warnings']))),
      unlisted,
    };
  }

  #view(operation: OperationName, rights: Rights, names: 'as-is' | 'camel'): CompiledMask {
    const key = `${operation} ${names} ${rights.pii} ${rights.pii && rights.media} ${rights.link}`;
    const known = this.#views.get(key);
    if (known !== undefined) return known;
    const mask = rights.pii ? fullMask(operation, rights) : leanMask(operation, rights.link ? exempt : dropped);
    const view = compileMask(mask, {
      names,
      pseudonymize: this.#pseudonymize,
      extra: this.#extra,
      verbatim: VERBATIM,
      ...(rights.pii ? {} : { guard: plain }),
    });
    this.#views.set(key, view);
    return view;
  }
}

function checkPath(path: string): void {
  try {
    parsePath(path);
  } catch (error) {
    throw new ConfigError(error instanceof Error ? error.message : 'is malformed', 'policy.masks.didit');
  }
}

/** The lists of `result`, in the table's order. */
function reportsOf(view: JsonObject): Omit<VerificationResult, 'status'> {
  const shown = REPORTING.filter(({ onboarding, result }) => onboarding || Array.isArray(view[result]));
  return Object.fromEntries(shown.map(({ result }) => [result, objects(view[result])])) as Omit<
    VerificationResult,
    'status'
  >;
}

function objects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
