import type { Business, BusinessStatus } from '../companies/businesses.js';
import { instant } from '../decision/instant.js';
import { json, notFound, type Answer } from '../wire/answers.js';
import { isJsonObject, type JsonObject } from '../wire/json.js';
import type { World } from '../world.js';
import { Fields } from './fields.js';
import type { Call } from './operation.js';
import { pageOf } from './pages.js';
import { readObject } from './request-body.js';

const statuses: readonly BusinessStatus[] = ['ACTIVE', 'FLAGGED', 'BLOCKED'];

/** `POST /v3/businesses/create/`: one reference, one business. */
export const createBusiness = (call: Call, world: World): Answer => {
  const read = readObject(call);
  if ('refusal' in read) return read.refusal;
  const fields = new Fields(read.object);
  const vendorData = fields.text('vendor_data');
  const changes = readChanges(fields);
  call.entry.vendorData = vendorData;
  if (!fields.valid) return json(400, fields.errors);
  if (vendorData !== null && world.businesses.find(vendorData) !== undefined) {
    return json(400, { vendor_data: ['A business with this vendor_data already exists.'] });
  }
  const now = world.clock.wall();
  const business = world.businesses.add({
    vendorData,
    displayName: null,
    legalName: null,
    registrationNumber: null,
    countryCode: null,
    status: 'ACTIVE',
    metadata: {},
    createdAt: now,
    updatedAt: now,
    ...changes,
  });
  return json(201, whole(business, world));
};

export const listBusinesses = (call: Call, world: World): Answer =>
  json(
    200,
    pageOf(call, world, world.businesses.newestFirst(), (business) => summary(business, world)),
  );

export const getBusiness = (call: Call, world: World): Answer => {
  const business = named(call, world);
  return business === undefined ? notFound() : json(200, whole(business, world));
};

/** `PATCH /v3/businesses/{vendor_data}/` */
export const updateBusiness = (call: Call, world: World): Answer => changed(call, world, readChanges);

/** `PATCH …/update-status/`: the one that the block list hears of. */
export const updateBusinessStatus = (call: Call, world: World): Answer =>
  changed(call, world, (fields) => {
    if (!fields.has('status')) fields.refuse('status', 'This field is required.');
    return readStatus(fields);
  });

type Changes = Partial<
  Pick<Business, 'displayName' | 'legalName' | 'registrationNumber' | 'countryCode' | 'status' | 'metadata'>
>;

const changed = (call: Call, world: World, readIn: (fields: Fields) => Changes): Answer => {
  const business = named(call, world);
  if (business === undefined) return notFound();
  const read = readObject(call);
  if ('refusal' in read) return read.refusal;
  const fields = new Fields(read.object);
  const changes = readIn(fields);
  if (!fields.valid) return json(400, fields.errors);
  Object.assign(business, changes, { updatedAt: world.clock.wall() });
  return json(200, whole(business, world));
};

const named = (call: Call, world: World): Business | undefined => {
  const vendorData = call.params['vendorData'] ?? '';
  call.entry.vendorData = vendorData;
  return world.businesses.find(vendorData);
};

const readChanges = (fields: Fields): Changes => {
  const metadata = fields.raw('metadata');
  if (metadata !== null && !isJsonObject(metadata)) fields.refuse('metadata', 'Metadata must be a JSON object.');
  return {
    ...(fields.has('display_name') ? { displayName: fields.text('display_name', { max: 255 }) } : {}),
    ...(fields.has('legal_name') ? { legalName: fields.text('legal_name', { max: 255 }) } : {}),
    ...(fields.has('registration_number')
      ? { registrationNumber: fields.text('registration_number', { max: 100 }) }
      : {}),
    ...(fields.has('country_code') ? { countryCode: fields.text('country_code', { max: 10 }) } : {}),
    ...(isJsonObject(metadata) ? { metadata } : {}),
    ...readStatus(fields),
  };
};

const readStatus = (fields: Fields): Changes => {
  if (!fields.has('status')) return {};
  const status = statuses.find((known) => known === fields.raw('status'));
  if (status !== undefined) return { status };
  fields.refuse('status', `Invalid status. Valid options are: ${statuses.join(', ')}`);
  return {};
};

const summary = (business: Business, world: World): JsonObject => {
  const sessions = business.vendorData === null ? [] : [...world.store.newestFirst(business.vendorData)];
  const times = sessions.map(({ createdAt }) => createdAt);
  const count = (status: string): number => sessions.filter((session) => session.status === status).length;
  return {
    didit_internal_id: business.id,
    vendor_data: business.vendorData,
    display_name: business.displayName,
    legal_name: business.legalName,
    registration_number: business.registrationNumber,
    country_code: business.countryCode,
    effective_name: business.displayName ?? business.legalName,
    status: business.status,
    session_count: sessions.length,
    approved_count: count('Approved'),
    declined_count: count('Declined'),
    in_review_count: count('In Review'),
    features: {},
    features_list: [],
    last_session_at: times.length === 0 ? null : instant(Math.max(...times)),
    first_session_at: times.length === 0 ? null : instant(Math.min(...times)),
    last_activity_at: instant(business.updatedAt),
    tags: [],
    created_at: instant(business.createdAt),
  };
};

const whole = (business: Business, world: World): JsonObject => ({
  ...summary(business, world),
  metadata: business.metadata,
  updated_at: instant(business.updatedAt),
});
