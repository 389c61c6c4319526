import { detail, json, type Answer } from '../wire/answers.js';
import { isJsonObject, parseJson, type JsonObject } from '../wire/json.js';
import { pythonType } from './fields.js';
import type { Call } from './operation.js';

/** The JSON object of a call, or the answer that refuses it. */
export const readObject = (call: Call): { readonly object: JsonObject } | { readonly refusal: Answer } => {
  const type = call.headers['content-type'];
  if (call.body.length === 0) return { object: {} };
  if (type !== undefined && !/^application\/json\b/i.test(type)) {
    return { refusal: detail(415, `Unsupported media type "${printable(type)}" in request.`) };
  }
  try {
    const value = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(call.body));
    if (isJsonObject(value)) return { object: value };
    const sentence = `Invalid data. Expected a dictionary, but got ${pythonType(value)}.`;
    return { refusal: json(400, { non_field_errors: [sentence] }) };
  } catch {
    return { refusal: detail(400, 'JSON parse error - Expecting value: line 1 column 1 (char 0)') };
  }
};

const printable = (text: string): string => text.replace(/[^ -~]/g, '?').slice(0, 200);
