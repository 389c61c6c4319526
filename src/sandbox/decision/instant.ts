/** Didit writes microseconds; the clock here has milliseconds. */
export const instant = (at: number): string => new Date(at).toISOString().replace('Z', '000Z');
