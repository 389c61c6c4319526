import { z } from 'zod';
import { duration } from './units.js';

export const erasure = z.strictObject({
  keepAfterLastVerification: duration('0s').prefault('0s').meta({
    description:
      'How long a subject may not be erased after their last verification moved; 0s: at once. Article 40 of Directive (EU) 2015/849 wants five years after the relationship or the occasional transaction: `1827d`.',
  }),
});
