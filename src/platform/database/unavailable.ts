/** Connection lost, no room or no memory, shutting down or starting: it will be otherwise, and the call is not to blame. */
const STATES = ['08', '53', '57P'];
/** The way to the server is gone: as the system tells it to the driver. */
const LOST = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH']);
/** The driver gives these neither code nor class. */
const SAID_BY_THE_DRIVER = new Set([
  'Connection terminated',
  'Connection terminated unexpectedly',
  'Connection terminated due to connection timeout',
  'Client has encountered a connection error and is not queryable',
  'timeout exceeded when trying to connect',
  'timeout expired',
  'Query read timeout',
]);

/** Whether this is Postgres refusing for want of means, or not there at all, as the driver or TypeORM throws it. */
export function isDatabaseUnavailable(error: unknown): boolean {
  const { code, severity, syscall, message, driverError } = (error ?? {}) as Record<string, unknown>;
  if (driverError !== undefined) return isDatabaseUnavailable(driverError);
  if (typeof code !== 'string') return typeof message === 'string' && SAID_BY_THE_DRIVER.has(message);
  if (severity !== undefined) return STATES.some((state) => code.startsWith(state));
  return syscall !== undefined && LOST.has(code);
}
