import { resolve } from 'node:path';
import { z } from 'zod';
import { text } from './shapes.js';
import { Secret } from '../crypto/secret.js';
import { size } from './units.js';

/** Receivers of the log's events: what `siem` in gatehouse.yaml takes. */

const MOST_SINKS = 16;

const token = () =>
  z
    .string()
    .min(1)
    .max(4096)
    .transform((value) => new Secret(value));
const files = {
  caFile: text().optional(),
  certFile: text().optional(),
  keyFile: text().optional(),
};
const common = {
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, { error: 'must be a lower-case name such as soc-splunk' }),
  format: z.enum(['ocsf', 'cef']).default('ocsf'),
  from: z.enum(['now', 'beginning']).default('beginning'),
  operational: z.boolean().default(true),
  batch: z.strictObject({ records: z.int().min(1).max(4096).default(500), bytes: size().prefault('1mb') }).prefault({}),
};
const web = {
  ...common,
  ...files,
  url: z.url({ protocol: /^https?$/, error: 'must be a URL such as https://siem.example' }),
};

const sink = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({
      kind: z.literal('file'),
      ...common,
      path: text(),
      rotate: z
        .strictObject({ size: size().prefault('256mb'), keep: z.int().min(1).max(100_000).optional() })
        .prefault({}),
    }),
    z.strictObject({
      kind: z.literal('splunk-hec'),
      ...web,
      token: token(),
      ack: z.boolean().default(true),
      index: text().optional(),
    }),
    z.strictObject({
      kind: z.literal('https'),
      ...web,
      token: token().optional(),
      body: z.enum(['ndjson', 'json']).default('ndjson'),
    }),
    z.strictObject({
      kind: z.literal('syslog'),
      ...common,
      ...files,
      url: z.url({ protocol: /^tls$/, error: 'must be an address such as tls://siem.example:6514' }),
      enterpriseNumber: z.int().min(1).max(4_294_967_295).default(32_473),
      maxMessage: size().prefault('64kb'),
    }),
    z.strictObject({ kind: z.literal('otlp'), ...web, token: token().optional() }),
  ],
  { error: 'must be of kind file, splunk-hec, https, syslog or otlp' },
);

const distinct = (texts: readonly string[]): boolean => new Set(texts).size === texts.length;

export const siem = z.strictObject({
  sinks: z
    .array(sink)
    .max(MOST_SINKS)
    .refine((sinks) => distinct(sinks.map(({ name }) => name)), {
      error: 'must have names of their own',
    })
    // What one sets aside another would set aside over it, and records would be gone.
    .refine((sinks) => distinct(sinks.flatMap((one) => (one.kind === 'file' ? [resolve(one.path)] : []))), {
      error: 'must have files of their own',
    })
    .refine(
      (sinks) =>
        sinks.every((one) => one.kind === 'file' || (one.certFile === undefined) === (one.keyFile === undefined)),
      {
        error: 'must give certFile and keyFile together',
      },
    )
    .default([])
    .meta({
      description:
        'Receivers that every record of the log goes to, in order and at least once (docs/siem.md). Each has `name`, `kind` (`file`, `splunk-hec`, `https`, `syslog`, `otlp`), `format` (`ocsf`, `cef`), `from` (`beginning`, `now`) and `batch: { records, bytes }`; a file `path` and `rotate: { size, keep }`, the others `url`, `token`, `caFile`, `certFile`, `keyFile`; beside those `ack` and `index` (splunk-hec), `body` (https), `enterpriseNumber` and `maxMessage` (syslog). `operational: false` keeps the operational log from a receiver.',
    }),
});
