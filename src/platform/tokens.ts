/** Injection token of the frozen configuration. */
export const CONFIG = Symbol('gatehouse.config');

/** Injection token of the running telemetry. */
export const TELEMETRY = Symbol('gatehouse.telemetry');

/** Injection token of the addresses under which this instance is reached: known once both listeners are open. */
export const ORIGINS = Symbol('gatehouse.origins');

export interface Origins {
  publicUrl: string;
  adminUrl: string;
}
