const EVERY_MS = 500;

/** Tells on a terminal's standard error how far a long verb has come; elsewhere it is silent, so that scripts read what they asked for. */
export function showProgress(done: string, what: string): ((at: number, of: number) => void) | undefined {
  if (!process.stderr.isTTY) return undefined;
  const startedAt = performance.now();
  let toldAt = 0;
  return (at, of) => {
    const now = performance.now();
    if (at < of && now - toldAt < EVERY_MS) return;
    toldAt = now;
    const rate = Math.round(at / Math.max((now - startedAt) / 1_000, 0.001));
    const share = of === 0 ? 100 : Math.floor((at / of) * 100);
    process.stderr.write(`\r${done} ${at} of ${of} ${what}, ${share} %, ${rate} a second${at < of ? ' ' : '\n'}`);
  };
}
