import { z } from 'zod';
import { duration, timer } from './units.js';
import { alarm, anchors } from './watch.js';

const stays = (what: string, fallback: string) =>
  duration('0s')
    .prefault(fallback)
    .meta({ description: `How long ${what} stay in the database, at least.` });

/**
 * How long records stay online; the archive keeps them for good. Old partitions leave as wholes, so the longest class in one holds it: 400
 * days everywhere let an auditor compare with the year before, five years on incidents keep the few partitions that supervisors ask for.
 */
const retention = z.strictObject({
  calls: stays('records of calls and verifications', '400d'),
  access: stays('records of refused access', '400d'),
  webhooks: stays('records of webhooks', '400d'),
  administration: stays('records of administrators’ acts, erasures and holds', '400d'),
  incidents: stays('records of incidents', '1827d'),
  log: stays('records of the log and the gateway themselves', '400d'),
});

/** The log: its name, its rhythm, and how long what stays where. */
export const audit = z.strictObject({
  origin: z
    .string()
    .regex(/^[a-z0-9][a-z0-9./-]{2,127}$/, { error: 'must be a lower-case name such as gatehouse.example.com/log' })
    .default('gatehouse.local/log')
    .meta({ description: 'Name of the log.' }),
  sequenceEvery: timer('10ms')
    .prefault('200ms')
    .meta({ description: 'How often durable records are given their numbers.' }),
  checkpointEvery: timer('100ms')
    .prefault('1s')
    .meta({ description: 'How often a checkpoint is signed while records arrive.' }),
  retention: retention.prefault({}),
  archive: z
    .strictObject({
      dir: z.string().min(1).max(2048).optional().meta({
        description: 'Folder of the archives, one for each partition. Unset: `archive` in the data folder.',
      }),
    })
    .prefault({}),
  intentPatience: duration().prefault('5m').meta({
    description:
      'Age at which a change that was meant and never ended is closed as of unknown outcome; longer than any call may take.',
  }),
  alarm: alarm.prefault({}),
  anchors: anchors.optional(),
});
