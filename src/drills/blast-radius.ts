import { type Config, invalidRequest } from '../platform/index.js';
import type { Plan } from './schemas.js';

type Limits = Config['drills']['limits'];

/** @throws ProblemError `invalid-request` that points at what goes beyond the limits (`drills.limits`) */
export function checkLimits(plan: Plan, limits: Limits): void {
  const { scope, durationMs, mostCalls } = plan;
  const beyond: { path: string[]; message: string }[] = [];
  const refuse = (path: string[], message: string): void => void beyond.push({ path: ['plan', ...path], message });
  if (scope.clients === undefined && scope.share > limits.share)
    refuse(['scope', 'share'], `must be at most ${limits.share} for a drill that names no clients`);
  if (scope.clients !== undefined && scope.clients.length > limits.clients)
    refuse(['scope', 'clients'], `must name at most ${limits.clients} clients`);
  if (durationMs > limits.duration) refuse(['durationMs'], `must be at most ${limits.duration}`);
  if (mostCalls !== undefined && mostCalls > limits.calls) refuse(['mostCalls'], `must be at most ${limits.calls}`);
  if (beyond.length > 0) throw invalidRequest(beyond);
}
