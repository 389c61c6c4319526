import { type Call, ProblemError } from '../platform/index.js';

/** Room 1: a trusted proxy that says the caller came over plain HTTP is refused; plain HTTP on our own port never gets this far. */
export function httpsOnly(call: Call): void {
  if (!call.secure) throw new ProblemError('https-required', { rule: 'transport.https' });
}
