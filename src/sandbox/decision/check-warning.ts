import type { JsonObject } from '../wire/json.js';
import { featureNames, type Feature } from './features.js';

/** A warning of a standalone answer, which has no node. */
export const checkWarning = (
  feature: Feature,
  risk: string,
  texts: { short: string; long: string; logType?: 'error' | 'warning' | 'information'; about?: JsonObject },
): JsonObject => ({
  feature: featureNames[feature].warning,
  risk,
  additional_data: texts.about ?? null,
  log_type: texts.logType ?? 'error',
  short_description: texts.short,
  long_description: texts.long,
});
