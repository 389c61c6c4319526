import { Float, isJsonObject, type Json, type JsonObject } from '../wire/json.js';

/**
 * Reads the members of a request and gathers what is wrong with them in the words and shapes of Didit's framework:
 * an object of field name to array of sentences, nested where the field is an object.
 */
export class Fields {
  readonly errors: JsonObject = {};
  readonly #body: JsonObject;

  constructor(body: JsonObject) {
    this.#body = body;
  }

  get valid(): boolean {
    return Object.keys(this.errors).length === 0;
  }

  has(name: string): boolean {
    return this.#body[name] !== undefined && this.#body[name] !== null;
  }

  raw(name: string): Json {
    return this.#body[name] ?? null;
  }

  refuse(name: string, ...sentences: string[]): null {
    this.errors[name] = sentences;
    return null;
  }

  text(
    name: string,
    rules: { required?: boolean; max?: number; pattern?: RegExp; sentence?: string } = {},
  ): string | null {
    const value = this.#body[name];
    if (value === undefined) return rules.required === true ? this.refuse(name, 'This field is required.') : null;
    if (value === null) return rules.required === true ? this.refuse(name, 'This field may not be null.') : null;
    const text = scalarText(value);
    if (text === null) return this.refuse(name, 'Not a valid string.');
    if (text === '') return rules.required === true ? this.refuse(name, 'This field may not be blank.') : null;
    if (rules.max !== undefined && text.length > rules.max) {
      return this.refuse(name, `Ensure this field has no more than ${rules.max} characters.`);
    }
    if (rules.pattern?.test(text) === false) return this.refuse(name, rules.sentence ?? 'Invalid value.');
    return text;
  }

  choice<T extends string>(name: string, choices: readonly T[]): T | null {
    const value = this.#body[name];
    if (value === undefined || value === null) return null;
    const found = choices.find((choice) => choice === value);
    return found ?? this.refuse(name, `"${scalarText(value) ?? 'value'}" is not a valid choice.`);
  }

  date(name: string): string | null {
    const text = this.text(name);
    if (text === null) return null;
    const real = /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));
    return real ? text : this.refuse(name, 'Date has wrong format. Use one of these formats instead: YYYY-MM-DD.');
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.#body[name];
    if (value === undefined || value === null) return fallback;
    if (value === true || value === false) return value;
    if (typeof value === 'string' && /^(true|1|yes|on)$/i.test(value)) return true;
    if (typeof value === 'string' && /^(false|0|no|off|)$/i.test(value)) return false;
    this.refuse(name, 'Must be a valid boolean.');
    return fallback;
  }

  number(name: string, fallback: number, min = 0, max = 100): number {
    const value = this.#body[name];
    if (value === undefined || value === null || value === '') return fallback;
    const number = value instanceof Float ? value.value : Number(scalarText(value) ?? Number.NaN);
    if (!Number.isFinite(number)) this.refuse(name, 'A valid number is required.');
    else if (number > max) this.refuse(name, `Ensure this value is less than or equal to ${max}.`);
    else if (number < min) this.refuse(name, `Ensure this value is greater than or equal to ${min}.`);
    return Number.isFinite(number) ? number : fallback;
  }

  /** A nested object, read by its own reader; what is wrong inside stands under the field's name. */
  nested(name: string, read: (fields: Fields) => void): JsonObject | null {
    const value = this.#body[name];
    if (value === undefined || value === null) return null;
    if (!isJsonObject(value)) {
      this.errors[name] = { non_field_errors: [`Invalid data. Expected a dictionary, but got ${pythonType(value)}.`] };
      return null;
    }
    const inner = new Fields(value);
    read(inner);
    if (!inner.valid) this.errors[name] = inner.errors;
    return value;
  }
}

const scalarText = (value: Json): string | null => {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return value.toString();
  return value instanceof Float ? String(value.value) : null;
};

export const pythonType = (value: Json): string => {
  if (value === null) return 'NoneType';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean') return 'bool';
  if (value instanceof Float) return 'float';
  if (Array.isArray(value)) return 'list';
  return typeof value === 'object' ? 'dict' : 'int';
};
