import { hitRisk, screeningReport } from '../decision/screening-report.js';
import { warningsOfCheck } from '../decision/render.js';
import { detail, json, type Answer } from '../wire/answers.js';
import { pythonFloat } from '../wire/json.js';
import type { World } from '../world.js';
import { Fields } from './fields.js';
import type { Call } from './operation.js';
import { readObject } from './request-body.js';
import { concluded, readCommon } from './standalone.js';

/** Invented names that the sandbox's list has: a full name that contains one, accents and case aside, is a hit. */
const listedNames = ['sancho listado', 'zoltan pelda', 'maria embargo', 'sanctions-hit'];

/** `POST /v3/aml/`: the one operation where a repeat with the same Idempotency-Key is answered without being done again. */
export const screenName = (call: Call, world: World): Answer => {
  const key = call.headers['idempotency-key'];
  if (key === undefined) return screen(call, world);
  const name = String(key);
  if (name.length > 255) return detail(400, 'Idempotency-Key must be at most 255 characters.');
  const before = world.idempotent.find(name, call.body);
  if (before === 'conflict') return detail(409, 'Idempotency-Key was already used with a different request body.');
  if (before !== undefined) return before;
  const answer = screen(call, world);
  if (answer.status === 200) world.idempotent.keep(name, call.body, answer);
  return answer;
};

const screen = (call: Call, world: World): Answer => {
  const read = readObject(call);
  if ('refusal' in read) return read.refusal;
  const fields = new Fields(read.object);
  const request = readRequest(fields);
  const common = readCommon(call, fields);
  if (!fields.valid || request.fullName === null) return json(400, fields.errors);
  const contradictions = contradictionsOf(request, common.save);
  if (contradictions.length > 0) return json(400, { error: contradictions });
  const listed = listedNames.some((name) => plain(request.fullName ?? '').includes(name));
  const scenario = listed || world.standaloneScenario === 'sanctions-hit' ? 'sanctions-hit' : 'clean';
  const status = verdict(scenario === 'sanctions-hit' ? hitRisk : 0, request);
  const screened = {
    fullName: request.fullName,
    dateOfBirth: request.dateOfBirth,
    nationality: request.nationality,
    documentNumber: request.documentNumber,
    entityType: request.entityType,
  };
  return concluded(call, world, common, { feature: 'AML', status, scenario, screened }, (session) => ({
    aml: {
      status,
      ...screeningReport(session),
      warnings: warningsOfCheck(session, 'AML', { status }, 'without-node'),
    },
  }));
};

const readRequest = (fields: Fields) => ({
  fullName: fields.text('full_name', { required: true }),
  entityType: fields.choice('entity_type', ['person', 'company']) ?? 'person',
  dateOfBirth: fields.date('date_of_birth'),
  nationality: readNationality(fields),
  documentNumber: fields.text('document_number'),
  approve: fields.number('aml_score_approve_threshold', 80),
  review: fields.number('aml_score_review_threshold', 100),
  nameWeight: fields.number('aml_name_weight', 60),
  dobWeight: fields.number('aml_dob_weight', 25),
  countryWeight: fields.number('aml_country_weight', 15),
  matchThreshold: fields.number('aml_match_score_threshold', 93),
  adverseMedia: fields.flag('include_adverse_media', false),
  monitoring: fields.flag('include_ongoing_monitoring', false),
});
type AmlRequest = ReturnType<typeof readRequest>;

const regions = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });

const readNationality = (fields: Fields): string | null => {
  const sentence = 'Invalid ISO 3166-1 alpha-2 country code.';
  const code = fields.text('nationality', { pattern: /^[A-Z]{2}$/, sentence });
  if (code === null || (code !== 'ZZ' && regions.of(code) !== undefined)) return code;
  return fields.refuse('nationality', sentence);
};

const contradictionsOf = (request: AmlRequest, save: boolean): string[] => {
  const { nameWeight, dobWeight, countryWeight, approve, review } = request;
  const sum = nameWeight + dobWeight + countryWeight;
  const weights = `(name: ${nameWeight}, dob: ${dobWeight}, country: ${countryWeight})`;
  return [
    ...(sum === 100 ? [] : [`AML weights must sum to 100. Current sum: ${sum} ${weights}`]),
    ...(approve <= review
      ? []
      : [
          `Approve threshold (${pythonFloat(approve)}) cannot be greater than review threshold (${pythonFloat(review)})`,
        ]),
    ...(request.monitoring && !save ? ['Ongoing monitoring can only be enabled when the API request is saved.'] : []),
  ];
};

const verdict = (risk: number, { approve, review }: AmlRequest): 'Approved' | 'Declined' | 'In Review' => {
  if (risk <= approve) return 'Approved';
  return risk > review ? 'Declined' : 'In Review';
};

const plain = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
