import { hostedUrl } from '../decision/render.js';
import { json, notFound, type Answer } from '../wire/answers.js';
import { Float, isJsonObject, type Json, type JsonObject } from '../wire/json.js';
import { judge, transactionReport, type TransactionRequest } from '../transactions/report.js';
import type { World } from '../world.js';
import { Fields } from './fields.js';
import type { Call } from './operation.js';
import { pageOf } from './pages.js';
import { readObject } from './request-body.js';

const categories = [
  'finance',
  'kyc',
  'travel_rule',
  'user_event',
  'audit_trail_event',
  'gambling_bet',
  'gambling_limit_change',
  'gambling_bonus_change',
  'travelRule',
];

/** `POST /v3/transactions/`: judged at once by its amount and by who takes part; a known `transaction_id` is refused. */
export const createTransaction = (call: Call, world: World): Answer => {
  const read = readObject(call);
  if ('refusal' in read) return read.refusal;
  const fields = new Fields(read.object);
  const request = readRequest(fields);
  call.entry.vendorData = request?.vendorData ?? null;
  if (!fields.valid || request === null) return json(400, fields.errors);
  if (!categories.includes(request.category)) {
    return json(400, { non_field_errors: ['Unsupported transaction category.'] });
  }
  if (world.transactions.has(request.txnId)) {
    return json(400, { transaction_id: ['A transaction with this transaction_id already exists.'] });
  }
  const judged = judge(request);
  const action = judged.status === 'AWAITING_USER' ? verificationFor(request, world) : null;
  const at = world.clock.wall();
  const { report } = world.transactions.add(request.txnId, (uuid, number) =>
    transactionReport({ uuid, number, at, request, judged, action }),
  );
  return json(201, report);
};

/** Before more is paid the customer has to be verified, in a session of its own. */
const verificationFor = ({ vendorData }: TransactionRequest, world: World): JsonObject => {
  const now = world.clock.wall();
  const session = world.store.add({
    createdAt: now,
    expiresAt: now + world.settings.sessionLifetimeMs,
    lapsesAt: world.clock.now() + world.settings.sessionLifetimeMs,
    workflowId: world.settings.workflowId,
    workflowVersion: world.workflowVersion,
    vendorData,
  });
  return {
    type: 'verification_session',
    url: hostedUrl(session, world.origin),
    session_id: session.id,
    session_token: session.token,
    status: session.status,
  };
};

const readRequest = (fields: Fields): TransactionRequest | null => {
  const txnId = fields.text('transaction_id', { required: true, max: 128 });
  const category = fields.text('transaction_category', { required: true });
  const zone = fields.text('time_zone');
  const at = fields.text('transaction_at');
  const details = readDetails(fields);
  const subject = readSubject(fields);
  const counterparty = fields.nested('counterparty', () => undefined);
  const props = fields.nested('custom_properties', () => undefined);
  if (txnId === null || category === null || details === null || subject === null) return null;
  return { txnId, category, zone, at, ...details, ...subject, counterparty: counterparty ?? {}, props: props ?? {} };
};

type Details = Pick<TransactionRequest, 'direction' | 'amount' | 'currency' | 'kind' | 'action' | 'note'>;

const readDetails = (fields: Fields): Details | null => {
  if (!fields.has('transaction_details')) return fields.refuse('transaction_details', 'This field is required.');
  const found: Details[] = [];
  fields.nested('transaction_details', (details) => {
    const amount = readAmount(details);
    const direction = details.has('direction')
      ? details.choice('direction', ['inbound', 'outbound', 'in', 'out'])
      : details.refuse('direction', 'This field is required.');
    const currency = details.text('currency', { required: true });
    const kind = details.text('currency_kind') ?? 'fiat';
    const action = details.text('action_type') ?? '';
    const note = details.text('payment_details');
    if (amount === null || direction === null || currency === null) return;
    found.push({
      direction: direction.startsWith('in') ? 'INBOUND' : 'OUTBOUND',
      amount,
      currency,
      kind,
      action,
      note,
    });
  });
  return found[0] ?? null;
};

const readAmount = (details: Fields): string | null => {
  if (!details.has('amount')) return details.refuse('amount', 'This field is required.');
  return amountOf(details.raw('amount')) ?? details.refuse('amount', 'A valid number is required.');
};

const readSubject = (fields: Fields) => {
  const subject = fields.raw('subject');
  const [vendorData, name] = isJsonObject(subject) ? [subject['vendor_data'], subject['full_name']] : [];
  if (
    typeof vendorData === 'string' &&
    vendorData !== '' &&
    typeof name === 'string' &&
    name !== '' &&
    isJsonObject(subject)
  ) {
    return { vendorData, name, subject };
  }
  return fields.refuse('subject', 'subject.vendor_data and subject.full_name are required.');
};

/** A decimal as text, as it goes back. */
const amountOf = (value: Json): string | null => {
  if (typeof value === 'number' || typeof value === 'bigint') return value.toString();
  if (value instanceof Float) return String(value.value);
  return typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? value : null;
};

export const getTransaction = (call: Call, world: World): Answer => {
  const transaction = world.transactions.get(call.params['uuid'] ?? '');
  return transaction === undefined ? notFound() : json(200, transaction.report);
};

const shown = [
  'uuid',
  'transaction_number',
  'txn_id',
  'transaction_type',
  'action_type',
  'status',
  'direction',
  'amount',
  'currency',
  'preferred_currency_amount',
  'preferred_currency_code',
  'payment_details',
  'score',
  'severity',
  'tags',
  'txn_date',
  'decision_reason_code',
  'decision_reason_label',
] as const;

export const listTransactions = (call: Call, world: World): Answer => {
  const found = world.transactions.newestFirst();
  const page = pageOf(call, world, found, ({ report }) => row(report));
  return json(200, { ...page, total_transactions: found.length });
};

const row = (report: JsonObject): JsonObject => {
  const parties = Array.isArray(report['parties']) ? report['parties'].filter(isJsonObject) : [];
  const [subject, counterparty] = ['APPLICANT', 'COUNTERPARTY'].map((role) =>
    parties.find((party) => party['role'] === role),
  );
  return {
    ...Object.fromEntries(shown.map((name) => [name, report[name] ?? null])),
    subject_name: subject?.['full_name'] ?? null,
    subject_vendor_data: subject?.['vendor_data'] ?? null,
    subject_country: subject?.['country_code'] ?? null,
    counterparty_name: counterparty?.['full_name'] ?? null,
    counterparty_vendor_data: counterparty?.['vendor_data'] ?? null,
    counterparty_country: counterparty?.['country_code'] ?? null,
    created_at: report['txn_date'] ?? null,
    assigned_to_name: null,
  };
};
