import type { ScreenedData, Session } from '../sessions/session.js';
import { Float, type JsonObject } from '../wire/json.js';
import { fullName } from './people.js';

/** Risk of the invented list entry, and so the score of a screening that finds it. */
export const hitRisk = 92;

/** The members that the decision's `aml_screenings[]` and the standalone `aml` share. */
export const screeningReport = (session: Session): JsonObject => {
  const screened = screenedData(session);
  const hit = session.scenario === 'sanctions-hit';
  return {
    total_hits: hit ? 1 : 0,
    entity_type: screened.entityType,
    hits: hit ? [sanctionHit(session, screened)] : [],
    score: new Float(hit ? hitRisk : 0),
    screened_data: {
      full_name: screened.fullName,
      nationality: screened.nationality,
      date_of_birth: screened.dateOfBirth,
      document_number: screened.documentNumber,
    },
  };
};

export const screenedData = ({ screened, person }: Session): ScreenedData =>
  screened ?? {
    fullName: fullName(person),
    dateOfBirth: person.dateOfBirth,
    nationality: person.country.alpha2,
    documentNumber: person.documentNumber,
    entityType: 'person',
  };

const sanctionHit = (session: Session, screened: ScreenedData): JsonObject => {
  const source = 'https://lists.example.org/consolidated';
  const names = screened.fullName.split(' ');
  return {
    id: `SBX${session.id.replaceAll('-', '').slice(0, 19)}`,
    url: `${source}/${session.number}`,
    match: false,
    score: new Float(0.97),
    match_score: new Float(97),
    risk_score: new Float(hitRisk),
    target: null,
    caption: screened.fullName,
    datasets: ['Sanctions'],
    features: null,
    rca_name: '',
    first_seen: '2025-01-18T00:00:00',
    last_seen: '2026-06-13T00:00:00',
    review_status: session.status === 'Approved' ? 'False Positive' : 'Unreviewed',
    properties: {
      name: [screened.fullName],
      alias: [screened.fullName.normalize('NFD').replace(/\p{M}/gu, '')],
      notes: ['Invented entry of the sandbox: no such person is listed'],
      firstName: names.slice(0, 1),
      lastName: names.slice(1),
      birthDate: screened.dateOfBirth === null ? [] : [screened.dateOfBirth],
      gender: [],
      birthPlace: [],
      education: [],
      position: null,
      nationality: null,
    },
    risk_view: {
      crimes: risk(0, 20),
      countries: risk(25, 30),
      categories: { ...risk(100, 50), risk_level: 'High', risk_scores: { Sanctions: 100 } },
      custom_list: {},
    },
    score_breakdown: {
      name_score: 95,
      name_weight: 60,
      name_weight_normalized: new Float(60),
      name_contribution: new Float(57),
      dob_score: 100,
      dob_weight: 25,
      dob_weight_normalized: new Float(25),
      dob_contribution: new Float(25),
      country_score: 100,
      country_weight: 15,
      country_weight_normalized: new Float(15),
      country_contribution: new Float(15),
      document_number_match_type: 'NEUTRAL',
      document_number_effect: 'The list entry has no document number',
      total_score: 97,
    },
    pep_matches: [],
    sanction_matches: [
      {
        list_name: ['Sandbox Consolidated List'],
        matched_name: screened.fullName,
        description: 'Asset freeze and travel ban, invented for tests',
        reason: null,
        source_url: source,
        other_sources: [],
        details: [],
        legal_basis: ['Regulation (EU) 0000/0000'],
        listed_on: ['2025-01-18'],
        sanction_list: ['Sandbox Consolidated List'],
        sanction_program: ['SBX-1'],
        sanctioning_authority: ['Authority of the Sandbox'],
        updated_on: ['2026-06-13'],
        additional_data: {},
      },
    ],
    warning_matches: [],
    adverse_media_matches: [],
    adverse_media_details: {
      sentiment: 'Neutral',
      entity_type: screened.entityType,
      sentiment_score: 0,
      adverse_keywords: {},
    },
    linked_entities: [],
    additional_information: {},
  };
};

const risk = (score: number, weightage: number): JsonObject => ({
  score,
  weightage,
  risk_level: 'Low',
  risk_scores: {},
});
