import { z } from 'zod';
import { OPERATIONS, type OperationName } from '../vendors/index.js';

const ms = (most: number) => z.int().min(1).max(most);
/** Up is from the gateway to its peer, down is back. */
const stream = () => z.enum(['up', 'down', 'both']);

/**
 * What may happen to bytes on their way through the proxy. Whoever sends them cannot tell it from a bad network: connections are really
 * refused, reset, silent or slow, and names really not found.
 */
export const networkFaultSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('latency'),
    ms: ms(120_000),
    jitterMs: z.int().min(0).max(60_000).default(0),
    stream: stream().default('down'),
  }),
  z.strictObject({
    kind: z.literal('bandwidth'),
    bytesPerSecond: z.int().min(1).max(1_000_000_000),
    stream: stream().default('down'),
  }),
  z.strictObject({ kind: z.literal('reset'), afterBytes: z.int().min(0).max(1_000_000_000).default(0) }),
  z.strictObject({ kind: z.literal('stall'), stream: stream().default('both') }),
  z.strictObject({ kind: z.literal('half-open') }),
  z.strictObject({ kind: z.literal('refused') }),
  z.strictObject({ kind: z.literal('dns-failure') }),
  z.strictObject({ kind: z.literal('tls-expired') }),
  z.strictObject({
    kind: z.literal('slicer'),
    bytes: z.int().min(1).max(65_536),
    delayMs: z.int().min(0).max(60_000).default(0),
    stream: stream().default('down'),
  }),
  z.strictObject({
    kind: z.literal('limit-data'),
    bytes: z.int().min(0).max(1_000_000_000),
    stream: stream().default('down'),
  }),
]);

export type NetworkFault = z.output<typeof networkFaultSchema>;

/**
 * What may happen to a call whose TLS the proxy ends. Those that spoil an answer let the vendor do its work first, so that the caller
 * cannot know; `afterWork` has the others do so too.
 */
export const httpFaultSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('errors'),
    status: z.int().min(400).max(599).default(500),
    afterWork: z.boolean().default(false),
  }),
  z.strictObject({ kind: z.literal('malformed') }),
  z.strictObject({ kind: z.literal('truncated') }),
  z.strictObject({ kind: z.literal('wrong-schema') }),
  z.strictObject({ kind: z.literal('rate-limited'), retryAfterSeconds: z.int().min(1).max(3_600).default(1) }),
  z.strictObject({ kind: z.literal('wrong-credentials') }),
  z.strictObject({ kind: z.literal('slow'), ms: ms(120_000), afterWork: z.boolean().default(false) }),
]);

export type HttpFault = z.output<typeof httpFaultSchema>;

/** Whatever may happen between the gateway and the vendor. */
export const vendorFaultSchema = z.discriminatedUnion('kind', [
  ...networkFaultSchema.options,
  ...httpFaultSchema.options,
]);

export type VendorFault = z.output<typeof vendorFaultSchema>;

const OPERATION_NAMES = Object.keys(OPERATIONS) as [OperationName, ...OperationName[]];

export const operationName = () => z.enum(OPERATION_NAMES);

const HTTP_FAULTS: ReadonlySet<string> = new Set(httpFaultSchema.options.map(({ shape }) => shape.kind.value));

export function isHttpFault(fault: VendorFault): fault is HttpFault {
  return HTTP_FAULTS.has(fault.kind);
}
