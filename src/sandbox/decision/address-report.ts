import type { Person } from './people.js';
import { fullName } from './people.js';
import { Float, type JsonObject } from '../wire/json.js';

/** A water bill at the address of an invented person: what the decision and the standalone answer share. */
export const addressReport = (person: Person): JsonObject => {
  const { street, city, region, postalCode, latitude, longitude } = person.address;
  return {
    issuing_state: person.country.alpha3,
    document_type: 'UTILITY_BILL',
    document_subtype: 'WATER_BILL',
    document_language: person.country.alpha2.toLowerCase(),
    issuer: 'Aguas de Prueba',
    issue_date: '2026-04-10',
    expiration_date: null,
    poa_address: `${street}, ${postalCode} ${city}`.toUpperCase(),
    poa_formatted_address: `${street}, ${postalCode} ${city}, ${person.country.name}`,
    poa_parsed_address: {
      street_1: street,
      street_2: null,
      city,
      region,
      country: person.country.alpha2,
      postal_code: postalCode,
      document_location: { latitude: new Float(latitude), longitude: new Float(longitude) },
    },
    expected_details_address: null,
    expected_details_formatted_address: null,
    expected_details_parsed_address: null,
    name_on_document: fullName(person),
    extra_fields: {
      bank_account_number: null,
      bank_iban: null,
      bank_sort_code: null,
      bank_routing_number: null,
      bank_swift_bic: null,
      bank_branch_name: null,
      bank_branch_address: null,
      document_phone_number: null,
      additional_names: [],
    },
  };
};
