import { DiditMasks } from '../masks.js';
import type { Rights } from '../media.js';

export const LEAN: Rights = { pii: false, media: false, link: false };
export const LINK: Rights = { pii: false, media: false, link: true };
export const PII: Rights = { pii: true, media: false, link: false };
export const ALL: Rights = { pii: true, media: true, link: true };

export const masksWith = (extra: ConstructorParameters<typeof DiditMasks>[0] = {}): DiditMasks =>
  new DiditMasks(extra, (path, value) => `pseudonym of ${path} ${value.length}`);
