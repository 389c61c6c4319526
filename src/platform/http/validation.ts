import { StandardSchemaValidationPipe } from '@nestjs/common';
import { type FieldError, ProblemError } from '../problems/problem-error.js';

export interface Issue {
  message: string;
  path?: readonly (PropertyKey | { key: PropertyKey })[] | undefined;
}

const MOST_ERRORS = 50;

/** JSON pointer (RFC 6901) of an issue's path. */
function pointer(path: Issue['path']): string {
  return (path ?? [])
    .map((segment) => String(typeof segment === 'object' ? segment.key : segment))
    .map((segment) => `/${segment.replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
}

/** A zod issue about unknown members names them in `keys`: each gets a pointer of its own. */
function spread(issue: Issue & { code?: string; keys?: string[] }): FieldError[] {
  if (issue.code !== 'unrecognized_keys' || !issue.keys)
    return [{ pointer: pointer(issue.path), message: issue.message }];
  return issue.keys.map((key) => ({
    pointer: pointer([...(issue.path ?? []), key]),
    message: 'is not a member that this operation takes',
  }));
}

/** What a schema found wrong, as the refusal of the request: a pointer an error and never the value. */
export function invalidRequest(issues: readonly Issue[]): ProblemError {
  return new ProblemError('invalid-request', {
    errors: issues.flatMap((issue) => spread(issue)).slice(0, MOST_ERRORS),
    rule: 'input.schema',
  });
}

/** Room 7: zod schemas at the handlers. */
export function validationPipe(): StandardSchemaValidationPipe {
  return new StandardSchemaValidationPipe({ exceptionFactory: invalidRequest });
}
