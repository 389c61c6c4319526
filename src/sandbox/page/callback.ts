/** Where the person goes at the end: the caller's address with the session and its status. Null when there is none to go to. */
export const callbackUrl = (callback: string | null, sessionId: string, status: string): string | null => {
  if (callback === null || /^\s*(javascript|data|vbscript):/i.test(callback)) return null;
  const [address = '', fragment] = callback.split('#', 2);
  const query = new URLSearchParams({ verificationSessionId: sessionId, status }).toString();
  const joined = `${address}${address.includes('?') ? '&' : '?'}${query}`;
  const whole = fragment === undefined ? joined : `${joined}#${fragment}`;
  // A header takes ASCII only, and no line break.
  return whole.replace(/[^!-~]/gu, encodeURIComponent);
};

/** The source that a content security policy must allow for a form whose answer leads there; null when it cannot say it. */
export const callbackSource = (callback: string | null): string | null => {
  if (callback === null || !URL.canParse(callback)) return null;
  const { origin, protocol } = new URL(callback);
  if (/^https?:\/\/[\w.:[\]-]+$/.test(origin)) return origin;
  return /^[a-z][a-z0-9+.-]*:$/.test(protocol) && !/^(javascript|data|vbscript|https?):$/.test(protocol)
    ? protocol
    : null;
};
