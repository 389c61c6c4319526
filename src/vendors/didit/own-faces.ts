import { isObject, type JsonObject } from './json.js';

/** Warnings that say no more than that somebody has this face already. */
const DUPLICATES = new Set(['DUPLICATED_FACE', 'POSSIBLE_DUPLICATED_FACE']);

/**
 * A face search goes over the faces of all clients, since they share one application at Didit. Of an answer whose matches are down to the
 * client's own, the rest must not tell of the others either: they are not counted, not warned of, and no warning describes one. A face
 * on the block list still declines: that list is the firm's, and every client of it may know that much.
 */
export function withOwnFaces(body: unknown): unknown {
  if (!isObject(body) || !isObject(body['face_search'])) return body;
  const { face_search: search } = body;
  const matches: unknown[] = Array.isArray(search['matches']) ? search['matches'] : [];
  const warnings: unknown[] = Array.isArray(search['warnings']) ? search['warnings'].filter(isObject) : [];
  return {
    ...body,
    face_search: {
      ...search,
      matches,
      total_matches: matches.length,
      warnings: matches.length > 0 ? warnings.map(described) : warnings.filter(isNoDuplicate).map(described),
    },
  };
}

function isNoDuplicate(warning: unknown): boolean {
  return !isObject(warning) || !DUPLICATES.has(String(warning['risk']));
}

/** Whom it is about stands in `additional_data`, and could be anybody. */
function described(warning: unknown): JsonObject {
  return { ...(warning as JsonObject), additional_data: null };
}
