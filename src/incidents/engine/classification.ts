import { decide, outlook, type Decision, type Limb, type Outlook, type Standing } from './decision.js';
import { formatDecimal } from './decimal.js';
import { factValues, type FactName, type FactValues } from './facts.js';
import { resolveReadings, type Readings } from './readings.js';
import { RULES, type Rule, type Weight } from './rules.js';
import type { Facts, ReadingsInput } from './schemas.js';
import { anyOf, type Ternary } from './ternary.js';
import type { Finding } from './rule-tests.js';

/** Version of the rules below: to be raised with any change that can alter an answer. */
export const ENGINE_VERSION = '2024-1772/1';

/** The six criteria by the names of the contract. */
interface Criteria {
  readonly clientsCounterpartsTransactions: boolean;
  readonly reputationalImpact: boolean;
  readonly durationDowntime: boolean;
  readonly geographicalSpread: boolean;
  readonly dataLosses: boolean;
  readonly economicImpact: boolean;
}

/** What a fact was when a rule was decided; decimals as strings, null is unknown. */
type InputValue = boolean | number | string | readonly string[] | null;

/** Why one rule came out as it did: met, not met (false) or unknown (null). */
export interface ExplanationRow {
  readonly rule: string;
  readonly met: Ternary;
  readonly inputs: Readonly<Record<string, InputValue>>;
  readonly text: string;
  readonly article: string;
  /** decided on an estimate: a base of zero, or figures of several incidents added up */
  readonly estimate?: true;
}

/** The engine's answer; an unknown counts as not met in all booleans. */
export interface Classification {
  readonly inScope: boolean;
  readonly gateArt6: boolean;
  readonly criteria: Criteria;
  /** the rules of Article 9 that are met, by label */
  readonly sub: Readonly<Record<string, true>>;
  /** 0 to 6: met thresholds of Article 8(1)(b), one for each criterion, of data losses only point (a) */
  readonly otherThresholds: number;
  readonly limb: Limb;
  readonly major: boolean;
  /** every rule of Articles 6 and 9, then the two limbs of Article 8(1) */
  readonly explanation: readonly ExplanationRow[];
  /** the unknown rules of which, the others coming out one way or another, being met or not would change `major` */
  readonly unknowns: readonly string[];
  /** the rules that were decided on an estimate */
  readonly estimates: readonly string[];
  readonly readings: Readings;
  readonly engineVersion: string;
}

/** What is known about the quality of facts that were added up from several incidents. */
export interface Caveats {
  readonly estimated: ReadonlySet<FactName>;
  /** facts that may be larger than told, because a part of the sum is not known */
  readonly atLeast: ReadonlySet<FactName>;
}

const NO_CAVEATS: Caveats = { estimated: new Set(), atLeast: new Set() };

/**
 * Classifies an incident by Articles 1 to 9 of Delegated Regulation (EU) 2024/1772. A pure function of checked facts:
 * what is absent or null is unknown, counts as not met, and is named where it could still tip the result.
 */
export function classify(facts: Facts, readings?: ReadingsInput | null, caveats: Caveats = NO_CAVEATS): Classification {
  const chosen = resolveReadings(readings);
  const inScope = facts.ictRelatedIncident ?? true;
  const values = factValues(facts);
  const results = RULES.map((rule) => ({ rule, finding: findingOf(rule, values, chosen, caveats) }));
  const standing = standingOf(results);
  const decision = decide(standing, inScope, chosen);
  const open = outlook(standing, inScope, chosen);
  return {
    inScope,
    gateArt6: standing.criticalServices === true,
    criteria: criteriaOf(standing),
    sub: subOf(results),
    otherThresholds: decision.otherThresholds,
    limb: decision.limb,
    major: decision.limb !== null,
    explanation: [...results.map((result) => rowOf(result, values)), ...limbRows(decision, open, standing, inScope)],
    unknowns: results.filter((result) => couldTip(result, open.pivotal)).map(({ rule }) => rule.id),
    estimates: results.filter(({ finding }) => finding.estimate === true).map(({ rule }) => rule.id),
    readings: chosen,
    engineVersion: ENGINE_VERSION,
  };
}

interface Result {
  readonly rule: Rule;
  readonly finding: Finding;
}

function findingOf(rule: Rule, values: FactValues, readings: Readings, caveats: Caveats): Finding {
  const finding = settle(rule, values, readings, caveats);
  const estimated = finding.met !== null && rule.test.needs.some((name) => caveats.estimated.has(name));
  return estimated ? { ...finding, estimate: true } : finding;
}

