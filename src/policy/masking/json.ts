export type Scalar = string | number | boolean | null;
export type JsonObject = Record<string, unknown>;

export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

/** For what is no list: ask that first. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null;
}

/** undefined is no JSON and counts as null: it carries nothing either. */
export function isScalar(value: unknown): value is Scalar {
  return value === null || typeof value !== 'object';
}
