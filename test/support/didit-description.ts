import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv, type ErrorObject } from 'ajv';
import formats from 'ajv-formats';
import { expect } from 'vitest';
import type { Reply } from '../../src/sandbox/testing/fixture.js';

const shared = process.env['GATEHOUSE_SHARED'] ?? resolve(import.meta.dirname, '..', '..', '..', 'shared');
const file = join(shared, 'didit', 'openapi.json');
/** Whether Didit's description is at hand. */
export const described = existsSync(file);
if (!described) console.info(`skipped: the sandbox against Didit's OpenAPI description, which is not at ${file}`);

export interface Schema {
  type?: string | string[];
  nullable?: boolean;
  enum?: unknown[];
  format?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  oneOf?: Schema[];
  additionalProperties?: unknown;
}
interface Media {
  schema?: Schema;
  examples?: Record<string, { value: unknown }>;
}
export type Paths = Record<
  string,
  Record<string, { responses: Record<string, { content?: Record<string, Media>; headers?: Record<string, unknown> }> }>
>;

/**
 * Didit's own OpenAPI description, as what the sandbox is held against. Three questions are asked of every answer: does the schema take it, is
 * every member there that the schema names, and is there none that it does not name. Errors are held against the description's own
 * examples, to the letter.
 */
export class Description {
  readonly paths: Paths;
  readonly #deviations: Readonly<Record<string, string>>;
  readonly #used = new Set<string>();
  readonly #ajv = new Ajv({ strict: false, allErrors: true, formats: { decimal: true } });

  /** @param deviations why an answer differs, by the difference; each must be needed */
  constructor(deviations: Readonly<Record<string, string>>) {
    const document = JSON.parse(readFileSync(file, 'utf8')) as { paths: Paths };
    this.paths = resolved(document, document.paths) as Paths;
    this.#deviations = deviations;
    formats.default(this.#ajv);
  }

  media(path: string, method: string, status: number): Media {
    const answer = this.paths[path]?.[method]?.responses[String(status)];
    const found = answer?.content?.['application/json'];
    if (found === undefined) throw new Error(`the description has no JSON for ${method} ${path} ${status}`);
    return found;
  }

  example(path: string, method: string, status: number, name: string): unknown {
    const examples = this.media(path, method, status).examples ?? {};
    if (!(name in examples)) throw new Error(`no example ${name}; there are ${Object.keys(examples).join(', ')}`);
    return examples[name]?.value;
  }

  /** What differs, without what is known to differ. */
  differences(name: string, schema: Schema, body: unknown): string[] {
    const validate = this.#ajv.compile(asJsonSchema(schema));
    validate(body);
    const found = [
      ...(validate.errors ?? []).map((error: ErrorObject) => `${name} ${error.instancePath} ${error.message ?? ''}`),
      ...membersMissing(schema, body).map((member) => `${name} lacks ${member}`),
      ...membersUnknown(schema, body).map((member) => `${name} has ${member}`),
    ];
    for (const difference of found) if (difference in this.#deviations) this.#used.add(difference);
    return [...new Set(found)].filter((difference) => !(difference in this.#deviations));
  }

  /** The answer is as described. */
  holds(name: string, reply: Reply, path: string, method: string): void {
    expect(reply.headers['content-type']).toBe('application/json');
    const { schema } = this.media(path, method, reply.status);
    if (schema === undefined) throw new Error(`the description has no schema for ${method} ${path} ${reply.status}`);
    expect(this.differences(name, schema, reply.json)).toEqual([]);
  }

  unneeded(): string[] {
    return Object.keys(this.#deviations).filter((deviation) => !this.#used.has(deviation));
  }
}

/** The description without its references, and with what belongs together in one. */
const resolved = (document: object, value: unknown, depth = 0): unknown => {
  if (typeof value !== 'object' || value === null || depth > 40) return value;
  if (Array.isArray(value)) return value.map((item) => resolved(document, item, depth + 1));
  const { $ref, allOf, ...rest } = value as { $ref?: string; allOf?: object[] } & Record<string, unknown>;
  if ($ref !== undefined) {
    const steps = $ref.slice(2).split('/');
    const found = steps.reduce<unknown>((at, step) => Reflect.get(Object(at), step), document);
    return resolved(document, found, depth + 1);
  }
  const parts = (allOf ?? []).map((part) => resolved(document, part, depth + 1) as Schema);
  const own = Object.fromEntries(
    Object.entries(rest).map(([name, item]) => [name, resolved(document, item, depth + 1)]),
  );
  if (parts.length === 0) return own;
  return {
    ...Object.assign({}, ...parts),
    ...own,
    properties: Object.assign({}, ...parts.map((part) => part.properties)),
  };
};

/**
 * OpenAPI 3.0 says `nullable` where JSON Schema has a type null, and its enums forget the null. Date-times are taken without
 * a zone as well, since the description's own examples have none.
 */
const asJsonSchema = (schema: Schema): Schema => {
  const { nullable, ...rest } = schema;
  const types = [schema.type ?? []].flat();
  return {
    ...rest,
    ...(nullable === true && types.length > 0 ? { type: [...types, 'null'] } : {}),
    ...(nullable === true && schema.enum !== undefined ? { enum: [...new Set([...schema.enum, null])] } : {}),
    ...(schema.format === 'date-time' ? { format: 'iso-date-time' } : {}),
    ...(schema.properties === undefined ? {} : { properties: mapped(schema.properties) }),
    ...(schema.items === undefined ? {} : { items: asJsonSchema(schema.items) }),
    ...(schema.oneOf === undefined
      ? {}
      : { oneOf: [...schema.oneOf.map(asJsonSchema), ...(nullable === true ? [{ type: 'null' }] : [])] }),
  };
};

const mapped = (properties: Record<string, Schema>): Record<string, Schema> =>
  Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, asJsonSchema(schema)]));

/** Objects whose members are for each to choose: what is absent means nothing. */
const free =
  /(^|\.)(expected_details|contact_details|metadata|extra_fields|mrz|properties|additional_data|additional_details|adverse_media_details|additional_information|screened_data|details|extracted_data|source_data)$/;

const membersMissing = (schema: Schema, value: unknown, path = ''): string[] =>
  walk(schema, value, path, (properties, object, at) =>
    free.test(at) ? [] : Object.keys(properties).filter((name) => !(name in object)),
  );

const membersUnknown = (schema: Schema, value: unknown, path = ''): string[] =>
  walk(schema, value, path, (properties, object, at) =>
    free.test(at) && !at.endsWith('extra_fields') ? [] : Object.keys(object).filter((name) => !(name in properties)),
  );

const walk = (
  schema: Schema,
  value: unknown,
  path: string,
  names: (properties: Record<string, Schema>, object: object, path: string) => string[],
): string[] => {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? [] : value.flatMap((item) => walk(items, item, `${path}[]`, names));
  }
  if (typeof value !== 'object' || value === null || schema.properties === undefined) return [];
  const inner = Object.entries(value).flatMap(([name, item]) => {
    const property = schema.properties?.[name];
    return property === undefined ? [] : walk(property, item, path === '' ? name : `${path}.${name}`, names);
  });
  const prefix = path === '' ? '' : `${path}.`;
  return [...names(schema.properties, value, path).map((name) => `${prefix}${name}`), ...inner];
};
