import { featureNames, workflowFeatures, type Feature } from '../decision/features.js';
import type { Session } from '../sessions/session.js';
import { isSessionStatus, reviewable } from '../sessions/transitions.js';
import { detail, json, notFound, type Answer } from '../wire/answers.js';
import { isJsonObject, scalarText, type Json, type JsonObject } from '../wire/json.js';
import type { World } from '../world.js';
import { Fields } from './fields.js';
import type { Call } from './operation.js';
import { readObject } from './request-body.js';

const targets = ['Approved', 'Declined', 'Resubmitted'] as const;
type Target = (typeof targets)[number];

interface Node {
  readonly nodeId: string;
  readonly feature: Feature;
}

/** `PATCH …/update-status/`: a reviewer's word. Whether the session can be reviewed is asked before the body is read. */
export const updateStatus = (call: Call, world: World): Answer => {
  const { session } = call;
  if (session === undefined) return notFound();
  if (!reviewable.includes(session.status)) {
    const sentence = `Only sessions with status ${reviewable.join(', ')} can be updated. Current status: ${session.status}`;
    return detail(400, sentence);
  }
  const read = readObject(call);
  if ('refusal' in read) return read.refusal;
  const fields = new Fields(read.object);
  const target = readTarget(fields);
  const comment = fields.text('comment') ?? '';
  checkEmail(fields);
  const nodeErrors = checkNodes(fields.raw('nodes_to_resubmit'));
  if (nodeErrors !== null) fields.errors['nodes_to_resubmit'] = nodeErrors;
  if (!fields.valid || target === null) return json(400, fields.errors);
  if (target === session.status) return json(400, ['The new status is the same as the current status.']);
  if (target !== 'Resubmitted') world.lifecycle.review(session, target, comment);
  else return resubmit(session, fields.raw('nodes_to_resubmit'), comment, world);
  return json(200, { session_id: session.id });
};

const readTarget = (fields: Fields): Target | null => {
  const wanted = fields.text('new_status', { required: true });
  if (wanted === null) return null;
  const target = targets.find((status) => status === wanted);
  if (target !== undefined) return target;
  return fields.refuse(
    'new_status',
    isSessionStatus(wanted)
      ? "You can only update the status to 'Approved', 'Declined', or 'Resubmitted'."
      : `"${wanted}" is not a valid choice.`,
  );
};

const checkEmail = (fields: Fields): void => {
  const send = fields.flag('send_email', false);
  const address = fields.text('email_address', {
    pattern: /^[^@\s]+@[^@\s]+$/,
    sentence: 'Enter a valid email address.',
  });
  if (send && address === null) fields.refuse('email_address', 'Email address is required when send_email is true.');
};

const resubmit = (session: Session, given: Json, comment: string, world: World): Answer => {
  const forbidden = featuresIn(given).filter((feature) => ['KYB_REGISTRY', 'KYB_KEY_PEOPLE', 'KYB'].includes(feature));
  if (forbidden.length > 0) {
    const sentence = `The following features cannot be resubmitted directly: ${forbidden.join(', ')}. Resubmit the relevant child KYC sessions instead; the parent will recompute automatically.`;
    return json(400, { nodes_to_resubmit: sentence });
  }
  const nodes = Array.isArray(given) && given.length > 0 ? chosenNodes(given) : openNodes(session);
  if (nodes.length === 0) {
    const sentence = 'No features found that need resubmission. All features are already approved.';
    return json(400, { nodes_to_resubmit: sentence });
  }
  world.lifecycle.resubmit(session, nodes, comment);
  return json(200, { session_id: session.id });
};

/** Every name that `nodes_to_resubmit[].feature` may have, in the order of the error text. */
const resubmitNames =
  'OCR OCR_BACK NFC AML FACE LIVENESS FACE_MATCH IP_ANALYSIS AGE_ESTIMATION PROOF_OF_ADDRESS PHONE_VERIFICATION EMAIL_VERIFICATION FACE_SEARCH DATABASE_VALIDATION QUESTIONNAIRE DOCUMENT_AI KYB_REGISTRY KYB_DOCUMENTS KYB_KEY_PEOPLE ID_VERIFICATION POA PHONE EMAIL KYB'.split(
    ' ',
  );

const checkNodes = (given: Json): Json | null => {
  if (given === null) return null;
  if (!Array.isArray(given)) return ['Expected a list of items but got type "str".'];
  const errors = given.map((node): JsonObject => {
    if (!isJsonObject(node)) return { non_field_errors: ['Invalid data. Expected a dictionary.'] };
    const fields = new Fields(node);
    fields.text('node_id', { required: true });
    const feature = fields.text('feature', { required: true });
    if (feature !== null && !resubmitNames.includes(feature)) {
      fields.refuse('feature', `"${feature}" is not a valid choice. Valid choices are: ${resubmitNames.join(', ')}`);
    }
    return fields.errors;
  });
  return errors.some((error) => Object.keys(error).length > 0) ? errors : null;
};

const featuresIn = (given: Json): string[] =>
  Array.isArray(given) ? given.map((node) => (isJsonObject(node) ? scalarText(node['feature']) : '')) : [];

const chosenNodes = (given: Json[]): Node[] =>
  given.flatMap((node) => {
    if (!isJsonObject(node)) return [];
    const feature = workflowFeatures.find((name) => featureNames[name].resubmit.includes(scalarText(node['feature'])));
    return feature === undefined ? [] : [{ nodeId: scalarText(node['node_id']), feature }];
  });

const openNodes = (session: Session): Node[] =>
  [...session.checks]
    .filter(([, check]) => check.status !== 'Approved')
    .map(([feature]) => ({ nodeId: featureNames[feature].node, feature }));
