import { compareDecimals, decimalOf, exceedsPercent, formatDecimal, ZERO, type Decimal } from './decimal.js';
import type { FactName, FactValues } from './facts.js';
import type { Readings } from './readings.js';
import { allOf, anyOf, type Ternary } from './ternary.js';

/** What a rule found. */
export interface Finding {
  readonly met: Ternary;
  /** the reason in the figures of the case, to stand in brackets */
  readonly because: string;
  /** decided although a figure is missing: the base is zero */
  readonly estimate?: true;
  /** unknown, and yet no figure could make it met any more */
  readonly cannotBeMet?: true;
}

/** How a rule decides, and which facts it reads to do so. */
export interface RuleTest {
  readonly needs: readonly FactName[];
  readonly decide: (facts: FactValues, readings: Readings) => Finding;
}

type NamesOf<T> = { [N in FactName]: FactValues[N] extends T | null ? N : never }[FactName];
type FlagName = NamesOf<boolean>;
type QuantityName = NamesOf<number | Decimal>;

/** A fact that is itself the answer. */
export function isTrue(...names: readonly FlagName[]): RuleTest {
  return { needs: names, decide: (facts) => fromFlags(facts, names, anyOf(names.map((name) => facts[name]))) };
}

/**
 * Article 6(c). A successful malicious access told under the data losses (Article 9(5)(b)) is one here too, unless this
 * question was itself answered: they are two questions.
 */
export function maliciousAccessToSystems(): RuleTest {
  const names = ['critical.maliciousAccess', 'data.maliciousAccess'] as const;
  return {
    needs: names,
    decide: (facts) => {
      const implied = facts['data.maliciousAccess'] === true ? true : null;
      return fromFlags(facts, names, facts['critical.maliciousAccess'] ?? implied);
    },
  };
}

/** Strictly more than `limit`. */
export function above(name: QuantityName, limit: number): RuleTest {
  return {
    needs: [name],
    decide: (facts) => {
      const quantity = exact(facts[name]);
      if (quantity === null) return unknown([name]);
      return { met: compareDecimals(quantity, decimalOf(limit)) > 0, because: `${name} is ${formatDecimal(quantity)}` };
    },
  };
}

/**
 * Strictly more than `percent` % of a base. Of a base of zero anything is more: it counts as met and is an estimate, since
 * the true base cannot have been zero. A base that is not known leaves the rule unknown.
 */
export function aboveShare(affectedName: QuantityName, baseName: QuantityName, percent: number): RuleTest {
  return {
    needs: [affectedName, baseName],
    decide: (facts) => {
      const affected = exact(facts[affectedName]);
      const base = exact(facts[baseName]);
      if (affected === null) return unknown(base === null ? [affectedName, baseName] : [affectedName]);
      const none = compareDecimals(affected, ZERO) === 0;
      if (base === null) return none ? { ...unknown([baseName]), cannotBeMet: true } : unknown([baseName]);
      const because = `${formatDecimal(affected)} of ${formatDecimal(base)}`;
      if (compareDecimals(base, ZERO) > 0) return { met: exceedsPercent(affected, base, percent), because };
      return none ? { met: false, because } : { met: true, because: `${because}, an estimate`, estimate: true };
    },
  };
}

/** Article 9(3)(b): the two hours run for ICT services that support critical or important functions only. */
export function downtimeOfCriticalFunction(limitS: number): RuleTest {
  return {
    needs: ['time.downtimeS', 'time.supportsCif'],
    decide: (facts) => {
      const downtime = facts['time.downtimeS'];
      const met = allOf([downtime === null ? null : downtime > limitS, facts['time.supportsCif']]);
      return { met, because: describe(facts, ['time.downtimeS', 'time.supportsCif']) };
    },
  };
}

/** Article 9(4): distinct states, of which at least one (`home_counts`) or two (`others_only`) are not the home state. */
export function twoMemberStates(): RuleTest {
  return {
    needs: ['memberStates', 'entity.home'],
    decide: (facts, { geoRule }) => {
      if (facts.memberStates === null) return unknown(['memberStates']);
      const states = new Set(facts.memberStates);
      const others = [...states].filter((state) => state !== facts['entity.home']);
      const met = geoRule === 'home_counts' ? states.size >= 2 && others.length > 0 : others.length >= 2;
      const named = states.size === 0 ? 'none' : [...states].sort().join(', ');
      return { met, because: `states: ${named}; home: ${facts['entity.home']}; reading: ${geoRule}` };
    },
  };
}

/** Article 9(5)(a): any impact of Article 5 on data, and an adverse effect of it. */
export function lossWithAdverseEffect(): RuleTest {
  return {
    needs: ['data.impact', 'data.adverse'],
    decide: (facts) => {
      const impact = facts['data.impact'];
      const met = allOf([impact === null ? null : impact.length > 0, facts['data.adverse']]);
      return { met, because: describe(facts, ['data.impact', 'data.adverse']) };
    },
  };
}

/**
 * Article 9(5)(b). Whether data may be lost is taken as yes when nobody says otherwise: unavailability is a data loss too.
 * Read literally, losses that meet point (a) take the access out of point (b); losses not yet known do not.
 */
export function maliciousAccessWithPossibleLoss(): RuleTest {
  const pointA = lossWithAdverseEffect();
  return {
    needs: ['data.maliciousAccess', 'data.mayLoseData', ...pointA.needs],
    decide: (facts, readings) => {
      const access = facts['data.maliciousAccess'];
      const mayLose = facts['data.mayLoseData'] ?? (access === true ? true : null);
      const met = allOf([access, mayLose]);
      const covered = readings.nine5b === 'literal' && pointA.decide(facts, readings).met === true;
      if (covered) return { met: false, because: 'covered by point (a), read literally' };
      const assumed = met === true && facts['data.mayLoseData'] === null ? '; possible loss is assumed' : '';
      return { met, because: `${describe(facts, ['data.maliciousAccess', 'data.mayLoseData'])}${assumed}` };
    },
  };
}

function unknown(missing: readonly FactName[]): Finding {
  return { met: null, because: `${missing.join(' and ')} not known` };
}

function fromFlags(facts: FactValues, names: readonly FlagName[], met: Ternary): Finding {
  return { met, because: describe(facts, names) };
}

function describe(facts: FactValues, names: readonly FactName[]): string {
  return names.map((name) => `${name} ${wording(facts[name])}`).join(', ');
}

function wording(value: FactValues[FactName]): string {
  if (value === null) return 'not known';
  if (typeof value !== 'object') return `is ${String(value)}`;
  if ('units' in value) return `is ${formatDecimal(value)}`;
  return `is ${value.length === 0 ? 'none' : value.join(', ')}`;
}

function exact(value: number | Decimal | null): Decimal | null {
  return typeof value === 'number' ? decimalOf(value) : value;
}
