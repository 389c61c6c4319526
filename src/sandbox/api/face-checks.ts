import { checkWarning } from '../decision/check-warning.js';
import { instant } from '../decision/instant.js';
import { fullName } from '../decision/people.js';
import { faceMatchScore, livenessScore, warningsOfCheck } from '../decision/render.js';
import { json, type Answer } from '../wire/answers.js';
import { Float, type JsonObject } from '../wire/json.js';
import type { World } from '../world.js';
import type { Call } from './operation.js';
import { concluded, faceImage, image, readCommon, readStandalone, scenarioOf, unreadable } from './standalone.js';

const defaultThreshold = 30;

/** `POST /v3/passive-liveness/`: a score at or below the threshold declines. */
export const checkLiveness = async (call: Call, world: World): Promise<Answer> => {
  const read = await readStandalone(call);
  if ('refusal' in read) return read.refusal;
  const { form, fields } = read;
  const face = image(form, fields, 'user_image', faceImage);
  const threshold = fields.number('face_liveness_score_decline_threshold', defaultThreshold);
  fields.flag('rotate_image', false);
  const common = readCommon(call, fields);
  if (!fields.valid) return json(400, fields.errors);
  if (unreadable(face)) return json(400, { error: 'Invalid user image format.' });
  const scenario = scenarioOf([face], world);
  const score = livenessScore(scenario);
  const status = score > threshold ? 'Approved' : 'Declined';
  return concluded(call, world, common, { feature: 'LIVENESS', status, score, scenario }, (session) => ({
    liveness: {
      status,
      method: 'PASSIVE',
      score: new Float(score),
      user_image: faceFound(34),
      warnings: warningsOfCheck(session, 'LIVENESS', { status }, 'without-node'),
      face_quality: new Float(84.21),
      face_luminance: new Float(50.33),
    },
  }));
};

/** `POST /v3/face-match/`: approved only above the threshold. A kept score has two decimals, another has all of them. */
export const matchFaces = async (call: Call, world: World): Promise<Answer> => {
  const read = await readStandalone(call);
  if ('refusal' in read) return read.refusal;
  const { form, fields } = read;
  const face = image(form, fields, 'user_image', faceImage);
  const reference = image(form, fields, 'ref_image', faceImage);
  const threshold = fields.number('face_match_score_decline_threshold', defaultThreshold);
  fields.flag('rotate_image', false);
  const common = readCommon(call, fields);
  if (!fields.valid) return json(400, fields.errors);
  const scenario = scenarioOf([face, reference], world);
  const score = faceMatchScore(scenario);
  const status = score > threshold ? 'Approved' : 'Declined';
  return concluded(call, world, common, { feature: 'FACE_MATCH', status, score, scenario }, (session) => ({
    face_match: {
      status,
      score: new Float(common.save ? score : score + 0.003_726_806_640_625),
      user_image: faceFound(34),
      ref_image: faceFound(33),
      warnings: warningsOfCheck(session, 'FACE_MATCH', { status }, 'without-node'),
    },
  }));
};

const adult = 18;

/** `POST /v3/age-estimation/`: any warning declines. A file named `minor` shows somebody of sixteen. */
export const estimateAge = async (call: Call, world: World): Promise<Answer> => {
  const read = await readStandalone(call);
  if ('refusal' in read) return read.refusal;
  const { form, fields } = read;
  const face = image(form, fields, 'user_image', faceImage);
  const threshold = fields.number('face_liveness_score_decline_threshold', defaultThreshold);
  const least = fields.number('age_estimation_decline_threshold', adult);
  fields.flag('rotate_image', false);
  const common = readCommon(call, fields);
  if (!fields.valid) return json(400, fields.errors);
  const scenario = scenarioOf([face], world);
  const score = livenessScore(scenario);
  const age = face?.name.toLowerCase().includes('minor') === true ? 16.5 : 30;
  const warnings = [...(score > threshold ? [] : [spoofed]), ...(age >= least ? [] : [tooYoung])];
  const status = warnings.length === 0 ? 'Approved' : 'Declined';
  return concluded(call, world, common, { feature: 'AGE_ESTIMATION', status, score, scenario }, () => ({
    age_estimation: {
      status,
      method: 'PASSIVE',
      score: new Float(score),
      user_image: { entities: [seen({ age: new Float(age), gender: 'female' })], best_angle: 0 },
      age_estimation: new Float(age),
      warnings,
    },
  }));
};

