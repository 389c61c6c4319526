import { z } from 'zod';
import { isUuid } from '../../platform/index.js';
import { CLIENT_SCOPES } from '../scopes.js';

const unique = (items: readonly unknown[]): boolean => new Set(items).size === items.length;

/** A name that issuers may say in place of an id, and so can never look like one. */
const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$/, { error: 'must be 1 to 64 letters, digits, spaces, dots, dashes' })
  .refine((text) => !isUuid(text.toLowerCase()), { error: 'must not be a UUID' });

const scopes = z
  .array(z.enum(CLIENT_SCOPES, { error: `must be one of ${CLIENT_SCOPES.join(', ')}` }))
  .max(CLIENT_SCOPES.length)
  .refine(unique, { error: 'must not name a scope twice' });

const factorList = z
  .array(z.enum(['key', 'token'], { error: 'must be key or token' }))
  .min(1, { error: 'must name at least one factor' })
  .max(2)
  .refine(unique, { error: 'must not name a factor twice' });

const state = z.enum(['active', 'suspended', 'revoked'], { error: 'must be active, suspended or revoked' });

const addresses = z
  .array(z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()], { error: 'must be an address or a CIDR range' }))
  .max(256);

export const newClientSchema = z.strictObject({
  name,
  scopes: scopes.default([]),
  factors: z
    .strictObject({ data: factorList.default(['key', 'token']), dropIn: factorList.default(['key']) })
    .prefault({}),
  addresses: addresses.default([]),
});

/** JSON merge patch: what is absent stays. */
export const clientPatchSchema = z.strictObject({
  name: name.optional(),
  scopes: scopes.optional(),
  factors: z.strictObject({ data: factorList.optional(), dropIn: factorList.optional() }).optional(),
  state: state.optional(),
  addresses: addresses.optional(),
});

/** Unset: all that the client holds, for as long as the settings allow. */
export const newKeySchema = z
  .strictObject({ scopes: scopes.optional(), expiresAt: z.iso.datetime({ offset: true }).optional() })
  .prefault({});

export const clientListSchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(64).optional(),
});

export type NewClient = z.output<typeof newClientSchema>;
export type ClientPatch = z.output<typeof clientPatchSchema>;
export type NewKey = z.output<typeof newKeySchema>;
export type ClientListQuery = z.output<typeof clientListSchema>;
