import { type Call, ProblemError } from '../platform/index.js';

/** Room 2: user agents that hold one of the denied texts, in any case. A weak sign: whoever means harm can write another name. */
export function agentCheck(denied: readonly string[]): (call: Call) => void {
  const parts = denied.map((part) => part.toLowerCase());
  return (call) => {
    if (parts.length === 0) return;
    const agent = call.agent.toLowerCase();
    if (parts.some((part) => agent.includes(part))) throw new ProblemError('forbidden-agent', { rule: 'agent.denied' });
  };
}
