import { hostedUrl } from '../decision/render.js';
import { personNumber } from '../decision/people.js';
import type { Session } from '../sessions/session.js';
import { json, type Answer } from '../wire/answers.js';
import type { JsonObject } from '../wire/json.js';
import type { World } from '../world.js';
import { Fields } from './fields.js';
import { languages } from './languages.js';
import type { Call } from './operation.js';
import { readObject } from './request-body.js';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const maxPortraitBytes = 2 * 1024 * 1024;

/**
 * `POST /v3/session/`. There is no idempotency key; instead an unfinished session of the same vendor_data on the workflow's
 * latest version is given back, still with 201, and takes over the new callback and metadata.
 */
export const createSession = (call: Call, world: World): Answer => {
  const read = readObject(call);
  if ('refusal' in read) return read.refusal;
  const fields = new Fields(read.object);
  const request = readRequest(fields);
  call.entry.vendorData = request.vendorData;
  if (!fields.valid) return json(400, fields.errors);
  if (request.workflowId?.toLowerCase() !== world.settings.workflowId) {
    return json(400, { workflow_id: 'Invalid workflow_id.' });
  }
  const session = reused(request, world) ?? created(request, world);
  call.entry.sessionId = session.id;
  return json(201, body(session, world));
};

const readRequest = (fields: Fields) => ({
  workflowId: fields.text('workflow_id', { required: true, pattern: uuid, sentence: 'Must be a valid UUID.' }),
  vendorData: fields.text('vendor_data'),
  callback: fields.text('callback', { max: 2048, pattern: /^[a-z][a-z0-9+.-]*:./i, sentence: 'Enter a valid URL.' }),
  callbackMethod: fields.choice('callback_method', ['initiator', 'completer', 'both']),
  language: fields.choice('language', languages),
  metadata: fields.raw('metadata'),
  contactDetails: fields.nested('contact_details', readContact),
  expectedDetails: fields.nested('expected_details', readExpected),
  portrait: checkPortrait(fields),
  scenario: fields.has('sandbox_scenario')
    ? fields.refuse('sandbox_scenario', `Unknown sandbox scenario: '${fields.text('sandbox_scenario') ?? ''}'.`)
    : null,
});
type CreateRequest = ReturnType<typeof readRequest>;

const readContact = (fields: Fields): void => {
  fields.text('email', { pattern: /^[^@\s]+@[^@\s]+\.[^@\s]+$/, sentence: 'Enter a valid email address.' });
  fields.flag('send_notification_emails', false);
  fields.choice('email_lang', languages);
  fields.text('phone');
};

const readExpected = (fields: Fields): void => {
  for (const name of ['first_name', 'last_name', 'nationality', 'country', 'id_country', 'poa_country', 'address']) {
    fields.text(name);
  }
  fields.text('identification_number');
  fields.text('ip_address', { pattern: /^[0-9a-f.:]+$/i, sentence: 'Enter a valid IPv4 or IPv6 address.' });
  fields.text('company_name', { max: 255 });
  fields.text('registry_country', { max: 10 });
  fields.text('registration_number', { max: 100 });
  fields.date('date_of_birth');
  fields.choice('gender', ['M', 'F']);
  if (fields.has('address') && !['country', 'id_country', 'poa_country'].some((name) => fields.has(name))) {
    fields.refuse('address', 'A country or poa_country is required when an address is given.');
  }
  checkDocumentTypes(fields);
};

const documentTypes = ['P', 'ID', 'DL', 'RP', 'HIC', 'TC', 'SSC'];

const checkDocumentTypes = (fields: Fields): void => {
  const types = fields.raw('expected_document_types');
  if (types === null) return;
  if (!Array.isArray(types)) {
    fields.refuse('expected_document_types', 'Expected a list of items.');
    return;
  }
  const unknown = types.find((type) => typeof type !== 'string' || !documentTypes.includes(type.toUpperCase()));
  if (unknown !== undefined) {
    fields.refuse('expected_document_types', `"${typeof unknown === 'string' ? unknown : ''}" is not a valid choice.`);
  }
};

/** The portrait is looked at and not kept. */
const checkPortrait = (fields: Fields): null => {
  const text = fields.text('portrait_image');
  if (text === null) return null;
  const base64 = text.replace(/^data:[^,]*,/, '');
  if (!/^[A-Za-z0-9+/\s]+=*\s*$/.test(base64)) return fields.refuse('portrait_image', 'Invalid image.');
  const bytes = (base64.length * 3) / 4;
  return bytes > maxPortraitBytes ? fields.refuse('portrait_image', 'Image size exceeds 2MB.') : null;
};

const reused = (request: CreateRequest, world: World): Session | undefined => {
  if (request.vendorData === null) return undefined;
  const session = world.store.unfinished(request.vendorData, world.workflowVersion);
  if (session === undefined) return undefined;
  session.callback = request.callback;
  session.metadata = request.metadata;
  session.version += 1;
  return session;
};

const created = (request: CreateRequest, world: World): Session => {
  const { clock, settings } = world;
  const named = namedPerson(request.expectedDetails);
  return world.store.add({
    createdAt: clock.wall(),
    expiresAt: clock.wall() + settings.sessionLifetimeMs,
    lapsesAt: clock.now() + settings.sessionLifetimeMs,
    workflowId: settings.workflowId,
    workflowVersion: world.workflowVersion,
    features: world.features,
    vendorData: request.vendorData,
    callback: request.callback,
    metadata: request.metadata,
    language: request.language,
    contactDetails: request.contactDetails,
    expectedDetails: request.expectedDetails,
    ...(named === null ? {} : { person: named }),
  });
};

/** Whoever was expected is who comes, so that expected names and document agree unless a scenario says otherwise. */
const namedPerson = (expected: JsonObject | null): Session['person'] | null => {
  const first = expected?.['first_name'];
  const last = expected?.['last_name'];
  const born = expected?.['date_of_birth'];
  if (typeof first !== 'string' || typeof last !== 'string' || first === '' || last === '') return null;
  const base = personNumber(first.length + last.length);
  return {
    ...base,
    firstName: first,
    lastName: last,
    nativeName: null,
    dateOfBirth: typeof born === 'string' && born !== '' ? born : base.dateOfBirth,
  };
};

const body = (session: Session, world: World): JsonObject => ({
  session_id: session.id,
  session_number: session.number,
  session_token: session.token,
  url: hostedUrl(session, world.origin),
  vendor_data: session.vendorData,
  metadata: session.metadata,
  status: session.status,
  callback: session.callback,
  workflow_id: world.settings.workflowId,
  workflow_version: session.workflowVersion,
});
