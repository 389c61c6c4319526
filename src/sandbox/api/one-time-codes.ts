import { randomUUID } from 'node:crypto';
import type { PendingCode } from '../contacts/one-time-codes.js';
import { checkWarning } from '../decision/check-warning.js';
import { type ContactFacts } from '../decision/contact-reports.js';
import { instant } from '../decision/instant.js';
import { detail, json, type Answer } from '../wire/answers.js';
import type { Json, JsonObject } from '../wire/json.js';
import type { World } from '../world.js';
import { channels, type Channel, type ChannelName } from './code-channels.js';
import { Fields } from './fields.js';
import type { Call } from './operation.js';
import { readObject } from './request-body.js';
import { metadataOf } from './standalone.js';

/** The one code that is ever right. */
const rightCode = '123456';
const mostTries = 3;
const mostSends = 4;

/** `POST /v3/{phone|email}/send/`: what is refused for who it goes to is a 200 that says so. */
export const sendCode =
  (name: ChannelName) =>
  (call: Call, world: World): Answer => {
    const channel = channels[name];
    const read = readObject(call);
    if ('refusal' in read) return read.refusal;
    const fields = new Fields(read.object);
    const address = channel.readAddress(fields);
    channel.readOptions(fields);
    fields.nested('signals', readSignals);
    const vendorData = fields.text('vendor_data');
    const metadata = metadataOf(fields);
    call.entry.vendorData = vendorData;
    if (!fields.valid || address === null) return json(400, fields.errors);
    const key = `${name} ${address}`;
    const now = world.clock.now();
    if (name === 'phone' && world.codes.countSend(key, now) > mostSends) return detail(429, tooOften);
    const refused = channel.refuses(address);
    if (refused !== null) return sent(randomUUID(), refused.status, refused.reason, vendorData, metadata);
    const before = world.codes.find(key, now);
    const code = before ?? world.codes.start(key, now, { requestId: randomUUID(), vendorData, metadata, events: [] });
    code.events.push({ ...channel.sentEvent, at: world.clock.wall() });
    return sent(code.requestId, before === undefined ? 'Success' : 'Retry', null, vendorData, metadata);
  };

const tooOften = `Maximum verification attempts reached for this phone number. Only ${mostSends} authentication attempts are allowed per hour. Try again later or use a different number.`;

const sent = (id: string, status: string, reason: string | null, vendorData: string | null, metadata: Json): Answer =>
  json(200, { request_id: id, status, reason, vendor_data: vendorData, metadata });

const readSignals = (fields: Fields): void => {
  fields.text('ip');
  fields.text('device_id', { max: 255 });
  fields.choice('device_platform', ['android', 'ios', 'ipados', 'tvos', 'web']);
  fields.text('device_model', { max: 255 });
  fields.text('os_version', { max: 64 });
  fields.text('app_version', { max: 64 });
  fields.text('user_agent', { max: 512 });
};

/** `POST /v3/{phone|email}/check/`: found by number or address, not by who asks; every answer to a well-formed question is a 200. */
export const checkCode =
  (name: ChannelName) =>
  (call: Call, world: World): Answer => {
    const channel = channels[name];
    const read = readObject(call);
    if ('refusal' in read) return read.refusal;
    const fields = new Fields(read.object);
    const address = channel.readAddress(fields);
    const tried = channel.readCode(fields);
    const actions = Object.fromEntries(
      channel.actions.map((action) => [action, fields.choice(action, ['NO_ACTION', 'DECLINE'])]),
    );
    if (!fields.valid || address === null || tried === null) return json(400, fields.errors);
    const key = `${name} ${address}`;
    const code = world.codes.find(key, world.clock.now());
    if (code === undefined) return nonePending(name, world);
    code.tries += 1;
    const right = tried === rightCode;
    const details = { code_tried: tried, status: right ? 'Approved' : 'Failed' };
    code.events.push({
      type: right ? 'VALID_CODE_ENTERED' : 'INVALID_CODE_ENTERED',
      at: world.clock.wall(),
      details,
      fee: 0,
    });
    if (!right && code.tries < mostTries) {
      const message = `The verification code is incorrect. Attempts remaining: ${mostTries - code.tries}`;
      return checked(code, 'Failed', message, { [channel.report]: null }, world);
    }
    world.codes.end(key);
    return decided(call, world, { name, channel, address, code, right, risks: channel.risks(address, actions) });
  };

const nonePending = (name: ChannelName, world: World): Answer =>
  json(200, {
    request_id: randomUUID(),
    status: 'Expired or Not Found',
    message: `No pending ${name} verification found in the last 5 minutes.`,
    vendor_data: null,
    metadata: null,
    created_at: createdAt(world),
  });

interface Decided {
  readonly name: ChannelName;
  readonly channel: Channel;
  readonly address: string;
  readonly code: PendingCode;
  readonly right: boolean;
  readonly risks: readonly { risk: string; declines: boolean }[];
}

const decided = (call: Call, world: World, { name, channel, address, code, right, risks }: Decided): Answer => {
  const found = right ? risks : [{ risk: 'VERIFICATION_CODE_ATTEMPTS_EXCEEDED', declines: true }];
  const fatal = found.find(({ declines }) => declines);
  const status = fatal === undefined ? 'Approved' : 'Declined';
  const now = world.clock.wall();
  const end = `${channel.event}_${status.toUpperCase()}`;
  code.events.push({ type: end, at: now, details: fatal === undefined ? null : { reason: fatal.risk }, fee: 0 });
  const facts: ContactFacts = { attempts: 1, verifiedAt: right ? now : null, events: code.events };
  const warnings = found.map(({ risk, declines }) =>
    checkWarning(channel.feature, risk, {
      short: risk.toLowerCase().replaceAll('_', ' '),
      long: `The ${name} verification raised ${risk}.`,
      logType: declines ? 'error' : 'information',
    }),
  );
  keep(call, world, { name, channel, address, code, status });
  const message = right
    ? 'The verification code is correct.'
    : 'The verification code is incorrect. Maximum attempts reached.';
  const flat = world.settings.environment === 'sandbox' ? channel.flatReport : undefined;
  const report = { status, ...(flat?.(address) ?? { ...channel.fullReport(address, facts), warnings }) };
  return checked(code, status, message, { [channel.report]: report }, world);
};

/** It is a session of type API from then on, under the id that the send told. */
const keep = (
  call: Call,
  world: World,
  { name, channel, address, code, status }: Omit<Decided, 'right' | 'risks'> & { status: 'Approved' | 'Declined' },
): void => {
  const now = world.clock.wall();
  const session = world.store.add({
    id: code.requestId,
    createdAt: now,
    expiresAt: now,
    lapsesAt: Number.POSITIVE_INFINITY,
    type: 'API',
    features: [channel.feature],
    vendorData: code.vendorData,
    metadata: code.metadata,
    contactDetails: { [name]: address },
    status,
    checks: new Map([[channel.feature, { status }]]),
  });
  call.entry.vendorData = code.vendorData;
  call.entry.sessionId = session.id;
  world.notify(session);
};

const checked = (code: PendingCode, status: string, message: string, report: JsonObject, world: World): Answer =>
  json(200, {
    request_id: code.requestId,
    status,
    message,
    ...report,
    vendor_data: code.vendorData,
    metadata: code.metadata,
    created_at: createdAt(world),
  });

const createdAt = (world: World): string => instant(world.clock.wall()).replace('Z', '+00:00');
