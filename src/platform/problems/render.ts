import { type ProblemCode, PROBLEMS, problemType } from './catalogue.js';
import type { FieldError } from './problem-error.js';

export const PROBLEM_JSON = 'application/problem+json; charset=utf-8';

export interface RenderedProblem {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance?: string;
  code: ProblemCode;
  decisionId: string;
  traceId: string;
  errors?: FieldError[];
}

/** RFC 9457 section 3, with our extension members. `instance` is the path without its query, which may carry personal data. */
export function renderProblem(
  code: ProblemCode,
  of: { decisionId: string; traceId: string; path?: string; detail?: string; errors?: FieldError[] },
): RenderedProblem {
  return {
    type: problemType(code),
    title: PROBLEMS[code].title,
    status: PROBLEMS[code].status,
    detail: of.detail ?? PROBLEMS[code].detail,
    ...(of.path === undefined ? {} : { instance: of.path }),
    code,
    decisionId: of.decisionId,
    traceId: of.traceId,
    ...(of.errors === undefined ? {} : { errors: of.errors }),
  };
}
