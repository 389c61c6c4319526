import type { DrillReport } from '../report/schema.js';
import type { Scenario } from '../scenario/schema.js';
import { latenessMs, sortOf } from './figures.js';
import type { Outcome } from './load.js';
import { breakerName, type Probing } from './probes.js';

type Expectation = DrillReport['expectations'][number];

export interface Findings {
  outcomes: readonly Outcome[];
  measured: DrillReport['measured'];
  probings: readonly Probing[];
  undecided: number;
}

/** Holds what was measured to what the scenario expects. What could not be measured is not met. */
export function judge(
  { expect, load, faults }: Scenario,
  { outcomes, measured, probings, undecided }: Findings,
): Expectation[] {
  const out: Expectation[] = [
    ...wellBefore(outcomes, Math.min(...faults.map(({ from }) => from)), load.deadline),
    atMost('the latest answer', measured.latestAnswerMs, load.deadline + expect.lateBy, 'ms'),
    atMost('lost verifications', measured.lost, expect.lost),
    atMost('doubled effects at the vendor', measured.doubled, expect.doubled),
    atMost('normal service after the end of the faults', measured.timeToRecoverMs, expect.recoveredWithin, 'ms'),
  ];
  if (expect.detectedWithin !== undefined)
    out.push(atMost('noticed by the gateway itself', measured.timeToDetectMs, expect.detectedWithin, 'ms'));
  if (expect.fellBackWithin !== undefined)
    out.push(atMost('first fallback or fast refusal', measured.timeToFallBackMs, expect.fellBackWithin, 'ms'));
  if (expect.breakerOpensWithin !== undefined)
    out.push(atMost('a breaker opened', measured.breakerOpenedMs, expect.breakerOpensWithin, 'ms'));
  for (const { operation, attempts, most } of probings)
    out.push(atMost(`attempts at the dead vendor while ${breakerName(operation)} was open`, attempts.length, most));
  if (expect.earlyAttempts !== undefined)
    out.push(atMost('attempts before the time that a 429 named', measured.earlyAttempts, expect.earlyAttempts));
  if (expect.decidedWithin !== undefined)
    out.push(atMost(`finished verifications not approved within ${expect.decidedWithin} ms`, undecided, 0));
  if (expect.codes !== undefined) out.push(onlyCodes(outcomes, expect.codes));
  return out;
}

/**
 * A drill on a system that is not well without it says nothing about its faults. One whose fault begins with the load has nothing before it
 * to measure.
 */
function wellBefore(outcomes: readonly Outcome[], faultMs: number, deadlineMs: number): Expectation[] {
  // Those of the second half may still be on their way when the fault begins.
  const due = outcomes.filter(({ dueMs }) => dueMs < faultMs / 2);
  if (due.length === 0) return [];
  const bad = due.filter((outcome) => sortOf(outcome) !== 'fresh' || latenessMs(outcome) > deadlineMs).length;
  return [
    {
      what: 'the system is well before the first fault',
      expected: 'only fresh answers in time',
      measured: bad === 0 ? `${due.length} of them` : `${bad} others`,
      met: bad === 0,
    },
  ];
}

function atMost(what: string, value: number | null, most: number, unit = ''): Expectation {
  const said = (number: number): string => (unit === '' ? String(number) : `${number} ${unit}`);
  return {
    what,
    expected: `at most ${said(most)}`,
    measured: value === null ? 'not seen' : said(value),
    met: value !== null && value <= most,
  };
}

function onlyCodes(outcomes: readonly Outcome[], allowed: readonly number[]): Expectation {
  const others = new Set(outcomes.map(({ status }) => status).filter((status) => !allowed.includes(status)));
  const named = [...others].map((status) => (status === 0 ? 'no answer' : String(status)));
  return {
    what: 'codes answered',
    expected: `only ${allowed.join(', ')}`,
    measured: named.length === 0 ? 'only these' : `also ${named.join(', ')}`.slice(0, 200),
    met: others.size === 0,
  };
}
