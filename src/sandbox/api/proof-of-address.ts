import { addressReport } from '../decision/address-report.js';
import { checkWarning } from '../decision/check-warning.js';
import { fullName } from '../decision/people.js';
import { detail, json, type Answer } from '../wire/answers.js';
import { isJsonObject, parseJson, scalarText, type Json } from '../wire/json.js';
import type { FormFile } from '../wire/multipart.js';
import type { World } from '../world.js';
import type { Fields } from './fields.js';
import type { Call } from './operation.js';
import { concluded, image, readCommon, readStandalone, scenarioOf, unreadable, type ImageRules } from './standalone.js';

const file: ImageRules = { required: true, megabytes: 15, extensions: ['tiff', 'jpg', 'jpeg', 'png', 'pdf', 'webp'] };

const actions = [
  'poa_name_mismatch_action',
  'poa_document_issues_action',
  'poa_document_authenticity_action',
  'poa_unsupported_language_action',
  'poa_address_mismatch_action',
  'poa_issuer_not_identified_action',
] as const;

const languages =
  'ar bn hy bg bs ca cnr sq zh hr cs da nl en et fi fr ka kk de el he hi hu id it ja ko ky lv lt mk mn ms no fa pl pt ro ru sr sk sl so es sv th tr uk uz vi'.split(
    ' ',
  );

/** `POST /v3/poa/`: a name or an age that does not fit is a 200 that says Declined, unless the action lets it pass. */
export const proveAddress = async (call: Call, world: World): Promise<Answer> => {
  const read = await readStandalone(call);
  if ('refusal' in read) return read.refusal;
  const { form, fields } = read;
  const document = image(form, fields, 'document', file);
  const chosen = Object.fromEntries(actions.map((name) => [name, fields.choice(name, ['DECLINE', 'NO_ACTION'])]));
  for (const name of ['expected_address', 'expected_country', 'expected_first_name']) fields.text(name);
  const lastName = fields.text('expected_last_name');
  const password = fields.text('document_password');
  checkLanguages(fields);
  checkAges(fields);
  const common = readCommon(call, fields);
  if (!fields.valid) return json(400, fields.errors);
  const locked = lockedOut(document, password);
  if (locked !== null) return detail(400, locked);
  if (unreadable(document)) return json(400, { error: ['Error extracting POA information'] });
  const scenario = scenarioOf([document], world);
  const renamed = scenario === 'mismatch' || lastName === 'Mismatch';
  const declines = chosen['poa_name_mismatch_action'] !== 'NO_ACTION';
  const status = renamed && declines ? 'Declined' : 'Approved';
  return concluded(call, world, common, { feature: 'POA', status, scenario }, (session) => ({
    poa: {
      ...addressReport(session.person),
      name_on_document: renamed ? 'Somebody Else' : fullName(session.person),
      status,
      warnings: renamed ? [nameDiffers(declines)] : [],
    },
  }));
};

const nameDiffers = (declines: boolean) =>
  checkWarning('POA', 'NAME_MISMATCH_WITH_PROVIDED', {
    short: 'Name mismatch with provided information',
    long: 'The name on the document is not the one that was verified or sent.',
    logType: declines ? 'error' : 'information',
  });

/** A file so named is a PDF with a password, which is `secret`. */
const lockedOut = (document: FormFile | null, password: string | null): string | null => {
  if (document?.name.toLowerCase().includes('encrypted') !== true || password === 'secret') return null;
  return password === null
    ? 'The PDF is encrypted. Please upload a decrypted PDF or a photo instead.'
    : 'The PDF password is incorrect. Please provide the correct password.';
};

const checkLanguages = (fields: Fields): void => {
  const wanted =
    fields
      .text('poa_languages_allowed')
      ?.split(',')
      .map((code) => code.trim()) ?? [];
  const unknown = wanted.find((code) => !languages.includes(code));
  if (unknown === undefined) return;
  const list = languages.map((code) => `'${code}'`).join(', ');
  fields.refuse(
    'poa_languages_allowed',
    `Invalid language code: '${unknown}'. Must be one of the supported languages: [${list}].`,
  );
};

const checkAges = (fields: Fields): void => {
  const text = fields.text('poa_document_age_months');
  if (text === null) return;
  const ages = parsed(text);
  if (!isJsonObject(ages)) return void fields.refuse('poa_document_age_months', 'Must be a JSON object.');
  for (const [kind, months] of Object.entries(ages)) {
    const number = Number(scalarText(months) || Number.NaN);
    if (number === -1 || (Number.isInteger(number) && number >= 1 && number <= 120)) continue;
    const value = scalarText(months);
    fields.refuse(
      'poa_document_age_months',
      `Invalid integer value for '${kind}': '${value}'. Must be -1 (unlimited) or a positive integer between 1 and 120.`,
    );
  }
};

const parsed = (text: string): Json => {
  try {
    return parseJson(text);
  } catch {
    return null;
  }
};
