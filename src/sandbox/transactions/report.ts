import { randomUUID } from 'node:crypto';
import { instant } from '../decision/instant.js';
import { isJsonObject, type Json, type JsonObject } from '../wire/json.js';

export interface TransactionRequest {
  readonly txnId: string;
  readonly category: string;
  readonly zone: string | null;
  readonly at: string | null;
  readonly direction: 'INBOUND' | 'OUTBOUND';
  /** Decimal text. */
  readonly amount: string;
  readonly currency: string;
  readonly kind: string;
  readonly action: string;
  readonly note: string | null;
  readonly vendorData: string;
  readonly name: string;
  readonly subject: JsonObject;
  readonly counterparty: JsonObject;
  readonly props: JsonObject;
}

interface Judged {
  readonly status: 'APPROVED' | 'IN_REVIEW' | 'DECLINED' | 'AWAITING_USER';
  readonly score: number;
  readonly severity: 'LOW' | 'HIGH' | 'CRITICAL' | null;
  readonly reason: { readonly code: string; readonly label: string } | null;
}

const muchMoney = 10_000;
const veryMuchMoney = 50_000;
const listed = /listado|embargo/i;

/** Much money is looked at, very much wants the customer verified first, and to the invented names of the sandbox's list none goes. */
export const judge = ({ amount, counterparty }: TransactionRequest): Judged => {
  const name = counterparty['full_name'];
  if (typeof name === 'string' && listed.test(name)) {
    const reason = { code: 'COUNTERPARTY_LISTED', label: 'Counterparty is on a list' };
    return { status: 'DECLINED', score: 100, severity: 'CRITICAL', reason };
  }
  if (Number(amount) < muchMoney) return { status: 'APPROVED', score: 0, severity: null, reason: null };
  const reason = { code: 'AMOUNT_HIGH', label: 'Amount above the threshold' };
  return {
    status: Number(amount) < veryMuchMoney ? 'IN_REVIEW' : 'AWAITING_USER',
    score: 78,
    severity: 'HIGH',
    reason,
  };
};

interface Facts {
  readonly uuid: string;
  readonly number: number;
  /** Wall clock, epoch milliseconds. */
  readonly at: number;
  readonly request: TransactionRequest;
  readonly judged: Judged;
  readonly action: JsonObject | null;
}

export const transactionReport = ({ uuid, number, at, request, judged, action }: Facts): JsonObject => ({
  uuid,
  transaction_number: number,
  txn_id: request.txnId,
  txn_date: request.at ?? instant(at),
  zone_id: request.zone,
  transaction_type: request.category,
  action_type: request.action,
  direction: request.direction,
  status: judged.status,
  amount: request.amount,
  currency: request.currency,
  currency_type: request.kind,
  amount_in_default_currency: null,
  default_currency_code: null,
  preferred_currency_amount: null,
  preferred_currency_code: null,
  payment_details: request.note,
  payment_txn_id: null,
  score: judged.score,
  severity: judged.severity,
  decision_reason_code: judged.reason?.code ?? null,
  decision_reason_label: judged.reason?.label ?? null,
  vendor_data: request.vendorData,
  // Didit repeats here who took part, and their references with them.
  metadata: { subject: request.subject, counterparty: request.counterparty },
  props: request.props,
  tags: [],
  parties: [party('APPLICANT', request.subject), ...partyOf('COUNTERPARTY', request.counterparty)],
  payment_methods: [],
  activities: [],
  alerts: judged.reason === null ? [] : [alert(judged, at)],
  rule_runs: [],
  provider_results: [],
  travel_rule: null,
  network_snapshot: null,
  remediation: null,
  action_required: action,
  cost_breakdown: null,
});

const partyOf = (role: string, given: JsonObject): JsonObject[] =>
  Object.keys(given).length === 0 ? [] : [party(role, given)];

const party = (role: string, given: JsonObject): JsonObject => ({
  uuid: randomUUID(),
  role,
  entity_type: text(given['entity_type']) ?? 'individual',
  kind: role === 'APPLICANT' ? 'USER' : 'EXTERNAL',
  vendor_data: text(given['vendor_data']),
  full_name: text(given['full_name']),
  first_name: text(given['first_name']),
  last_name: text(given['last_name']),
  country_code: isJsonObject(given['address']) ? text(given['address']['country']) : null,
  dob: text(given['date_of_birth']),
  address: isJsonObject(given['address']) ? given['address'] : {},
  institution_info: {},
  device: {},
  external_party_snapshot: null,
});

const alert = ({ severity, reason }: Judged, at: number): JsonObject => ({
  uuid: randomUUID(),
  title: reason?.label ?? '',
  description: null,
  severity,
  status: 'OPEN',
  source: 'RULE',
  metadata: {},
  created_at: instant(at),
  due_at: null,
});

const text = (value: Json | undefined): string | null => (typeof value === 'string' ? value : null);
