import { z } from 'zod';
import { VERIFICATION_STATUSES } from '../../orchestration/index.js';
import { EVENT_FILTERS } from './event-types.js';
import { SCHEMES } from './signing.js';

export const DELIVERY_STATES = ['waiting', 'delivered', 'dead', 'dropped'] as const;

const LONGEST_URL = 2_048;
const MOST_TYPES = 50;
const LONGEST_OVERLAP_HOURS = 168;

const description = () =>
  z
    .string()
    .max(256)
    .regex(/^[^\p{Cc}]*$/u, 'must hold no control characters');
const eventTypes = () =>
  z
    .array(z.enum(EVENT_FILTERS as [string, ...string[]], { error: 'is no type of event' }))
    .min(1)
    .max(MOST_TYPES)
    .transform((types) => [...new Set(types)]);

const settings = {
  url: z.string().min(1).max(LONGEST_URL),
  description: description(),
  eventTypes: eventTypes(),
  payload: z.enum(['thin', 'full']),
  /** Events of one verification are delivered in their order, each after the one before was taken. */
  ordered: z.boolean(),
};

export const newEndpointSchema = z.strictObject({
  ...settings,
  description: settings.description.default(''),
  eventTypes: settings.eventTypes.prefault(['*']),
  payload: settings.payload.default('thin'),
  ordered: settings.ordered.default(false),
  signing: z.enum(SCHEMES).default('hmac'),
});

/** By an administrator: for a client, or without one for the firm's own people. */
export const newEndpointForSchema = newEndpointSchema.extend({ client: z.uuid().nullable() });

export const endpointPatchSchema = z.strictObject(settings).partial();

export const rotateSchema = z.strictObject({
  signing: z.enum(SCHEMES).optional(),
  /** How long the key before signs as well. */
  overlapHours: z.int().min(0).max(LONGEST_OVERLAP_HOURS).default(24),
});

const instant = () => z.iso.datetime({ offset: true }).transform((text) => new Date(text));
const page = {
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().min(1).max(128).optional(),
};

export const endpointListSchema = z.strictObject({ ...page, client: z.uuid().optional() });

const types = ['webhook.test', ...VERIFICATION_STATUSES.map((status) => `verification.${status}`)] as const;

export const deliveryListSchema = z.strictObject({
  ...page,
  endpoint: z.uuid().optional(),
  verification: z.uuid().optional(),
  state: z.enum(DELIVERY_STATES).optional(),
  type: z.enum(types as unknown as [string, ...string[]]).optional(),
  from: instant().optional(),
  to: instant().optional(),
});

/** Those that have ended in this window are sent again. */
export const resendSchema = z
  .strictObject({
    from: instant(),
    to: instant(),
    states: z
      .array(z.enum(['delivered', 'dead', 'dropped']))
      .min(1)
      .default(['dead', 'dropped']),
  })
  .refine(({ from, to }) => from < to, { path: ['to'], error: 'must be after `from`' });

export type NewEndpoint = z.output<typeof newEndpointSchema>;
export type NewEndpointFor = z.output<typeof newEndpointForSchema>;
export type EndpointPatch = z.output<typeof endpointPatchSchema>;
export type RotateBody = z.output<typeof rotateSchema>;
export type EndpointListQuery = z.output<typeof endpointListSchema>;
export type DeliveryListQuery = z.output<typeof deliveryListSchema>;
export type ResendBody = z.output<typeof resendSchema>;