const tooYoung = checkWarning('AGE_ESTIMATION', 'AGE_BELOW_MINIMUM', {
  short: 'Age below minimum',
  long: 'The face looks younger than the least age that was asked for.',
});
const spoofed = checkWarning('AGE_ESTIMATION', 'LOW_LIVENESS_SCORE', {
  short: 'Low liveness score',
  long: 'The capture scored too low to be taken for a living person.',
});

const mostMatches = 5;

/**
 * `POST /v3/face-search/`: over every face of the application, whoever's. All of the sandbox's people look alike to a file named `known`,
 * and one named `blocklisted` is on the list.
 */
export const searchFace = async (call: Call, world: World): Promise<Answer> => {
  const read = await readStandalone(call);
  if ('refusal' in read) return read.refusal;
  const { form, fields } = read;
  const face = image(form, fields, 'user_image', faceImage);
  fields.choice('search_type', ['most_similar', 'blocklisted_or_approved']);
  fields.flag('rotate_image', false);
  const common = readCommon(call, fields);
  if (!fields.valid) return json(400, fields.errors);
  if (unreadable(face)) return json(400, { error: 'No face detected in the image' });
  const name = face?.name.toLowerCase() ?? '';
  const blocked = name.includes('blocklisted');
  const matches = blocked || name.includes('known') ? facesOf(world, blocked) : [];
  const status = blocked ? 'Declined' : 'Approved';
  return concluded(call, world, common, { feature: 'FACE_SEARCH', status, scenario: 'clean' }, () => ({
    face_search: {
      status,
      total_matches: matches.length,
      matches,
      user_image: { entities: [seen({})], best_angle: 0 },
      warnings: matches.map((match) => foundBefore(match, blocked)),
    },
  }));
};

const facesOf = (world: World, blocked: boolean): JsonObject[] => {
  const known = [...world.store.newestFirst()].filter(({ checks }) => checks.has('LIVENESS'));
  return known.slice(0, mostMatches).map((session) => ({
    session_id: session.id,
    session_number: session.number,
    similarity_percentage: new Float(99.42),
    source: 'session',
    vendor_data: session.vendorData,
    verification_date: instant(session.createdAt),
    user_details: session.checks.has('ID_VERIFICATION')
      ? {
          full_name: fullName(session.person),
          document_type: session.person.documentType === 'Passport' ? 'P' : 'ID',
          document_number: session.person.documentNumber,
        }
      : null,
    match_image_url: world.media.links(world.origin, session.id, world.clock.wall())('selfie.png'),
    status: session.status,
    is_blocklisted: blocked,
    is_allowlisted: false,
    api_service: session.type === 'API' ? 'PASSIVE_LIVENESS' : null,
  }));
};

const foundBefore = (match: JsonObject, blocked: boolean): JsonObject =>
  blocked
    ? checkWarning('FACE_SEARCH', 'FACE_IN_BLOCKLIST', {
        short: 'Face in blocklist',
        long: 'The face is on the list of those that are blocked.',
      })
    : checkWarning('FACE_SEARCH', 'DUPLICATED_FACE', {
        short: 'Duplicated face from other approved session',
        long: 'The face was seen in another session.',
        logType: 'information',
        about: {
          duplicated_session_id: match['session_id'] ?? null,
          duplicated_session_number: match['session_number'] ?? null,
          api_service: match['api_service'] ?? null,
        },
      });

const seen = (more: JsonObject): JsonObject => ({
  bbox: [40, 40, 100, 100],
  confidence: new Float(0.717775),
  ...more,
});

const faceFound = (age: number): JsonObject => ({
  entities: [
    {
      bbox: [661, 728, 1688, 2188],
      confidence: new Float(0.732973),
      age: new Float(age),
      gender: 'female',
      race: null,
    },
  ],
  best_angle: 0,
});
