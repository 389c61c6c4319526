import { decimalOf, type Decimal } from './decimal.js';
import type { DataImpact } from './fact-fields.js';
import type { Facts } from './schemas.js';
import type { MemberState } from './states.js';

/** Every fact that a rule can ask for, by dotted name; null is unknown. */
export interface FactValues {
  readonly 'critical.cif': boolean | null;
  readonly 'critical.authorisedService': boolean | null;
  readonly 'critical.maliciousAccess': boolean | null;
  readonly 'clients.affected': number | null;
  readonly 'clients.usingService': number | null;
  readonly 'clients.relevantAffected': boolean | null;
  readonly 'counterparts.affected': number | null;
  readonly 'counterparts.total': number | null;
  readonly 'counterparts.relevantAffected': boolean | null;
  readonly 'transactions.affected': number | null;
  readonly 'transactions.dailyAvgNumber': number | null;
  readonly 'transactions.affectedValue': Decimal | null;
  readonly 'transactions.dailyAvgValue': Decimal | null;
  readonly 'reputation.media': boolean | null;
  readonly 'reputation.repetitiveComplaints': boolean | null;
  readonly 'reputation.regulatory': boolean | null;
  readonly 'reputation.lossOfClientsMaterial': boolean | null;
  readonly 'time.durationS': number | null;
  readonly 'time.downtimeS': number | null;
  readonly 'time.supportsCif': boolean | null;
  readonly 'data.impact': readonly DataImpact[] | null;
  readonly 'data.adverse': boolean | null;
  readonly 'data.maliciousAccess': boolean | null;
  readonly 'data.mayLoseData': boolean | null;
  readonly memberStates: readonly MemberState[] | null;
  readonly costEur: Decimal | null;
  readonly 'entity.home': MemberState;
}

export type FactName = keyof FactValues;

/** The facts laid flat: what is absent becomes null, decimals become exact. */
export function factValues(facts: Facts): FactValues {
  const { critical, clients, counterparts, transactions, reputation, time, data } = facts;
  return {
    'critical.cif': critical?.cif ?? null,
    'critical.authorisedService': critical?.authorisedService ?? null,
    'critical.maliciousAccess': critical?.maliciousAccess ?? null,
    'clients.affected': clients?.affected ?? null,
    'clients.usingService': clients?.usingService ?? null,
    'clients.relevantAffected': clients?.relevantAffected ?? null,
    'counterparts.affected': counterparts?.affected ?? null,
    'counterparts.total': counterparts?.total ?? null,
    'counterparts.relevantAffected': counterparts?.relevantAffected ?? null,
    'transactions.affected': transactions?.affected ?? null,
    'transactions.dailyAvgNumber': transactions?.dailyAvgNumber ?? null,
    'transactions.affectedValue': amount(transactions?.affectedValue),
    'transactions.dailyAvgValue': amount(transactions?.dailyAvgValue),
    'reputation.media': reputation?.media ?? null,
    'reputation.repetitiveComplaints': reputation?.repetitiveComplaints ?? null,
    'reputation.regulatory': reputation?.regulatory ?? null,
    'reputation.lossOfClientsMaterial': reputation?.lossOfClientsMaterial ?? null,
    'time.durationS': time?.durationS ?? null,
    'time.downtimeS': time?.downtimeS ?? null,
    'time.supportsCif': time?.supportsCif ?? null,
    'data.impact': data?.impact ?? null,
    'data.adverse': data?.adverse ?? null,
    'data.maliciousAccess': data?.maliciousAccess ?? null,
    'data.mayLoseData': data?.mayLoseData ?? null,
    memberStates: facts.memberStates ?? null,
    costEur: amount(facts.costEur),
    'entity.home': facts.entity.home,
  };
}

function amount(value: string | number | null | undefined): Decimal | null {
  return value === null || value === undefined ? null : decimalOf(value);
}
