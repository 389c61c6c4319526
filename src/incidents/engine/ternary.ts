/** True, false or unknown. */
export type Ternary = boolean | null;

/** True as soon as one is true; false when all are false; else unknown. */
export function anyOf(values: readonly Ternary[]): Ternary {
  if (values.includes(true)) return true;
  return values.includes(null) ? null : false;
}

/** False as soon as one is false; true when all are true; else unknown. */
export function allOf(values: readonly Ternary[]): Ternary {
  if (values.includes(false)) return false;
  return values.includes(null) ? null : true;
}
