import { verifyAnchor } from '../anchors/verify-anchor.js';
import type { LogSource } from './source.js';
import { BadLog } from './verdict.js';

const AT_ONCE = 100;

/**
 * Checks every time stamp against the roots that are believed (PEM). Their notes are those of checkpoints, which are held to the log apart
 * from this.
 * @returns how many there are
 */
export async function checkAnchors(source: LogSource, roots: string): Promise<number> {
  let count = 0;
  for (let after = 0; ;) {
    const found = await source.anchors(after, AT_ONCE);
    for (const { size, note, token } of found) {
      const wrong = await wrongAnchor(note, token, roots);
      if (wrong !== undefined) throw new BadLog({ from: 0, to: size }, `their time stamp is not good: ${wrong}`);
      count += 1;
      after = size;
    }
    if (found.length < AT_ONCE) return count;
  }
}

async function wrongAnchor(note: string, token: Buffer, roots: string): Promise<string | undefined> {
  try {
    await verifyAnchor(note, token, roots);
    return undefined;
  } catch (error) {
    if (error instanceof TypeError) return error.message;
    throw error;
  }
}
