import type { JsonObject } from '../wire/json.js';
import type { Person } from './people.js';

/** What the workflow's validation found: a state's register agrees with the document. */
export const databaseReport = (person: Person): JsonObject => ({
  issuing_state: person.country.alpha3,
  validation_type: 'one_by_one',
  screened_data: {
    last_name: person.lastName,
    first_name: person.firstName,
    personal_number: person.personalNumber,
    document_number: person.documentNumber,
    date_of_birth: person.dateOfBirth,
  },
  validations: [
    {
      service_id: `${person.country.alpha3.toLowerCase()}_register`,
      service_name: `${person.country.name} - register of persons`,
      validation: { full_name: 'full_match', date_of_birth: 'full_match', identification_number: 'full_match' },
      outcome_code: 'MATCH',
      outcome_detail: '200',
      source_data: { identification_number: person.personalNumber },
    },
  ],
  match_type: 'full_match',
});
