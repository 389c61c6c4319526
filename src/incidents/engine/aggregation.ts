import type { Caveats } from './classification.js';
import { addDecimals, compareDecimals, decimalOf, formatDecimal, type Decimal } from './decimal.js';
import { factValues, type FactName, type FactValues } from './facts.js';
import { factsSchema, type Entity, type Facts } from './schemas.js';
import { anyOf, type Ternary } from './ternary.js';

/** The facts of several incidents taken as one, with what adding them up left uncertain. */
interface Aggregate {
  readonly facts: Facts;
  readonly caveats: Caveats;
}

/**
 * Takes several incidents as one for Article 8(2)(c), on which the law says no more than "collectively". Durations, downtimes,
 * transactions and costs add up; so do clients and counterparts, up to the largest base and as an estimate, since the same
 * person may stand in two counts; yes-or-no facts hold if they hold for one; states and kinds of data loss unite. A part that
 * is unknown for one incident leaves a sum that may be larger.
 */
export function aggregate(incidents: readonly Facts[], entity: Entity): Aggregate {
  const columns = new Columns(incidents.map(factValues));
  const clients = columns.headcount('clients.affected', 'clients.usingService');
  const counterparts = columns.headcount('counterparts.affected', 'counterparts.total');
  const facts = {
    entity,
    ictRelatedIncident: true,
    critical: {
      cif: columns.any('critical.cif'),
      authorisedService: columns.any('critical.authorisedService'),
      maliciousAccess: columns.accessToSystems(),
    },
    clients: {
      affected: clients.affected,
      usingService: clients.base,
      relevantAffected: columns.any('clients.relevantAffected'),
    },
    counterparts: {
      affected: counterparts.affected,
      total: counterparts.base,
      relevantAffected: columns.any('counterparts.relevantAffected'),
    },
    transactions: {
      affected: columns.sum('transactions.affected'),
      dailyAvgNumber: columns.largest('transactions.dailyAvgNumber'),
      affectedValue: columns.sumOfAmounts('transactions.affectedValue'),
      dailyAvgValue: columns.largestAmount('transactions.dailyAvgValue'),
    },
    reputation: {
      media: columns.any('reputation.media'),
      repetitiveComplaints: columns.any('reputation.repetitiveComplaints'),
      regulatory: columns.any('reputation.regulatory'),
      lossOfClientsMaterial: columns.any('reputation.lossOfClientsMaterial'),
    },
    time: {
      durationS: columns.sum('time.durationS'),
      downtimeS: columns.sum('time.downtimeS'),
      supportsCif: columns.any('time.supportsCif'),
    },
    data: {
      impact: columns.union('data.impact'),
      adverse: columns.any('data.adverse'),
      maliciousAccess: columns.any('data.maliciousAccess'),
      mayLoseData: columns.possibleLoss(),
    },
    memberStates: columns.union('memberStates'),
    costEur: columns.sumOfAmounts('costEur'),
  };
  const { estimated, atLeast } = columns;
  return { facts: factsSchema.parse(withoutUnknown(facts)), caveats: { estimated, atLeast } };
}

type NamesOf<T> = { [N in FactName]: FactValues[N] extends T | null ? N : never }[FactName];

/** The facts of the incidents, read fact by fact. */
class Columns {
  readonly estimated = new Set<FactName>();
  readonly atLeast = new Set<FactName>();

  constructor(private readonly members: readonly FactValues[]) {}

  any(name: NamesOf<boolean>): Ternary {
    return anyOf(this.members.map((member) => member[name]));
  }

  sum(name: NamesOf<number>): number | null {
    const sum = sumOf(this.added(name).map(decimalOf));
    return sum === null ? null : saturated(sum.units);
  }

  sumOfAmounts(name: NamesOf<Decimal>): string | null {
    const sum = sumOf(this.added(name));
    return sum === null ? null : formatDecimal(sum);
  }

  /** Of daily averages: a base does not grow by being looked at twice. */
  largest(name: NamesOf<number>): number | null {
    const values = this.known(name);
    return values.length === 0 ? null : Math.max(...values);
  }

  largestAmount(name: NamesOf<Decimal>): string | null {
    const [first, ...rest] = this.known(name);
    if (first === undefined) return null;
    return formatDecimal(rest.reduce((best, value) => (compareDecimals(value, best) > 0 ? value : best), first));
  }

  union(name: 'memberStates' | 'data.impact'): string[] | null {
    const lists: readonly (readonly string[])[] = this.added(name);
    return lists.length === 0 ? null : [...new Set(lists.flat())].sort();
  }

  /**
   * The count summed, at most the largest base, which is never less than the largest single count: an incident whose base is
   * not known shows that there are at least as many. A base of zero caps nothing: it is an estimate by itself.
   */
  headcount(
    affectedName: NamesOf<number>,
    baseName: NamesOf<number>,
  ): { affected: number | null; base: number | null } {
    const sum = this.sum(affectedName);
    const largestBase = this.largest(baseName);
    if (sum !== null) this.estimated.add(affectedName);
    if (sum === null || largestBase === null || largestBase === 0) return { affected: sum, base: largestBase };
    const base = Math.max(largestBase, this.largest(affectedName) ?? 0);
    return { affected: Math.min(sum, base), base };
  }

  /**
   * Article 6(c). What the data facts imply is drawn for each incident before they are joined: joined first, one incident's
   * "no" would be overruled by its own data. Left open here, the joined data would answer for it, so then it stays "no".
   */
  accessToSystems(): Ternary {
    const joined = anyOf(
      this.members.map(
        (member) => member['critical.maliciousAccess'] ?? (member['data.maliciousAccess'] === true ? true : null),
      ),
    );
    return joined === null && this.any('data.maliciousAccess') === true ? false : joined;
  }

  /** An incident without an access leaves the question open without making it unknown for the others. */
  possibleLoss(): Ternary {
    const answers = this.members.map(
      (member) => member['data.mayLoseData'] ?? (member['data.maliciousAccess'] === true ? true : null),
    );
    if (answers.includes(true)) return true;
    return answers.includes(false) ? false : null;
  }

  /** The known values; where only some incidents know theirs, what they add up to is a lower bound. */
  private added<N extends FactName>(name: N): NonNullable<FactValues[N]>[] {
    const values = this.known(name);
    if (values.length > 0 && values.length < this.members.length) this.atLeast.add(name);
    return values;
  }

  private known<N extends FactName>(name: N): NonNullable<FactValues[N]>[] {
    return this.members.map((member) => member[name]).filter((value) => value !== null) as NonNullable<FactValues[N]>[];
  }
}

function sumOf(values: readonly Decimal[]): Decimal | null {
  const [first, ...rest] = values;
  return first === undefined ? null : rest.reduce(addDecimals, first);
}

/** A sum beyond 2^53 is cut there: that is above every limit and at least as large as any base, so no result changes. */
function saturated(sum: bigint): number {
  return sum > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(sum);
}

/** Leaves out what is unknown, and a part that is unknown as a whole. */
function withoutUnknown(node: object): Record<string, unknown> {
  const members = Object.entries(node).map(([name, value]: [string, unknown]) => [
    name,
    isPart(value) ? withoutUnknown(value) : value,
  ]);
  return Object.fromEntries(
    members.filter(([, value]) => value !== null && !(isPart(value) && Object.keys(value).length === 0)),
  );
}

function isPart(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
