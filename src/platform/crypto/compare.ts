import { createHash, timingSafeEqual } from 'node:crypto';

/** Equality in constant time whatever the lengths: both sides are hashed to one length first. */
export function equalInConstantTime(a: string | Buffer, b: string | Buffer): boolean {
  const left = createHash('sha256').update(a).digest();
  const right = createHash('sha256').update(b).digest();
  return timingSafeEqual(left, right);
}
