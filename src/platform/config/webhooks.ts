import { z } from 'zod';
import { list, text } from './shapes.js';
import { duration, timer } from './units.js';

/** About three days, as the Standard Webhooks specification proposes. */
const DELAYS = ['5s', '1m', '5m', '30m', '2h', '5h', '10h', '14h', '20h', '24h'];

export const webhooks = z.strictObject({
  out: z
    .strictObject({
      allow: list(text()).meta({
        description:
          'Host names and networks (CIDR) that receivers may have although they are not public, such as those of the firm’s own data centre.',
      }),
      caFile: text().optional().meta({
        description: 'PEM file of authorities that are trusted for receivers, beside those of the system.',
      }),
      connectTimeout: timer('100ms').prefault('5s').meta({ description: 'Time for a connection with its handshake.' }),
      timeout: timer('100ms').prefault('15s').meta({ description: 'Time for one attempt as a whole.' }),
      retries: z.array(duration('0s')).min(1).max(30).prefault(DELAYS).meta({
        description: 'Time before each repeat of a delivery, give or take a fifth; after the last it is dead.',
      }),
      attemptsAtOnce: z
        .int()
        .min(1)
        .max(2_000)
        .default(256)
        .meta({ description: 'Attempts under way in one instance.' }),
      perEndpoint: z.int().min(1).max(256).default(32).meta({
        description:
          'Attempts under way in one instance to one endpoint that answers well; one that does not gets fewer.',
      }),
      endpointsPerClient: z
        .int()
        .min(1)
        .max(1_000)
        .default(20)
        .meta({ description: 'Endpoints that a client may have.' }),
      warnAfter: duration('1s').prefault('24h').meta({
        description: 'How long an endpoint may fail without any success until people are warned.',
      }),
      disableAfter: duration('1s').prefault('120h').meta({ description: 'How long until it is disabled.' }),
      keep: duration('1m')
        .prefault('720h')
        .meta({ description: 'How long ended deliveries and their events are kept.' }),
    })
    .prefault({})
    .refine(({ warnAfter, disableAfter }) => warnAfter < disableAfter, {
      path: ['warnAfter'],
      error: 'must be shorter than disableAfter',
    }),
});
