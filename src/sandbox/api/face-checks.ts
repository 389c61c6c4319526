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
