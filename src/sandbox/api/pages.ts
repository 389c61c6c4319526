import type { Json, JsonObject } from '../wire/json.js';
import type { World } from '../world.js';
import type { Call } from './operation.js';

const defaultLimit = 50;
const maxLimit = 1_000;

/** One page of a list by limit and offset, with absolute addresses of the pages beside. */
export const pageOf = <T>(call: Call, world: World, found: readonly T[], row: (item: T) => Json): JsonObject => {
  const limit = Math.min(positive(call.query.get('limit')) ?? defaultLimit, maxLimit);
  const offset = positive(call.query.get('offset')) ?? 0;
  return {
    count: found.length,
    next: offset + limit < found.length ? pageUrl(call, world, limit, offset + limit) : null,
    previous: offset > 0 ? pageUrl(call, world, limit, offset - limit) : null,
    results: found.slice(offset, offset + limit).map(row),
  };
};

/** The framework ignores a limit or offset that is no positive number. */
const positive = (text: string | null): number | null =>
  text !== null && /^\d{1,9}$/.test(text) && Number(text) > 0 ? Number(text) : null;

const pageUrl = (call: Call, world: World, limit: number, offset: number): string => {
  const query = new URLSearchParams(call.query);
  query.set('limit', String(limit));
  if (offset > 0) query.set('offset', String(offset));
  else query.delete('offset');
  const [path = ''] = call.path.split('?', 1);
  return `${world.origin}${path}?${query.toString()}`;
};
