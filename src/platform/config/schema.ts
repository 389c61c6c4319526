import { z } from 'zod';
import { Secret } from '../crypto/secret.js';
import { audit } from './audit.js';
import { didit } from './didit.js';
import { drills } from './drills.js';
import { erasure } from './erasure.js';
import { fallback, reconciliation } from './fallback.js';
import { cidr, list, origin, text } from './shapes.js';
import { siem } from './siem.js';
import { duration, rate, size, timer } from './units.js';
import { time } from './watch.js';
import { webhooks } from './webhooks.js';
import { workflows } from './workflows.js';

/**
 * The one schema of all settings. `env` in a field's metadata names the environment variable that sets it; every default stands here and
 * nowhere else. docs/configuration.md is generated from this file.
 */
const port = () => z.coerce.number().int().min(0).max(65_535);

function isTimeZone(name: string): boolean {
  try {
    Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const tls = z.strictObject({
  cert: text().optional().meta({
    description: 'Path of the certificate chain (PEM). Unset: a development CA made in the data folder.',
    env: 'GATEHOUSE_TLS_CERT',
  }),
  key: text().optional().meta({ description: 'Path of the private key (PEM).', env: 'GATEHOUSE_TLS_KEY' }),
});

const publicListener = z.strictObject({
  host: text().default('127.0.0.1').meta({ description: 'Address to listen on.', env: 'GATEHOUSE_HOST' }),
  port: port()
    .default(8443)
    .meta({ description: 'Port of the public listener; 0 takes any free one.', env: 'GATEHOUSE_PUBLIC_PORT' }),
  url: origin().optional().meta({
    description:
      'Origin under which callers reach this listener; also the issuer of its tokens. Unset: made of host and port.',
    env: 'GATEHOUSE_PUBLIC_URL',
  }),
  tls: tls.prefault({}),
});

const adminListener = z.strictObject({
  host: text().default('127.0.0.1').meta({ description: 'Address to listen on.', env: 'GATEHOUSE_HOST' }),
  port: port()
    .default(9443)
    .meta({ description: 'Port of the internal listener; 0 takes any free one.', env: 'GATEHOUSE_ADMIN_PORT' }),
  url: origin().optional().meta({
    description: 'Origin under which administrators reach this listener; also the issuer of their tokens.',
    env: 'GATEHOUSE_ADMIN_URL',
  }),
  opsToken: z
    .string()
    .min(32)
    .transform((value) => new Secret(value))
    .optional()
    .meta({
      description:
        'Static bearer for /metrics and /log, at least 32 characters. Unset in production: those paths need a client certificate and answer 401.',
      env: 'GATEHOUSE_OPS_TOKEN',
    }),
  tls: tls.prefault({}),
});

const connections = z.strictObject({
  max: z
    .int()
    .min(1)
    .default(10_000)
    .meta({ description: 'Connections open at once on a listener; more are closed at once.' }),
  perAddress: z.int().min(1).default(512).meta({ description: 'Connections open at once from one address.' }),
  handshakeTimeout: timer('100ms').prefault('5s').meta({ description: 'Time for a TLS handshake.' }),
  headersTimeout: timer('100ms').prefault('10s').meta({ description: 'Time for the whole of the headers.' }),
  requestTimeout: timer('100ms').prefault('60s').meta({ description: 'Time for the whole of a request to arrive.' }),
  keepAliveTimeout: timer('100ms').prefault('65s').meta({ description: 'How long an idle connection is kept.' }),
});

const issuer = z.strictObject({
  issuer: origin().meta({ description: 'The issuer, exactly as in `iss`.' }),
  audience: text().meta({ description: 'What `aud` must hold.' }),
  jwksUri: origin().optional().meta({ description: 'Where its keys are. Unset: asked of its discovery document.' }),
  clientClaim: z
    .enum(['client_id', 'azp', 'sub'])
    .default('client_id')
    .meta({ description: 'The claim that names the client.' }),
  scopeClaim: z.enum(['scope', 'scp']).default('scope').meta({ description: 'The claim that holds the scopes.' }),
  requireTyp: z.boolean().default(true).meta({ description: 'Whether `typ` must be `at+jwt` (RFC 9068).' }),
});

const auth = z.strictObject({
  issuer: origin()
    .optional()
    .meta({ description: 'External issuer of client tokens. Unset: the embedded one.', env: 'OIDC_ISSUER' }),
  audience: text().optional().meta({
    description: 'Audience that client tokens must name; needed with an external issuer.',
    env: 'OIDC_AUDIENCE',
  }),
  adminIssuer: origin().optional().meta({
    description: 'External issuer of administrators’ tokens. Unset: the embedded one.',
    env: 'ADMIN_OIDC_ISSUER',
  }),
  issuers: z
    .array(issuer)
    .max(8)
    .default([])
    .meta({ description: 'Further issuers of client tokens, with their claims.' }),
  algorithms: z
    .array(z.enum(['ES256', 'ES384', 'RS256', 'PS256', 'EdDSA', 'Ed25519']))
    .min(1)
    .default(['ES256', 'PS256', 'EdDSA', 'Ed25519', 'RS256'])
    .meta({ description: 'Signature algorithms accepted in tokens.' }),
  clockTolerance: duration('0s').prefault('5s').meta({ description: 'How far an issuer’s clock may be off.' }),
  jwksGrace: duration('0s')
    .prefault('1h')
    .meta({ description: 'How long known keys go on being used while an issuer’s key set cannot be fetched.' }),
  tokenLifetime: duration('1s').prefault('10m').meta({ description: 'Life of a token of the embedded issuer.' }),
  keys: z
    .strictObject({
      maxAgeDays: z.int().min(1).max(3650).default(365).meta({ description: 'Days until a new API key expires.' }),
    })
    .prefault({}),
});

const policy = z.strictObject({
  addresses: z
    .strictObject({
      allow: list(cidr()).meta({ description: 'When not empty, only these addresses may call the data routes.' }),
      deny: list(cidr()).meta({ description: 'Addresses that may never call.' }),
    })
    .prefault({}),
  agents: z
    .strictObject({
      deny: list(text()).meta({ description: 'User agents refused: parts of the header’s text, in any case.' }),
    })
    .prefault({}),
  limits: z
    .strictObject({
      body: size().prefault('1mb').meta({ description: 'Largest JSON or form body.' }),
      upload: size()
        .prefault('32mb')
        .meta({ description: 'Largest multipart body of a drop-in route; it is streamed, never held.' }),
      jsonDepth: z.int().min(1).max(128).default(32).meta({ description: 'Deepest nesting of a JSON body.' }),
      headers: size().prefault('32kb').meta({ description: 'Largest header block.' }),
      uri: size().prefault('8kb').meta({ description: 'Longest address.' }),
      deadline: timer('100ms').prefault('75s').meta({
        description:
          'Time in which a call is to be answered; a caller who will wait less says so by `Prefer: wait=` (RFC 7240, in seconds). Attempts, repeats and waits at the vendor end before.',
      }),
    })
    .prefault({}),
  rates: z
    .strictObject({
      client: rate().prefault('600/min').meta({ description: 'Calls of one client.' }),
      key: rate().prefault('600/min').meta({ description: 'Calls with one API key.' }),
      address: rate()
        .prefault('1200/min')
        .meta({ description: 'Calls from one address, counted before any credential is looked at.' }),
      anonymous: rate()
        .prefault('60/min')
        .meta({ description: 'Calls from one address whose credentials were refused.' }),
    })
    .prefault({}),
  masks: z
    .strictObject({
      didit: z
        .record(text(), z.enum(['drop', 'last4', 'pseudonym', 'year']))
        .default({})
        .meta({ description: 'Field methods on top of the built-in masks, by path in the vendor’s spelling.' }),
    })
    .prefault({}),
});

export const configSchema = z.strictObject({
  dataDir: text()
    .default('.gatehouse')
    .meta({ description: 'Folder for what an instance keeps beside the database.', env: 'GATEHOUSE_DATA_DIR' }),
  database: z
    .strictObject({
      url: text().optional().meta({
        description: 'Postgres to use. Unset: an embedded one in the data folder.',
        env: 'DATABASE_URL',
        secret: true,
      }),
      migrationUrl: text().optional().meta({
        description: 'Connection of the role that migrates, where it differs.',
        env: 'DATABASE_MIGRATION_URL',
        secret: true,
      }),
      archiveUrl: text().optional().meta({
        description:
          'Connection of the role that archives, where it differs; it must be a member of gatehouse_archivist.',
        env: 'DATABASE_ARCHIVE_URL',
        secret: true,
      }),
      pool: z
        .int()
        .min(2)
        .max(200)
        .default(16)
        .meta({ description: 'Connections of an instance for its work, beside the few of the log.' }),
      statementTimeout: timer('100ms').prefault('10s').meta({ description: 'Longest statement.' }),
    })
    .prefault({}),
  // The client takes whatever else it is given for the path of a socket, and would look for it for ever.
  redisUrl: z
    .url({ protocol: /^rediss?$/, error: 'must be a URL such as redis://valkey:6379' })
    .optional()
    .meta({
      description:
        'Valkey or Redis that instances share rate counters and the vendor’s budget in. Unset: both in process.',
      env: 'REDIS_URL',
      secret: true,
    }),
  entity: z
    .strictObject({
      name: text().default('Example Bank'),
      lei: z
        .string()
        .regex(/^[A-Z0-9]{18}[0-9]{2}$/, { error: 'must be an LEI of 20 characters' })
        .optional(),
      type: text()
        .default('credit_institution')
        .meta({ description: 'Type of the financial entity, in the words of Regulation (EU) 2022/2554 Article 2.' }),
      homeState: z
        .string()
        .regex(/^[A-Z]{2}$/, { error: 'must be a country code such as ES' })
        .default('ES'),
      nis2: z
        .boolean()
        .default(false)
        .meta({ description: 'Whether it is essential or important under Article 3 of NIS2.' }),
      systemicNotice: z.iso
        .datetime({ offset: true })
        .nullable()
        .default(null)
        .meta({ description: 'When the authority withdrew the weekend rule (2025/301 Article 5(6)).' }),
      timeZone: text()
        .refine(isTimeZone, { error: 'must be a time zone such as Europe/Madrid' })
        .default('Europe/Madrid'),
    })
    .prefault({}),
  listeners: z
    .strictObject({
      public: publicListener.prefault({}),
      admin: adminListener.prefault({}),
      trustedProxies: list(cidr()).meta({ description: 'Proxies whose Forwarded headers are believed.' }),
      connections: connections.prefault({}),
    })
    .prefault({}),
  sandbox: z
    .strictObject({
      port: port()
        .default(7443)
        .meta({ description: 'Port of the development sandbox; 0 takes any free one.', env: 'GATEHOUSE_SANDBOX_PORT' }),
    })
    .prefault({}),
  auth: auth.prefault({}),
  policy: policy.prefault({}),
  vendors: z.strictObject({ didit: didit.prefault({}) }).prefault({}),
  workflows: workflows.prefault({}),
  audit: audit.prefault({}),
  siem: siem.prefault({}),
  time: time.prefault({}),
  idempotency: z
    .strictObject({
      keep: duration('1s')
        .prefault('24h')
        .meta({ description: 'How long an Idempotency-Key and its answer are kept.' }),
    })
    .prefault({}),
  erasure: erasure.prefault({}),
  drills: drills.prefault({}),
  fallback: fallback.prefault({}),
  reconciliation: reconciliation.prefault({}),
  webhooks: webhooks.prefault({}),
  keys: z
    .strictObject({
      masterKeyFile: text().optional().meta({
        description: 'Path of the master key: 32 bytes in base64. Needed with DATABASE_URL.',
        env: 'GATEHOUSE_MASTER_KEY_FILE',
      }),
      logKeyFile: text().optional().meta({
        description: 'Path of the log’s signing key: Ed25519, PKCS#8 PEM. Needed with DATABASE_URL.',
        env: 'GATEHOUSE_LOG_KEY_FILE',
      }),
      previousLogKeyFile: text().optional().meta({
        description:
          'Path of the signing key before, while it is rotated: checkpoints then bear both signatures, and whoever knows either key can check them.',
        env: 'GATEHOUSE_PREVIOUS_LOG_KEY_FILE',
      }),
    })
    .prefault({}),
  telemetry: z
    .strictObject({
      otlpEndpoint: origin().optional().meta({
        description: 'OTLP/HTTP collector for traces; metrics are fetched from /metrics.',
        env: 'OTEL_EXPORTER_OTLP_ENDPOINT',
      }),
      sampleRatio: z.number().min(0).max(1).default(1).meta({ description: 'Share of new traces that are kept.' }),
      logLevel: z
        .enum(['debug', 'info', 'warn', 'error'])
        .default('info')
        .meta({ description: 'Lowest level of the operational log.', env: 'GATEHOUSE_LOG_LEVEL' }),
    })
    .prefault({}),
  shutdown: z
    .strictObject({
      drain: timer('0s').prefault('20s').meta({ description: 'How long calls and jobs under way may take to end.' }),
    })
    .prefault({}),
});

export type Config = z.output<typeof configSchema>;
