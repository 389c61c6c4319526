/** Connection lost, no room or no memory, shutting down or starting: it will be otherwise, and the call is not to blame. */
const STATES = ['08', '53', '57P'];

/** Whether this is Postgres refusing for want of means, as the driver or TypeORM throws it. */
export function isDatabaseUnavailable(error: unknown): boolean {
  const { code, severity, driverError } = (error ?? {}) as {
    code?: unknown;
    severity?: unknown;
    driverError?: unknown;
  };
  if (driverError !== undefined) return isDatabaseUnavailable(driverError);
  return typeof code === 'string' && severity !== undefined && STATES.some((state) => code.startsWith(state));
}
