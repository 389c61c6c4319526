import { checkWarning } from '../decision/check-warning.js';
import { json, type Answer } from '../wire/answers.js';
import { type Json, type JsonObject } from '../wire/json.js';
import type { World } from '../world.js';
import { Fields } from './fields.js';
import type { Call } from './operation.js';
import { readObject } from './request-body.js';
import { concluded, faceImage, image, readCommon, readStandalone, type Common } from './standalone.js';

const states =
  'ARE ARG AUS AUT BEL BGD BOL BRA CAN CHE CHL CHN CIV COL CRI CZE DEU DNK DOM ECU ESP FIN FRA GBR GHA GLB GRC GTM HKG HND IDN IND IRL ITA KEN KHM MAR MEX MYS NGA NLD NOR NZL OMN PAN PER PHL POL PRT PRY QAT SGP SLV SVK SWE THA UGA URY USA VEN ZAF ZMB ZWE'.split(
    ' ',
  );

interface Service {
  readonly name: string;
  /** Field that it asks for; `identification_number` stands in for it. */
  readonly needs: string;
  readonly consent?: true;
  /** Exact length of that field, and what it is called. */
  readonly length?: readonly [number, string];
}

/** Registers that are played in full; those of other states take any number. */
const services: Readonly<Record<string, Readonly<Record<string, Service>>>> = {
  BRA: {
    bra_cpf: {
      name: 'Brazil - CPF status check',
      needs: 'tax_number',
      length: [11, 'Brazilian CPF (exactly 11 digits)'],
    },
  },
  PER: {
    per_dni: { name: 'Peru - DNI', needs: 'document_number' },
    per_residential: { name: 'Peru - residence', needs: 'document_number' },
    per_tax_registration: { name: 'Peru - tax registration', needs: 'tax_number' },
  },
  CHN: { chn_national_id: { name: 'China - national id', needs: 'national_id', consent: true } },
};

const onboarding = ['aus_australia_driver_licence'];

type Match = 'full_match' | 'partial_match' | 'no_match';

/** `POST /v3/database-validation/`. Last names decide: `Nomatch`, `Partial`, and `Outage` for a register that says nothing. */
export const validateInDatabase = async (call: Call, world: World): Promise<Answer> => {
  const read = await readEither(call);
  if ('refusal' in read) return read.refusal;
  const { fields } = read;
  const state = fields.text('issuing_state', { required: true });
  for (const action of ['partial_match_action', 'no_match_action']) fields.choice(action, ['DECLINE', 'NO_ACTION']);
  const common = readCommon(call, fields);
  if (!fields.valid || state === null) return json(400, fields.errors);
  if (!states.includes(state)) {
    return json(400, { error: [`Invalid issuing state. Valid options are: ${states.join(', ')}`] });
  }
  const chosen = chosenServices(fields, state);
  return 'refusal' in chosen ? chosen.refusal : validated(call, world, common, fields, { state, ...chosen });
};

const readEither = async (call: Call): Promise<{ readonly fields: Fields } | { readonly refusal: Answer }> => {
  if (!/^multipart\//i.test(call.headers['content-type'] ?? '')) {
    const read = readObject(call);
    return 'refusal' in read ? read : { fields: new Fields(read.object) };
  }
  const read = await readStandalone(call);
  if ('refusal' in read) return read;
  image(read.form, read.fields, 'selfie', { ...faceImage, required: false });
  return { fields: read.fields };
};

interface Chosen {
  readonly ids: readonly string[];
  readonly explicit: boolean;
}

