import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { faultableOperations } from '../api/operations.js';
import { send } from '../api/routes.js';
import { furtherFeatures, workflowFeatures } from '../decision/features.js';
import { hostedUrl } from '../decision/render.js';
import { scenarios } from '../decision/scenarios.js';
import { apiFaultSchema, sideOf } from '../faults/api-faults.js';
import { TooManyFaults } from '../faults/lottery.js';
import { identityOf } from '../identity.js';
import { sandboxSettingsSchema } from '../settings.js';
import { webhookFaultSchema } from '../webhooks/webhook-faults.js';
import { json, jsonText, type Answer } from '../wire/answers.js';
import { textIn } from '../wire/params.js';
import type { World } from '../world.js';

type Control = (request: FastifyRequest, world: World) => Answer | Promise<Answer>;

/** Everything under `/_sandbox/`, for tests and people. No credential, no fault, no ledger; no last slash needed. */
export const registerControls = (app: FastifyInstance, world: World): void => {
  const on = (method: 'GET' | 'POST' | 'DELETE', path: string, control: Control): void => {
    const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
      send(reply, await control(request, world));
    app.route({ method, url: `/_sandbox/${path}`, bodyLimit: 65_536, handler });
    app.route({ method, url: `/_sandbox/${path}/`, bodyLimit: 65_536, handler });
  };
  on('GET', 'health', health);
  on('POST', 'configure', configure);
  on('POST', 'sessions/:id/finish', finish);
  on('GET', 'sessions/:id', showSession);
  on('POST', 'faults', addFault);
  on('GET', 'faults', listFaults);
  on('DELETE', 'faults', removeFaults);
  on('DELETE', 'faults/:id', removeFaults);
  on('POST', 'webhooks/faults', addWebhookFault);
  on('DELETE', 'webhooks/faults', (_request, { webhookFaults }) => json(200, { removed: webhookFaults.remove() }));
  on('GET', 'webhooks', (_request, { webhooks }) => plain({ items: webhooks.deliveries }));
  on('POST', 'clock', moveClock);
  on('GET', 'ledger', readLedger);
  on('DELETE', 'ledger', clearLedger);
  on('POST', 'reset', reset);
};

/** A body that the control's schema does not take. Each message names the member and what it should be. */
class BadControl extends Error {}

export const badControl = (error: unknown): Answer | null => {
  if (error instanceof BadControl) return json(400, { error: error.message });
  return error instanceof TooManyFaults ? json(409, { error: error.message }) : null;
};

const read = <S extends z.ZodType>(request: FastifyRequest, schema: S): z.output<S> => {
  const parsed = schema.safeParse(bodyOf(request));
  if (parsed.success) return parsed.data;
  throw new BadControl(
    parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; '),
  );
};

const bodyOf = (request: FastifyRequest): unknown => {
  if (!Buffer.isBuffer(request.body) || request.body.length === 0) return {};
  try {
    return JSON.parse(request.body.toString('utf8'));
  } catch {
    throw new BadControl('body: not JSON');
  }
};

const idOf = (request: FastifyRequest): string => textIn(request.params, 'id') ?? '';

const plain = (body: object): Answer => jsonText(200, JSON.stringify(body));

const untilOf = (forMs: number | undefined): number =>
  forMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + forMs;

const health: Control = (_request, world) =>
  json(200, {
    service: 'didit-sandbox',
    pid: process.pid,
    identity: identityOf(world.settings),
    url: world.origin,
    webhookUrl: world.webhooks.url,
    startedAt: new Date(world.startedAt).toISOString(),
  });

const configureSchema = z.strictObject({
  webhookUrl: z.url().nullable().optional(),
  rateLimits: sandboxSettingsSchema.shape.rateLimits.optional(),
  workflowVersion: z.number().int().positive().optional(),
  standaloneScenario: z.enum(scenarios).optional(),
  features: z
    .array(z.enum([...workflowFeatures, ...furtherFeatures]))
    .min(1)
    .optional(),
});

