import type { ReadingsInput } from './schemas.js';

/** The readings of the two open points of Delegated Regulation (EU) 2024/1772 that a classification was made under. */
export interface Readings {
  /** Article 9(4): whether the home state is one of the two states (`home_counts`), or both must be others. */
  readonly geoRule: 'home_counts' | 'others_only';
  /** Article 9(5)(b): whether "not covered by point (a)" takes an access with known losses out (`literal`), against recital 10. */
  readonly nine5b: 'purposive' | 'literal';
}

/** The conservative readings: they report rather than not. */
const DEFAULT_READINGS: Readings = { geoRule: 'home_counts', nine5b: 'purposive' };

export function resolveReadings(readings: ReadingsInput | null | undefined): Readings {
  return {
    geoRule: readings?.geoRule ?? DEFAULT_READINGS.geoRule,
    nine5b: readings?.nine5b ?? DEFAULT_READINGS.nine5b,
  };
}
