import { z } from 'zod';
import { Secret } from '../crypto/secret.js';
import { duration, size, timer } from './units.js';

const path = () => z.string().min(1).max(2048);
const httpsUrl = () => z.url({ protocol: /^https$/, error: 'must be a URL such as https://alarms.example/gatehouse' });

/** How failing of the log is told without the database (Delegated Regulation (EU) 2024/1774 Article 12(2)(e)). */
export const alarm = z.strictObject({
  after: duration('100ms')
    .prefault('5s')
    .meta({ description: 'How long the log may not be writable before it is an alarm.' }),
  standstill: duration('1s').prefault('30s').meta({
    description: 'How long records may wait for their numbers, or the log for its signature, before it is an alarm.',
  }),
  freeSpace: size('0b')
    .prefault('256mb')
    .meta({ description: 'Free space of the data folder’s disk below which it is an alarm.' }),
  url: httpsUrl().optional().meta({
    description: 'Where alarms are posted as JSON, beside the operational log and alarms.jsonl in the data folder.',
    env: 'GATEHOUSE_ALARM_URL',
  }),
  token: z
    .string()
    .min(1)
    .max(4096)
    .transform((value) => new Secret(value))
    .optional()
    .meta({
      description: 'Bearer sent along; `env:NAME` or `file:PATH` name where it stands.',
      env: 'GATEHOUSE_ALARM_TOKEN',
    }),
  caFile: path().optional().meta({ description: 'Path of a CA (PEM) trusted there in place of the system’s.' }),
});

/** The clock against a documented source (Article 12(2)(f) of the same). */
export const time = z.strictObject({
  source: z
    .array(
      z.string().regex(/^ntp:\/\/[^\s/:[\]]+(:\d{1,5})?$/, {
        error: 'must be such as ntp://time.example or ntp://192.0.2.1:123',
      }),
    )
    .max(8)
    .default([])
    .meta({ description: 'NTP servers that the clock is measured against. Empty: only against the database’s clock.' }),
  every: timer('1s').prefault('5m').meta({ description: 'How often it is measured against them.' }),
  bound: duration().prefault('500ms').meta({ description: 'Offset past which it is an alarm.' }),
});

/** Time stamps (RFC 3161) of checkpoints by an authority that is not ours. */
export const anchors = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'must be a URL such as https://tsa.example/' })
    .meta({ description: 'The time-stamping authority.' }),
  caFile: path().meta({ description: 'Path of the roots (PEM) that its certificate must chain to.' }),
  every: timer('100ms')
    .prefault('1h')
    .meta({ description: 'How often the latest checkpoint is stamped, when the log has grown.' }),
  policy: z
    .string()
    .regex(/^[0-2](\.(0|[1-9]\d{0,9})){1,20}$/, { error: 'must be an object identifier such as 1.2.3.4' })
    .optional()
    .meta({ description: 'Policy asked of the authority; its answer must be under it. Unset: any.' }),
});
