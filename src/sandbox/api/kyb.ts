import { randomUUID } from 'node:crypto';
import { company, registeredCompanies } from '../decision/company-reports.js';
import { instant } from '../decision/instant.js';
import { json, type Answer } from '../wire/answers.js';
import type { World } from '../world.js';
import { Fields } from './fields.js';
import type { Call } from './operation.js';
import { readObject } from './request-body.js';
import { concluded, metadataOf, readCommon } from './standalone.js';

/** `POST /v3/kyb/search/`: free, and resolved at once. What it finds is chosen by an id of its own. */
export const searchRegistry = (call: Call, world: World): Answer => {
  const read = readObject(call);
  if ('refusal' in read) return read.refusal;
  const fields = new Fields(read.object);
  const country = readCountry(fields);
  const name = fields.text('name', { max: 255 });
  const number = fields.text('registration_number', { max: 100 });
  fields.choice('search_type', ['contains', 'start_with', 'fuzzy']);
  fields.text('webhook_url', { max: 500, pattern: /^https?:\/\/[^\s/]+/, sentence: 'Enter a valid URL.' });
  const vendorData = fields.text('vendor_data');
  const metadata = metadataOf(fields);
  call.entry.vendorData = vendorData;
  if (!fields.valid) return json(400, fields.errors);
  if (name === null && number === null) {
    return json(400, { non_field_errors: ["Either 'name' or 'registration_number' is required."] });
  }
  const companies = registeredCompanies.filter(
    (found) =>
      found.country === country &&
      (name === null || found.name.toLowerCase().includes(name.toLowerCase())) &&
      (number === null || found.number === number),
  );
  return json(200, {
    request_id: randomUUID(),
    kyb_registry: {
      companies: companies.map((found) => ({
        kyb_response_id: world.businesses.choice(found),
        name: found.name,
        registration_number: found.number,
        status: 'active',
        type: found.type,
        risk_level: null,
        fetch_status: 'pending',
      })),
      pagination: { total: companies.length, page: 1, per_page: 25 },
      search_status: 'resolved',
      search_resolved: true,
    },
    vendor_data: vendorData,
    metadata,
    created_at: instant(world.clock.wall()).replace('Z', '+00:00'),
  });
};

const readCountry = (fields: Fields): string | null =>
  fields
    .text('country_code', {
      required: true,
      pattern: /^[A-Z]{2}(-[A-Z]{2,3})?$/,
      sentence: 'country_code must be a 2-letter ISO code.',
    })
    ?.slice(0, 2) ?? null;

/** `POST /v3/kyb/select/`: billed, and always saved. */
export const selectCompany = (call: Call, world: World): Answer => {
  const read = readObject(call);
  if ('refusal' in read) return read.refusal;
  const fields = new Fields(read.object);
  const choice = fields.text('kyb_response_id', { required: true, max: 255 });
  const common = readCommon(call, fields);
  if (!common.save) {
    fields.refuse('save_api_request', 'KYB registry select must be saved so billing and retrieval can be tracked.');
  }
  if (!fields.valid || choice === null) return json(400, fields.errors);
  const found = world.businesses.chosen(choice);
  if (found === undefined) return json(400, { kyb_response_id: ['Invalid kyb_response_id.'] });
  return concluded(call, world, common, { feature: 'KYB_REGISTRY', status: 'Approved', scenario: 'clean' }, () => ({
    kyb_registry: company(found, true),
  }));
};
