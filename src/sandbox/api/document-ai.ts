import { json, type Answer } from '../wire/answers.js';
import { isJsonObject, parseJson, scalarText, type Json } from '../wire/json.js';
import type { World } from '../world.js';
import type { Fields } from './fields.js';
import type { Call } from './operation.js';
import { concluded, documentImage, image, readCommon, readStandalone, scenarioOf, unreadable } from './standalone.js';

const mostFields = 30;

/** `POST /v3/document-ai/`: reads out of a document what the caller names. Told of since September 2026, without a schema. */
export const readDocument = async (call: Call, world: World): Promise<Answer> => {
  const read = await readStandalone(call);
  if ('refusal' in read) return read.refusal;
  const { form, fields } = read;
  const document = image(form, fields, 'document', { ...documentImage, megabytes: 30 });
  const wanted = readWanted(fields);
  const common = readCommon(call, fields);
  if (!fields.valid) return json(400, fields.errors);
  if (unreadable(document)) return json(400, { error: ['Error extracting document information'] });
  const scenario = scenarioOf([document], world);
  const status = scenario === 'mismatch' ? 'Declined' : 'Approved';
  return concluded(call, world, common, { feature: 'DOCUMENT_AI', status, scenario }, ({ person }) => ({
    document_ai: {
      status,
      extracted_data: Object.fromEntries(
        wanted.map((key) => [key, /name|holder/.test(key) ? `${person.firstName} ${person.lastName}` : 'read']),
      ),
      fields: wanted.map((key) => ({ key, name: key, instruction: '', type: 'text', required: false })),
      warnings: [],
    },
  }));
};

const readWanted = (fields: Fields): string[] => {
  const text = fields.text('fields', { required: true });
  if (text === null) return [];
  const list = parsed(text);
  if (!Array.isArray(list)) {
    fields.refuse('fields', 'Expected a list of items.');
    return [];
  }
  if (list.length === 0 || list.length > mostFields) {
    fields.refuse('fields', `Ensure this field has between 1 and ${mostFields} elements.`);
  }
  return list.map((item) => (isJsonObject(item) ? scalarText(item['key'] ?? null) : scalarText(item)));
};

const parsed = (text: string): Json => {
  try {
    return parseJson(text);
  } catch {
    return null;
  }
};