const chosenServices = (fields: Fields, state: string): Chosen | { readonly refusal: Answer } => {
  const refuse = (body: JsonObject) => ({ refusal: json(400, body) });
  const live = services[state] ?? { [`${state.toLowerCase()}_register`]: { name: `${state} - register`, needs: '' } };
  const named = fields.raw('services');
  const wanted = Array.isArray(named) ? named.map(String) : [];
  const waiting = wanted.filter((id) => onboarding.includes(id));
  if (waiting.length > 0) {
    const text = `Services require onboarding before they can be enabled for ${state}: ${quoted(waiting)}. Contact Didit support to activate them.`;
    return refuse({ services: [text], requires_onboarding: waiting });
  }
  const all = Object.values(services).flatMap(Object.keys);
  const unknown = wanted.filter((id) => !(id in live) && !all.includes(id));
  if (unknown.length > 0) return refuse({ services: [`Unknown service_id(s): ${quoted(unknown)}`] });
  const foreign = wanted.filter((id) => !(id in live));
  if (foreign.length > 0) {
    const text = `Services not currently live for ${state}: ${quoted(foreign)}. Available services: ${quoted(Object.keys(live))}`;
    return refuse({ services: [text] });
  }
  const ids = wanted.length > 0 ? wanted : Object.keys(live).slice(0, 1);
  const silent = ids.filter((id) => live[id]?.consent === true && !fields.flag('consent', false));
  if (silent.length > 0) {
    const text = `Explicit end-user consent is required for these database validation services: ${quoted(silent)}. Send \`consent=true\`.`;
    return refuse({ consent: [text], services_requiring_consent: silent });
  }
  for (const id of ids) {
    const refusal = missingOrMalformed(fields, state, id, live[id]);
    if (refusal !== null) return refuse(refusal);
  }
  return { ids, explicit: wanted.length > 0 };
};

const missingOrMalformed = (fields: Fields, state: string, id: string, service?: Service): JsonObject | null => {
  const needs = service?.needs ?? '';
  if (needs === '') return null;
  const value = fields.text(needs) ?? fields.text('identification_number');
  if (value === null) {
    const text = `Missing required fields: ${needs} (or use 'identification_number' which maps to '${needs}' for ${state})`;
    return { error: [text], fields_required_by: { [needs]: [id] } };
  }
  const [length, called] = service?.length ?? [value.length, ''];
  if (value.length === length) return null;
  const name = needs.replace('_', ' ');
  return {
    [needs]: [
      `Invalid ${name} for ${state}: ${called}. Must be exactly ${length} characters long (got ${value.length}).`,
    ],
  };
};

const quoted = (ids: readonly string[]): string => `[${ids.map((id) => `'${id}'`).join(', ')}]`;

const screenable = [
  'first_name',
  'last_name',
  'full_name',
  'date_of_birth',
  'tax_number',
  'personal_number',
  'document_number',
  'national_id',
];

const validated = (
  call: Call,
  world: World,
  common: Common,
  fields: Fields,
  { state, ids, explicit }: Chosen & { readonly state: string },
): Answer => {
  const name = fields.text('last_name') ?? '';
  if (name === 'Outage') return silentRegister(ids[0] ?? '');
  const match: Match = name === 'Nomatch' ? 'no_match' : name === 'Partial' ? 'partial_match' : 'full_match';
  const declines =
    (match === 'no_match' && fields.raw('no_match_action') !== 'NO_ACTION') ||
    (match === 'partial_match' && fields.raw('partial_match_action') === 'DECLINE');
  const status = declines ? 'Declined' : 'Approved';
  const found = { full_name: match, date_of_birth: match, identification_number: match };
  const screened = Object.fromEntries(screenable.filter((key) => fields.has(key)).map((key) => [key, fields.raw(key)]));
  return concluded(call, world, common, { feature: 'DATABASE_VALIDATION', status, scenario: 'clean' }, () => ({
    database_validation: {
      status,
      issuing_state: state,
      validation_type: 'one_by_one',
      screened_data: screened,
      match_type: match,
      validations: common.save ? ids.map((id) => outcome(state, id, match, found)) : found,
      warnings: match === 'full_match' ? [] : [differs(match, declines)],
      ...(explicit ? { services_used: [...ids], match_score: match === 'full_match' ? 100 : 0 } : {}),
    },
  }));
};

const outcome = (state: string, id: string, match: Match, validation: JsonObject): Json => ({
  validation,
  outcome_code: match === 'full_match' ? 'MATCH' : match.toUpperCase(),
  outcome_detail: '200',
  service_id: id,
  service_name: services[state]?.[id]?.name ?? `${state} - register`,
  source_data: {},
});

const differs = (match: Match, declines: boolean): JsonObject =>
  checkWarning('DATABASE_VALIDATION', `DATABASE_VALIDATION_${match.toUpperCase()}`, {
    short: `Database validation ${match.replace('_', ' ')}`,
    long: 'What the register has differs from what was asked about.',
    logType: declines ? 'error' : 'warning',
  });

const silentRegister = (id: string): Answer =>
  json(502, {
    error:
      'Database validation could not be performed. The external validation service did not return a result. Please try again later.',
    validation_errors: [
      {
        service_id: id,
        code: 'empty_provider_response',
        message: 'The provider did not return a database validation result.',
      },
    ],
  });
