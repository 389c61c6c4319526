import { documentReport } from '../decision/document-report.js';
import { warningsOfCheck } from '../decision/render.js';
import { json, type Answer } from '../wire/answers.js';
import type { World } from '../world.js';
import type { Call } from './operation.js';
import { concluded, documentImage, image, readCommon, readStandalone, scenarioOf, unreadable } from './standalone.js';

/** `POST /v3/id-verification/`: an expired document is a 200 that says Declined. */
export const verifyDocument = async (call: Call, world: World): Promise<Answer> => {
  const read = await readStandalone(call);
  if ('refusal' in read) return read.refusal;
  const { form, fields } = read;
  const front = image(form, fields, 'front_image', documentImage);
  const back = image(form, fields, 'back_image', { ...documentImage, required: false });
  fields.flag('perform_document_liveness', false);
  fields.number('minimum_age', 1, 1, 120);
  for (const action of ['expiration_date_not_detected_action', 'invalid_mrz_action', 'inconsistent_data_action']) {
    fields.choice(action, ['NO_ACTION', 'DECLINE']);
  }
  fields.choice('preferred_characters', ['latin', 'non_latin']);
  const common = readCommon(call, fields);
  if (!fields.valid) return json(400, fields.errors);
  if (unreadable(front)) return json(400, { error: 'COULD_NOT_RECOGNIZE_DOCUMENT' });
  const scenario = scenarioOf([front, back], world);
  const status = scenario === 'expired-document' ? 'Declined' : 'Approved';
  return concluded(call, world, common, { feature: 'ID_VERIFICATION', status, scenario }, (session, links) => {
    const report = documentReport(session, links);
    const hidden = ['front_video', 'back_video', 'full_front_image', 'full_back_image', 'extra_files', 'matches'];
    const shown = Object.fromEntries(Object.entries(report).filter(([name]) => !hidden.includes(name)));
    return {
      id_verification: {
        status,
        ...shown,
        ...(back === null ? { back_image: null, back_image_quality_score: null } : {}),
        warnings: warningsOfCheck(session, 'ID_VERIFICATION', { status }, 'without-node'),
        barcodes: [],
      },
    };
  });
};