/** Changes what may change while it runs. */
const configure: Control = (request, world) => {
  // Told apart before the defaults fill in: limits that were not named stay as they are.
  const named = Object.keys(Object(bodyOf(request)));
  const changes = read(request, configureSchema);
  if (changes.webhookUrl !== undefined) world.webhooks.url = changes.webhookUrl;
  if (named.includes('rateLimits') && changes.rateLimits !== undefined) world.rates.configure(changes.rateLimits);
  if (changes.workflowVersion !== undefined) world.workflowVersion = changes.workflowVersion;
  if (changes.standaloneScenario !== undefined) world.standaloneScenario = changes.standaloneScenario;
  if (changes.features !== undefined) world.features = changes.features;
  return json(200, {
    features: [...world.features],
    webhookUrl: world.webhooks.url,
    workflowVersion: world.workflowVersion,
    standaloneScenario: world.standaloneScenario,
  });
};

const finishSchema = z.strictObject({
  status: z.enum(['Approved', 'Declined', 'In Review', 'Abandoned', 'Expired', 'Kyc Expired']),
  scenario: z.enum(scenarios).optional(),
});

const unknownSession = json(404, { error: 'no such session' });

const finish: Control = (request, world) => {
  const { status, scenario } = read(request, finishSchema);
  const session = world.store.get(idOf(request));
  if (session === undefined) return unknownSession;
  if (!world.lifecycle.finish(session, status, scenario)) {
    return json(409, { error: `the session is finished already: ${session.status}` });
  }
  return json(200, { sessionId: session.id, status: session.status });
};

/** The whole session, unmasked: its decision and what stands behind it. */
const showSession: Control = (request, world) => {
  const session = world.store.get(idOf(request));
  if (session === undefined) return unknownSession;
  return json(200, {
    sessionId: session.id,
    sessionToken: session.token,
    url: hostedUrl(session, world.origin),
    type: session.type,
    status: session.status,
    scenario: session.scenario,
    vendorData: session.vendorData,
    workflowVersion: session.workflowVersion,
    language: session.language,
    person: {
      firstName: session.person.firstName,
      lastName: session.person.lastName,
      dateOfBirth: session.person.dateOfBirth,
      documentNumber: session.person.documentNumber,
      personalNumber: session.person.personalNumber,
    },
    decision: world.decision(session),
  });
};

const addFault: Control = (request, world) => {
  const fault = read(request, apiFaultSchema);
  const unknown = fault.operations?.filter((name) => !faultableOperations.includes(name)) ?? [];
  if (unknown.length > 0) {
    throw new BadControl(
      `operations: no such operation: ${unknown.join(', ')}. There are ${faultableOperations.join(', ')}`,
    );
  }
  const { kind, ms, status, share, operations, part } = fault;
  const id = randomUUID();
  const until = untilOf(fault.forMs);
  world.apiFaults.add({ id, kind, ms, status, share, operations, part, when: sideOf(fault), until });
  return json(201, { id });
};

const listFaults: Control = (_request, world) => {
  const items = world.apiFaults.active().map(({ until, ...fault }) => ({
    ...fault,
    until: Number.isFinite(until) ? new Date(until).toISOString() : null,
  }));
  return plain({ items });
};

const removeFaults: Control = (request, world) => {
  const id = idOf(request);
  const removed = world.apiFaults.remove(id === '' ? undefined : id);
  return id !== '' && removed === 0 ? json(404, { error: 'no such fault' }) : json(200, { removed });
};

const addWebhookFault: Control = (request, world) => {
  const { kind, ms, share, forMs, simple } = read(request, webhookFaultSchema);
  const id = randomUUID();
  world.webhookFaults.add({ id, kind, ms, share, simple, until: untilOf(forMs) });
  return json(201, { id });
};

const clockSchema = z.strictObject({
  advanceMs: z
    .number()
    .int()
    .positive()
    .max(100 * 365 * 86_400_000),
});

const moveClock: Control = (request, world) => {
  world.advance(read(request, clockSchema).advanceMs);
  return json(200, { now: new Date(world.clock.now()).toISOString(), offsetMs: world.clock.offset });
};

const sinceSchema = z.union([
  z.coerce.number().int().min(0),
  z.iso.datetime({ offset: true }).transform((text) => new Date(text)),
]);

const readLedger: Control = (request, world) => {
  const given = textIn(request.query, 'since');
  const since = given === undefined ? undefined : sinceSchema.safeParse(given);
  if (since?.success === false) throw new BadControl('since: the number of an entry, or an ISO 8601 instant');
  return plain(world.ledger.list({ operation: textIn(request.query, 'operation'), since: since?.data }));
};

const clearLedger: Control = (_request, world) => {
  world.ledger.clear();
  return json(200, {});
};

const reset: Control = (_request, world) => {
  world.reset();
  return json(200, {});
};
