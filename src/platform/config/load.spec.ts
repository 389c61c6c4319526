import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from './load.js';
import { settings } from './settings.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gatehouse-config-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function yaml(text: string): NodeJS.ProcessEnv {
  const file = join(dir, 'gatehouse.yaml');
  writeFileSync(file, text);
  return { GATEHOUSE_CONFIG: file };
}

function failure(env: NodeJS.ProcessEnv): ConfigError {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('it loaded');
}

describe('loadConfig', () => {
  it('needs nothing at all', () => {
    const config = loadConfig({});
    expect(config.listeners.public.port).toBe(8443);
    expect(config.policy.rates.client).toEqual({ limit: 600, windowMs: 60_000 });
    expect(config.policy.limits.body).toBe(1024 * 1024);
  });

  it('lets the environment win over the file, and an empty variable count as absent', () => {
    const file = yaml('listeners: { public: { port: 1234 } }');
    expect(loadConfig({ ...file, GATEHOUSE_PUBLIC_PORT: '4321' }).listeners.public.port).toBe(4321);
    expect(loadConfig({ ...file, GATEHOUSE_PUBLIC_PORT: '' }).listeners.public.port).toBe(1234);
  });

  it('names the variable or the path, and never the value', () => {
    const byVariable = failure({ GATEHOUSE_PUBLIC_PORT: 'hunter2' });
    expect(byVariable.setting).toBe('GATEHOUSE_PUBLIC_PORT');
    expect(byVariable.message).not.toContain('hunter2');
    const byPath = failure(yaml('policy: { rates: { client: hunter2 } }'));
    expect(byPath.setting).toBe('policy.rates.client');
    expect(byPath.message).not.toContain('hunter2');
  });

  it('refuses an address of Valkey that is none, without telling it', () => {
    const { message } = failure({ REDIS_URL: 'valkey:s3cret' });
    expect(message).toBe('REDIS_URL: must be a URL such as redis://valkey:6379');
  });

  it('refuses a key that no setting has', () => {
    expect(failure(yaml('policy: { ratez: {} }')).message).toContain('"ratez"');
  });

  it('takes a file that holds every part', () => {
    const file = yaml(`
entity: { name: Bank, lei: 5493001KJTIIGC8Y1R12, type: credit_institution, homeState: ES, nis2: false, systemicNotice: null, timeZone: Europe/Madrid }
listeners: { public: { host: 127.0.0.1, port: 8443, tls: { cert: a.pem, key: a.key } }, admin: { host: 127.0.0.1 }, trustedProxies: [10.0.0.0/8, "2001:db8::/32"] }
auth: { issuers: [{ issuer: "https://i.example", audience: a, jwksUri: "https://i.example/jwks", clientClaim: azp, scopeClaim: scp, requireTyp: false }], keys: { maxAgeDays: 90 } }
policy: { addresses: { allow: [], deny: [] }, agents: { deny: [] }, limits: { body: 1mb, jsonDepth: 32, headers: 32kb }, rates: { client: 600/min, key: 600/min, address: 1200/min, anonymous: 60/min }, masks: { didit: { "id_verifications[].document_number": last4 } } }
vendors: { didit: { baseUrl: "https://v.example", credential: { kind: apiKey, from: env:THE_KEY }, webhookSecret: s, hosts: [], timeouts: {}, breaker: {}, budget: { writes: 300/min, reads: 600/min } } }
workflows: { onboarding: { vendor: didit, workflowId: env:THE_WORKFLOW } }
audit: { origin: bank.example/log, checkpointEvery: 1s, retention: {} }
`);
    const config = loadConfig({ ...file, THE_KEY: 'k', THE_WORKFLOW: 'w' });
    expect(config.vendors.didit.budget.writes).toEqual({ limit: 300, windowMs: 60_000 });
    expect(config.workflows.onboarding.workflowId).toBe('w');
    expect(config.auth.issuers[0]).toMatchObject({ clientClaim: 'azp', requireTyp: false });
  });

  it('refuses a file that is no YAML, by its line', () => {
    expect(failure(yaml('a: 1\nb: [1')).message).toMatch(/line \d+/);
  });

  it('refuses a database without the vendor and the keys that production needs', () => {
    expect(failure({ DATABASE_URL: 'postgres://u:hunter2@h/d' }).setting).toBe('DIDIT_BASE_URL');
    const withVendor = {
      DATABASE_URL: 'postgres://u@h/d',
      DIDIT_BASE_URL: 'https://v.example',
      DIDIT_API_KEY: 'k',
      DIDIT_WEBHOOK_SECRET: 's',
    };
    expect(failure(withVendor).setting).toBe('GATEHOUSE_MASTER_KEY_FILE');
  });

  it('refuses a patience with intents that a call could outlast', () => {
    const short = 'listeners: { connections: { requestTimeout: 60s } }\naudit: { intentPatience: 145s }';
    expect(failure(yaml(short)).setting).toBe('audit.intentPatience');
    expect(loadConfig(yaml(short.replace('145s', '146s'))).audit.intentPatience).toBe(146_000);
  });

  it('follows env: and file: references and keeps secrets out of print', () => {
    writeFileSync(join(dir, 'secret'), 'from-a-file\n');
    const config = loadConfig({
      ...yaml(
        `vendors: { didit: { credential: { from: env:THE_KEY }, webhookSecret: "file:${join(dir, 'secret')}" } }`,
      ),
      THE_KEY: 'one,two',
    });
    expect(config.vendors.didit.credential.from?.map((secret) => secret.reveal())).toEqual(['one', 'two']);
    expect(config.vendors.didit.webhookSecret?.[0]?.reveal()).toBe('from-a-file');
    expect(JSON.stringify(config)).not.toContain('from-a-file');
  });

  it.each([
    ['audit: { sequenceEvery: 0s }', 'audit.sequenceEvery: must be at least 10ms'],
    ['audit: { checkpointEvery: 0s }', 'audit.checkpointEvery: must be at least 100ms'],
    ['audit: { checkpointEvery: 25d }', 'audit.checkpointEvery: must be at most 24d'],
    ['audit: { alarm: { standstill: 0s } }', 'audit.alarm.standstill: must be at least 1s'],
    ['time: { every: 0ms }', 'time.every: must be at least 1s'],
    ['time: { bound: 0ms }', 'time.bound: must be at least 1ms'],
    ['database: { statementTimeout: 0s }', 'database.statementTimeout: must be at least 100ms'],
    ['policy: { limits: { body: 0kb } }', 'policy.limits.body: must be at least 1b'],
    ['policy: { rates: { client: 0/min } }', 'policy.rates.client: must be a rate such as 10/s, 600/min or 1000/hour'],
    ['entity: { timeZone: Europe/Nowhere }', 'entity.timeZone: must be a time zone such as Europe/Madrid'],
  ])('refuses %s', (text, message) => {
    expect(failure(yaml(text)).message).toBe(message);
  });

  it('takes nothing at all where that means something', () => {
    const text = 'erasure: { keepAfterLastVerification: 0s }\nauth: { clockTolerance: 0s }\nshutdown: { drain: 0s }';
    expect(loadConfig(yaml(text)).shutdown.drain).toBe(0);
  });

  it.each([
    ['audit: { anchors: { url: "https://tsa.example" } }', 'audit.anchors.caFile: must be given'],
    ['audit: { anchors: { caFile: roots.pem } }', 'audit.anchors.url: must be given'],
    ['auth: { issuers: [{ audience: a }] }', 'auth.issuers.0.issuer: must be given'],
    ['siem: { sinks: [{ name: soc, kind: file }] }', 'siem.sinks.0.path: must be given'],
    ['audit: { anchors: { url: "https://tsa.example", caFile: 1 } }', 'audit.anchors.caFile: must be of type string'],
  ])('tells what is missing from what is of the wrong type: %s', (text, message) => {
    expect(failure(yaml(text)).message).toBe(message);
  });

  it('names the setting that refers to a variable which is not set, unless the environment gives the setting itself', () => {
    const file = yaml('audit: { alarm: { url: "https://alarms.example", token: env:NOT_THERE } }');
    expect(failure(file).message).toBe('audit.alarm.token: the variable it names is not set');
    expect(failure({ ...file, NOT_THERE: '' }).setting).toBe('audit.alarm.token');
    expect(loadConfig({ ...file, GATEHOUSE_ALARM_TOKEN: 't' }).audit.alarm.token?.reveal()).toBe('t');
    expect(loadConfig(file, { together: false }).audit.alarm.token).toBeUndefined();
    const inList = yaml('vendors: { didit: { webhookSecret: [a, env:NOT_THERE] } }');
    expect(failure(inList).setting).toBe('vendors.didit.webhookSecret.1');
  });

  it('is frozen to the bottom', () => {
    const config = loadConfig({});
    expect(Object.isFrozen(config.policy.rates.client)).toBe(true);
  });
});

describe('settings', () => {
  it('gives every variable to settings of one default', () => {
    const byVariable = Map.groupBy(
      settings().filter((setting) => setting.env !== undefined),
      (setting) => setting.env,
    );
    for (const [, group] of byVariable) {
      expect(new Set(group.map((setting) => JSON.stringify(setting.fallback))).size).toBe(1);
    }
    expect(byVariable.has('DATABASE_URL')).toBe(true);
  });
});
