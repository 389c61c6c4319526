import {
  above,
  aboveShare,
  downtimeOfCriticalFunction,
  isTrue,
  lossWithAdverseEffect,
  maliciousAccessToSystems,
  maliciousAccessWithPossibleLoss,
  twoMemberStates,
  type RuleTest,
} from './rule-tests.js';

/**
 * What a rule counts towards in Article 8(1): the gate of Article 6, one of the six countable thresholds (of data losses only
 * point (a)), or the access of Article 9(5)(b) that is enough alone.
 */
export const WEIGHTS = [
  'criticalServices',
  'clientsCounterpartsTransactions',
  'reputationalImpact',
  'durationDowntime',
  'geographicalSpread',
  'adverseDataLoss',
  'economicImpact',
  'maliciousAccess',
] as const;
export type Weight = (typeof WEIGHTS)[number];

/** One rule of Delegated Regulation (EU) 2024/1772. */
export interface Rule {
  /** the label of the contract */
  readonly id: string;
  readonly weight: Weight;
  readonly article: string;
  /** what the article asks for, as the middle of a sentence */
  readonly asks: string;
  readonly test: RuleTest;
}

const HOUR_S = 3600;

const CLIENTS = 'clientsCounterpartsTransactions';
const REPUTATION = 'reputationalImpact';

/** Articles 6 and 9, row by row. Every limit is strict: on the limit is not above it. */
export const RULES: readonly Rule[] = [
  {
    id: '6(a)',
    weight: 'criticalServices',
    article: 'Article 6, point (a)',
    asks: 'ICT services or systems that support critical or important functions are affected',
    test: isTrue('critical.cif'),
  },
  {
    id: '6(b)',
    weight: 'criticalServices',
    article: 'Article 6, point (b)',
    asks: 'financial services that need authorisation or registration or are supervised are affected',
    test: isTrue('critical.authorisedService'),
  },
  {
    id: '6(c)',
    weight: 'criticalServices',
    article: 'Article 6, point (c)',
    asks: 'a successful, malicious and unauthorised access to network and information systems',
    test: maliciousAccessToSystems(),
  },
  {
    id: '9(1)(a)',
    weight: CLIENTS,
    article: 'Article 9(1), point (a), and Article 1(1)',
    asks: 'affected clients above 10 % of all clients using the affected service',
    test: aboveShare('clients.affected', 'clients.usingService', 10),
  },
  {
    id: '9(1)(b)',
    weight: CLIENTS,
    article: 'Article 9(1), point (b), and Article 1(1)',
    asks: 'affected clients above 100 000',
    test: above('clients.affected', 100_000),
  },
  {
    id: '9(1)(c)',
    weight: CLIENTS,
    article: 'Article 9(1), point (c), and Article 1(2)',
    asks: 'affected financial counterparts above 30 % of those active in the affected service',
    test: aboveShare('counterparts.affected', 'counterparts.total', 30),
  },
  {
    id: '9(1)(d)',
    weight: CLIENTS,
    article: 'Article 9(1), point (d), and Article 1(4)',
    asks: 'number of affected transactions above 10 % of the daily average number',
    test: aboveShare('transactions.affected', 'transactions.dailyAvgNumber', 10),
  },
  {
    id: '9(1)(e)',
    weight: CLIENTS,
    article: 'Article 9(1), point (e), and Article 1(4)',
    asks: 'value of affected transactions above 10 % of the daily average value',
    test: aboveShare('transactions.affectedValue', 'transactions.dailyAvgValue', 10),
  },
  {
    id: '9(1)(f)',
    weight: CLIENTS,
    article: 'Article 9(1), point (f), and Article 1(3)',
    asks: 'a client or financial counterpart identified as relevant is affected',
    test: isTrue('clients.relevantAffected', 'counterparts.relevantAffected'),
  },
  {
    id: '9(2)(a)',
    weight: REPUTATION,
    article: 'Article 9(2) and Article 2(1), point (a)',
    asks: 'the incident is reflected in the media',
    test: isTrue('reputation.media'),
  },
  {
    id: '9(2)(b)',
    weight: REPUTATION,
    article: 'Article 9(2) and Article 2(1), point (b)',
    asks: 'repetitive complaints from different clients or financial counterparts',
    test: isTrue('reputation.repetitiveComplaints'),
  },
  {
    id: '9(2)(c)',
    weight: REPUTATION,
    article: 'Article 9(2) and Article 2(1), point (c)',
    asks: 'regulatory requirements will not or are likely not to be met',
    test: isTrue('reputation.regulatory'),
  },
  {
    id: '9(2)(d)',
    weight: REPUTATION,
    article: 'Article 9(2) and Article 2(1), point (d)',
    asks: 'clients or financial counterparts are or are likely to be lost with a material impact',
    test: isTrue('reputation.lossOfClientsMaterial'),
  },
  {
    id: '9(3)(a)',
    weight: 'durationDowntime',
    article: 'Article 9(3), point (a), and Article 3(1)',
    asks: 'duration longer than 24 hours',
    test: above('time.durationS', 24 * HOUR_S),
  },
  {
    id: '9(3)(b)',
    weight: 'durationDowntime',
    article: 'Article 9(3), point (b), and Article 3(2)',
    asks: 'downtime longer than 2 hours of ICT services that support critical or important functions',
    test: downtimeOfCriticalFunction(2 * HOUR_S),
  },
  {
    id: '9(4)',
    weight: 'geographicalSpread',
    article: 'Article 9(4) and Article 4',
    asks: 'impact in two or more Member States',
    test: twoMemberStates(),
  },
  {
    id: '9(5)(a)',
    weight: 'adverseDataLoss',
    article: 'Article 9(5), point (a), and Article 5',
    asks: 'an impact on data with an adverse effect on business objectives or regulatory requirements',
    test: lossWithAdverseEffect(),
  },
  {
    id: '9(5)(b)',
    weight: 'maliciousAccess',
    article: 'Article 9(5), point (b)',
    asks: 'a successful, malicious and unauthorised access that may result in data losses',
    test: maliciousAccessWithPossibleLoss(),
  },
  {
    id: '9(6)',
    weight: 'economicImpact',
    article: 'Article 9(6) and Article 7',
    asks: 'costs and losses above EUR 100 000 or likely to be',
    test: above('costEur', 100_000),
  },
];
