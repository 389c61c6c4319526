import type { Readings } from './readings.js';
import { WEIGHTS, type Weight } from './rules.js';
import type { Ternary } from './ternary.js';

/** How each part of Article 8(1) stands; null is unknown. */
export type Standing = Readonly<Record<Weight, Ternary>>;

/** Article 8(1): the limb by which an incident is major, or null. */
export type Limb = '8(1)(a)' | '8(1)(b)' | null;

/** The six thresholds that Article 8(1)(b) counts, one for each criterion; Article 6 is the gate and not one of them. */
const COUNTED = [
  'clientsCounterpartsTransactions',
  'reputationalImpact',
  'durationDowntime',
  'geographicalSpread',
  'adverseDataLoss',
  'economicImpact',
] as const satisfies readonly Weight[];

export interface Decision {
  /** Article 8(1)(a) holds */
  readonly byAccess: boolean;
  /** Article 8(1)(b) holds */
  readonly byCount: boolean;
  readonly otherThresholds: number;
  readonly limb: Limb;
}

/** What is known decides: an unknown counts as not met. */
export function decide(standing: Standing, inScope: boolean, readings: Readings): Decision {
  const open = inScope && standing.criticalServices === true;
  const otherThresholds = COUNTED.filter((weight) => standing[weight] === true).length;
  const covered = readings.nine5b === 'literal' && standing.adverseDataLoss === true;
  const byAccess = open && standing.maliciousAccess === true && !covered;
  const byCount = open && otherThresholds >= 2;
  return { byAccess, byCount, otherThresholds, limb: limbOf(byAccess, byCount) };
}

function limbOf(byAccess: boolean, byCount: boolean): Limb {
  if (byAccess) return '8(1)(a)';
  return byCount ? '8(1)(b)' : null;
}

/** What the unknowns leave open. */
export interface Outlook {
  /** the unknown parts that would turn `major` over in at least one way in which the other unknowns can come out */
  readonly pivotal: ReadonlySet<Weight>;
  /** whether some way of the unknowns makes Article 8(1)(a) hold, and (b) */
  readonly accessPossible: boolean;
  readonly countPossible: boolean;
}

/** Goes through every way in which the unknowns can come out: at most two to the power of eight. */
export function outlook(standing: Standing, inScope: boolean, readings: Readings): Outlook {
  const unknown = WEIGHTS.filter((weight) => standing[weight] === null);
  const ways = completions(standing, unknown);
  const isMajor = (way: Standing) => decide(way, inScope, readings).limb !== null;
  const tips = (weight: Weight) =>
    ways.some((way) => isMajor({ ...way, [weight]: true }) !== isMajor({ ...way, [weight]: false }));
  return {
    pivotal: new Set(unknown.filter(tips)),
    accessPossible: ways.some((way) => decide(way, inScope, readings).byAccess),
    countPossible: ways.some((way) => decide(way, inScope, readings).byCount),
  };
}

function completions(standing: Standing, unknown: readonly Weight[]): Standing[] {
  return unknown.reduce<Standing[]>(
    (ways, weight) =>
      ways.flatMap((way) => [
        { ...way, [weight]: false },
        { ...way, [weight]: true },
      ]),
    [standing],
  );
}
