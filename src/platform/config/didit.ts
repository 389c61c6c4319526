import { z } from 'zod';
import { operationLadders, vendorCache } from './fallback.js';
import { breaker, budget, bulkhead, retries } from './resilience.js';
import { cidr, list, origin, secrets, text } from './shapes.js';
import { timer } from './units.js';

/** Didit, as this deployment calls it. */
export const didit = z.strictObject({
  baseUrl: origin().optional().meta({
    description: 'Origin of Didit’s API, without /v3. Unset: the sandbox, only while no database is given.',
    env: 'DIDIT_BASE_URL',
  }),
  baseUrls: list(origin()).meta({
    description:
      'Further origins of the same API, which take the same key: calls go to the least busy one, and one that fails is left out for a while.',
  }),
  credential: z
    .strictObject({
      kind: z.literal('apiKey').default('apiKey').meta({ description: 'How the gateway proves itself to the vendor.' }),
      from: secrets().optional().meta({
        description:
          'The API key, or two separated by a comma while rotating; `env:NAME` or `file:PATH` name where it stands.',
        env: 'DIDIT_API_KEY',
        secret: true,
      }),
    })
    .prefault({}),
  webhookSecret: secrets().optional().meta({
    description: 'Shared secret of Didit’s webhooks, or two while rotating.',
    env: 'DIDIT_WEBHOOK_SECRET',
    secret: true,
  }),
  webhookAddresses: list(cidr()).meta({
    description:
      'Addresses and networks (CIDR) that its webhooks may come from, as the gateway sees them; empty: any, since the signature is what proves them.',
  }),
  caFile: text()
    .optional()
    .meta({ description: 'Path of a CA (PEM) trusted for this vendor beside the system’s.', env: 'DIDIT_CA_FILE' }),
  hosts: list(text()).meta({
    description: 'Further hosts that the adapter may call; those of baseUrl and baseUrls always are.',
  }),
  timeouts: z
    .strictObject({
      read: timer('10ms').prefault('10s').meta({ description: 'For reads.' }),
      write: timer('10ms').prefault('15s').meta({ description: 'For creates and changes.' }),
      check: timer('10ms')
        .prefault('60s')
        .meta({ description: 'For standalone checks of faces and documents, and the PDF.' }),
      code: timer('10ms').prefault('20s').meta({ description: 'For one-time codes by phone and e-mail.' }),
      document: timer('10ms').prefault('60s').meta({ description: 'For proof of address and document AI.' }),
      screening: timer('10ms').prefault('90s').meta({ description: 'For AML, wallets and transactions.' }),
      registry: timer('10ms')
        .prefault('60s')
        .meta({ description: 'For databases of states and registries of companies.' }),
      connect: timer('10ms').prefault('3s').meta({ description: 'For a connection and its handshake.' }),
    })
    .prefault({}),
  connections: z.int().min(1).max(1024).default(64).meta({ description: 'Connections kept to the vendor.' }),
  breaker: breaker.prefault({}),
  retries: retries.prefault({}),
  collapse: z
    .boolean()
    .default(true)
    .meta({ description: 'Whether equal reads that come at the same time share one call.' }),
  bulkhead: bulkhead.prefault({}),
  budget: budget.prefault({}),
  fallback: operationLadders(),
  cache: vendorCache.prefault({}),
  prices: z
    .strictObject({
      currency: z
        .string()
        .regex(/^[A-Z]{3}$/, { error: 'must be a currency code such as EUR' })
        .default('EUR')
        .meta({ description: 'Currency of the prices (ISO 4217).' }),
      operations: z
        .record(
          z.string().regex(/^[a-z][a-z0-9.-]{0,63}$/, { error: 'must be a vendor operation such as session.create' }),
          z.string().regex(/^\d{1,9}(\.\d{1,6})?$/, { error: 'must be a price in quotes such as "0.30"' }),
        )
        .default({})
        .meta({
          description:
            'Price of one answered call, by vendor operation that the vendor charges, as a text with up to six decimals; records and the usage report then tell the cost.',
        }),
    })
    .prefault({}),
});
