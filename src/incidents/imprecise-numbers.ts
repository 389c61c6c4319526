import { type Call, ProblemError } from '../platform/index.js';
import { findImpreciseNumbers } from './engine/numbers.js';

/**
 * Refuses a body in which JSON.parse has silently changed a number: only the raw text still shows it.
 * @throws ProblemError `invalid-request` with a pointer to each
 */
export function refuseImpreciseNumbers(call: Call): void {
  const pointers = findImpreciseNumbers(call.rawBody?.toString('utf8') ?? '');
  if (pointers.length === 0) return;
  throw new ProblemError('invalid-request', {
    rule: 'input.imprecise-number',
    errors: pointers.map((pointer) => ({
      pointer,
      message: 'has more digits than a JSON number carries exactly: send it as a string',
    })),
  });
}
