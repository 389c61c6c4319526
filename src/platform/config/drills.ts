import { z } from 'zod';
import { duration } from './units.js';

/** How far a drill in the running gateway may go (Regulation (EU) 2022/2554 Articles 24 and 25). */
export const drills = z.strictObject({
  approval: z.enum(['production', 'always']).default('production').meta({
    description:
      'When another administrator must approve a drill: always, or in production, which is with DATABASE_URL.',
  }),
  limits: z
    .strictObject({
      share: z
        .number()
        .gt(0)
        .max(1)
        .default(0.5)
        .meta({ description: 'Largest share of calls that a drill which names no clients may strike.' }),
      clients: z.int().min(1).max(50).default(5).meta({ description: 'Most clients that a drill may name.' }),
      calls: z
        .int()
        .min(1)
        .max(1_000_000)
        .default(1_000)
        .meta({ description: 'Most calls that a drill may strike, over all instances; then it stops by itself.' }),
      duration: duration().prefault('15m').meta({ description: 'Longest drill.' }),
    })
    .prefault({}),
});
