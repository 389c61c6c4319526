import { z } from 'zod';
import { configSchema } from './schema.js';

/** One setting, as the reference page and the reader of the environment see it. */
export interface Setting {
  path: string[];
  env: string | undefined;
  description: string;
  /** The default as it would be written in gatehouse.yaml; undefined when there is none. */
  fallback: unknown;
}

interface Node {
  properties?: Record<string, Node>;
  description?: string;
  env?: string;
  default?: unknown;
}

function walk(node: Node, path: string[], out: Setting[]): void {
  if (node.properties) {
    for (const [name, child] of Object.entries(node.properties)) walk(child, [...path, name], out);
    return;
  }
  out.push({ path, env: node.env, description: node.description ?? '', fallback: node.default });
}

/** Every setting of the schema, in its order. */
export function settings(): Setting[] {
  const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as Node;
  const out: Setting[] = [];
  walk(schema, [], out);
  return out;
}
