import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type OperationName, OPERATIONS } from './operations.js';
import { ALL, LEAN, masksWith } from './testing/masks.js';

const masks = masksWith();
const folder = process.env['GATEHOUSE_SHARED'] ?? join(import.meta.dirname, '../../../../shared');
const openapiFile = join(folder, 'didit', 'openapi.json');
const here = existsSync(openapiFile);
if (!here) process.stderr.write('Didit’s description is not at hand: the masks are not held against it.\n');

interface Schema {
  $ref?: string;
  type?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
  format?: string;
}
interface Described {
  paths: Record<
    string,
    Record<string, { responses: Record<string, { content?: Record<string, { schema: Schema }> }> }>
  >;
}

describe.skipIf(!here)('held against Didit’s own description', () => {
  const described = here ? (JSON.parse(readFileSync(openapiFile, 'utf8')) as Described) : { paths: {} };

  /** A body with every member that is described: texts hold `planted`, addresses are addresses. */
  function sample(schema: Schema, depth = 0): unknown {
    if (schema.$ref !== undefined) {
      let found: unknown = described;
      for (const step of schema.$ref.slice(2).split('/')) found = Reflect.get(Object(found), step);
      return depth > 12 ? null : sample(found as Schema, depth + 1);
    }
    const variants = [...(schema.allOf ?? []), ...(schema.oneOf ?? []), ...(schema.anyOf ?? [])];
    if (variants.length > 0)
      return Object.assign({}, ...variants.map((variant) => sample(variant, depth + 1))) as unknown;
    if (schema.properties !== undefined)
      return Object.fromEntries(
        Object.entries(schema.properties).map(([name, member]) => [name, sample(member, depth + 1)]),
      );
    if (schema.type === 'object') return {};
    if (schema.items !== undefined) return [sample(schema.items, depth + 1)];
    if (schema.type === 'number' || schema.type === 'integer') return 1;
    if (schema.type === 'boolean') return true;
    if (schema.format === 'date') return '1984-02-29';
    return schema.format === 'uri' ? 'https://media.test/planted' : 'planted text';
  }

  /** A PDF has no members, and document AI came after the description. */
  const UNDESCRIBED = ['session.pdf', 'document-ai'];
  const operations = Object.keys(OPERATIONS).filter((name) => !UNDESCRIBED.includes(name)) as OperationName[];
  /** Addresses that a lean answer holds: pages, and what the client asked for. */
  const ADDRESSES: Partial<Record<OperationName, number>> = {
    'session.create': 1,
    'session.list': 2,
    'business.list': 2,
    'transaction.list': 2,
    'transaction.create': 2,
  };

  it.each(operations)('every member of %s is known, and no address passes unasked', (name) => {
    const { method, path: ours } = OPERATIONS[name];
    const path = ours.replace('{vendorData}', '{vendor_data}').replace('{transactionId}', '{transaction_id}');
    const responses = described.paths[path]?.[method.toLowerCase()]?.responses ?? {};
    expect(Object.keys(described.paths[path] ?? {})).toContain(method.toLowerCase());
    const schema = (responses['200'] ?? responses['201'])?.content?.['application/json']?.schema;
    // A delete was described without a body then.
    if (schema === undefined) return expect(name).toBe('session.delete');
    const body = sample(schema);
    const lean = masks.answer(name, body, LEAN);
    expect(lean.unlisted).toEqual([]);
    expect(JSON.stringify(lean.value).split('media.test').length - 1).toBeLessThanOrEqual(ADDRESSES[name] ?? 0);
    expect(masks.answer(name, body, ALL).value).toEqual(body);
  });
});
