import { z } from 'zod';
import { STATUSES } from './transitions.js';

const MOST_METADATA_BYTES = 4_096;
const MOST_CALLBACK = 2_048;

/** Anything a firm may use as its own reference, but for what cannot be printed: control characters and lone surrogates. */
export const printable = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .refine((text) => text.isWellFormed() && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text), {
      error: 'must hold printable characters only',
    });
const country = () => z.string().regex(/^[A-Z]{3}$/, { error: 'must be a country code of three letters such as ESP' });

function isSafeCallback(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return url.protocol === 'https:' && url.username === '' && url.password === '';
}

const callback = z.string().max(MOST_CALLBACK).refine(isSafeCallback, {
  error: 'must be an https URL without credentials in it',
});

const metadata = z
  .record(z.string(), z.json())
  .refine((value) => Buffer.byteLength(JSON.stringify(value)) <= MOST_METADATA_BYTES, {
    error: `must be at most ${MOST_METADATA_BYTES} bytes of JSON`,
  });

/** Didit's `expected_details` for a person, in camelCase. */
const expected = z
  .strictObject({
    firstName: printable(256).optional(),
    lastName: printable(256).optional(),
    dateOfBirth: z.iso.date().optional(),
    gender: z.enum(['M', 'F']).nullable().optional(),
    nationality: country().optional(),
    country: country().optional(),
    idCountry: country().optional(),
    poaCountry: country().optional(),
    address: printable(512).optional(),
    identificationNumber: printable(128).optional(),
    ipAddress: z.union([z.ipv4(), z.ipv6()], { error: 'must be an IP address' }).optional(),
    expectedDocumentTypes: z
      .array(z.enum(['P', 'ID', 'DL', 'RP', 'HIC', 'TC', 'SSC']))
      .min(1)
      .max(7)
      .optional(),
  })
  .refine(
    (details) => details.address === undefined || details.country !== undefined || details.poaCountry !== undefined,
    { error: 'needs country or poaCountry beside address', path: ['address'] },
  );

export const createSchema = z.strictObject({
  /** Name of a workflow; whether it is published stands in no schema. */
  workflow: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, { error: 'must be the name of a workflow such as onboarding' }),
  subject: z.strictObject({
    reference: printable(128),
    relationship: z.enum(['customer', 'prospect', 'unknown']),
  }),
  callback: callback.optional(),
  language: z
    .string()
    .regex(/^[a-z]{2,3}(-[A-Z]{2})?$/, { error: 'must be a language code such as es or pt-BR' })
    .optional(),
  metadata: metadata.optional(),
  expected: expected.optional(),
});

export type CreateBody = z.output<typeof createSchema>;
export type Relationship = CreateBody['subject']['relationship'];

const instant = () => z.iso.datetime({ offset: true }).transform((text) => new Date(text));

export const listSchema = z.strictObject({
  status: z.enum(STATUSES).optional(),
  subject: printable(128).optional(),
  createdFrom: instant().optional(),
  createdTo: instant().optional(),
  limit: z.coerce.number().int().min(1).max(100).default(50),
  cursor: z.string().min(1).max(256).optional(),
});

export type ListQuery = z.output<typeof listSchema>;