/** A figure that may be larger can prove a rule met and cannot prove it unmet: for that it is as good as unknown. */
function settle({ test }: Rule, values: FactValues, readings: Readings, { atLeast }: Caveats): Finding {
  const finding = test.decide(values, readings);
  const vague = test.needs.filter((name) => atLeast.has(name));
  if (finding.met !== false || vague.length === 0) return finding;
  const without = test.decide({ ...values, ...Object.fromEntries(vague.map((name) => [name, null])) }, readings);
  return without.met === null ? { met: null, because: `${finding.because}, and not all of it is known` } : finding;
}

function standingOf(results: readonly Result[]): Standing {
  const weigh = (weight: Weight): Ternary =>
    anyOf(
      results
        .filter(({ rule }) => rule.weight === weight)
        .map(({ finding }) => (finding.cannotBeMet === true ? false : finding.met)),
    );
  return {
    criticalServices: weigh('criticalServices'),
    clientsCounterpartsTransactions: weigh('clientsCounterpartsTransactions'),
    reputationalImpact: weigh('reputationalImpact'),
    durationDowntime: weigh('durationDowntime'),
    geographicalSpread: weigh('geographicalSpread'),
    adverseDataLoss: weigh('adverseDataLoss'),
    economicImpact: weigh('economicImpact'),
    maliciousAccess: weigh('maliciousAccess'),
  };
}

function criteriaOf(standing: Standing): Criteria {
  return {
    clientsCounterpartsTransactions: standing.clientsCounterpartsTransactions === true,
    reputationalImpact: standing.reputationalImpact === true,
    durationDowntime: standing.durationDowntime === true,
    geographicalSpread: standing.geographicalSpread === true,
    dataLosses: standing.adverseDataLoss === true || standing.maliciousAccess === true,
    economicImpact: standing.economicImpact === true,
  };
}

/** The gate is no sub-condition of a criterion: only the rules of Article 9 stand here. */
function subOf(results: readonly Result[]): Record<string, true> {
  const met = results.filter(({ rule, finding }) => finding.met === true && rule.weight !== 'criticalServices');
  return Object.fromEntries(met.map(({ rule }) => [rule.id, true as const]));
}

function couldTip({ rule, finding }: Result, pivotal: ReadonlySet<Weight>): boolean {
  return finding.met === null && finding.cannotBeMet !== true && pivotal.has(rule.weight);
}

function rowOf({ rule, finding }: Result, values: FactValues): ExplanationRow {
  return {
    rule: rule.id,
    met: finding.met,
    inputs: Object.fromEntries(rule.test.needs.map((name) => [name, inputValue(values[name])])),
    text: `${verdict(finding.met)}: ${rule.asks} (${finding.because}).`,
    article: `Delegated Regulation (EU) 2024/1772, ${rule.article}`,
    ...(finding.estimate === true ? { estimate: true as const } : {}),
  };
}

function inputValue(value: FactValues[FactName]): InputValue {
  if (value === null || typeof value !== 'object') return value;
  return 'units' in value ? formatDecimal(value) : value;
}

function verdict(met: Ternary): string {
  if (met === null) return 'Unknown';
  return met ? 'Met' : 'Not met';
}

function limbRows(decision: Decision, open: Outlook, standing: Standing, inScope: boolean): ExplanationRow[] {
  const gate = inScope
    ? `critical services affected: ${answer(standing.criticalServices)}`
    : 'not an ICT-related incident, so out of scope';
  const access = orUnknown(decision.byAccess, open.accessPossible);
  const count = orUnknown(decision.byCount, open.countPossible);
  return [
    {
      rule: '8(1)(a)',
      met: access,
      inputs: { inScope, gateArt6: standing.criticalServices, '9(5)(b)': standing.maliciousAccess },
      text: `${verdict(access)}: critical services are affected and Article 9(5), point (b), is met (${gate}).`,
      article: 'Delegated Regulation (EU) 2024/1772, Article 8(1), point (a)',
    },
    {
      rule: '8(1)(b)',
      met: count,
      inputs: { inScope, gateArt6: standing.criticalServices, otherThresholds: decision.otherThresholds },
      text: `${verdict(count)}: critical services are affected and two or more other thresholds are met (${gate}; thresholds met: ${String(decision.otherThresholds)}).`,
      article: 'Delegated Regulation (EU) 2024/1772, Article 8(1), point (b)',
    },
  ];
}

function orUnknown(holds: boolean, possible: boolean): Ternary {
  if (holds) return true;
  return possible ? null : false;
}

function answer(met: Ternary): string {
  if (met === null) return 'not known';
  return met ? 'yes' : 'no';
}
