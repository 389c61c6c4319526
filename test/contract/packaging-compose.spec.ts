import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { loadConfig, settings } from '../../src/platform/index.js';

const ROOT = join(import.meta.dirname, '..', '..');

/** The part of the Compose Specification that the file uses; anything else in it is a mistake or a reason to widen this. */
const mount = z.union([z.string(), z.strictObject({ source: z.string(), target: z.string() })]);
const conditions = ['service_started', 'service_healthy', 'service_completed_successfully'] as const;
const span = z.string().regex(/^\d+(ms|s|m)$/);
const service = z.strictObject({
  build: z.literal('.').optional(),
  image: z.string(),
  init: z.boolean().optional(),
  user: z.string().optional(),
  profiles: z.array(z.string()).default([]),
  restart: z.enum(['no', 'always', 'on-failure', 'unless-stopped']),
  stop_grace_period: span.optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  secrets: z.array(mount).default([]),
  configs: z.array(mount).default([]),
  volumes: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  depends_on: z
    .union([z.array(z.string()), z.record(z.string(), z.strictObject({ condition: z.enum(conditions) }))])
    .default({}),
  networks: z.union([z.array(z.string()), z.record(z.string(), z.strictObject({ ipv4_address: z.ipv4() }))]),
  healthcheck: z
    .strictObject({
      test: z.tuple([z.enum(['CMD', 'CMD-SHELL'])]).rest(z.string()),
      interval: span,
      timeout: span,
      retries: z.int(),
    })
    .optional(),
});
const compose = z.strictObject({
  name: z.string(),
  'x-gateway': z.unknown(),
  services: z.record(z.string(), service),
  configs: z.record(z.string(), z.strictObject({ content: z.string() })),
  secrets: z.record(z.string(), z.strictObject({ file: z.string() })),
  volumes: z.record(z.string(), z.strictObject({})),
  networks: z.record(
    z.string(),
    z.strictObject({
      internal: z.boolean().optional(),
      ipam: z.strictObject({ config: z.array(z.strictObject({ subnet: z.cidrv4() })) }).optional(),
    }),
  ),
});

const stand = compose.parse(parse(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8'), { merge: true }));
type Service = z.output<typeof service>;
const named = (name: string): Service => {
  const found = stand.services[name];
  if (!found) throw new Error(`no service ${name}`);
  return found;
};
const sourceOf = (item: z.output<typeof mount>): string => (typeof item === 'string' ? item : item.source);
const keysOf = (item: string[] | Record<string, unknown>): string[] => (Array.isArray(item) ? item : Object.keys(item));
const services = Object.entries(stand.services);
const gateways = services.filter(([, { build, profiles }]) => build === '.' && profiles.length === 0);

/** Stands for what `.env` gives: long enough for every setting. */
const GIVEN = 'given'.repeat(8);

/** As compose reads it: `${NAME:?text}` must be given and `${NAME:-value}` has a default. */
function filledIn(environment: Record<string, string>): Record<string, string> {
  const fill = (value: string): string =>
    value.replace(/\$\{\w+(?::(-|\?)([^}]*))?\}/g, (_all, kind: string, rest: string) => (kind === '-' ? rest : GIVEN));
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, fill(value)]));
}

describe('docker-compose.yml', () => {
  it('uses only what it declares', () => {
    const declared = {
      configs: Object.keys(stand.configs),
      secrets: Object.keys(stand.secrets),
      volumes: Object.keys(stand.volumes),
      networks: Object.keys(stand.networks),
    };
    for (const [name, item] of services) {
      expect(declared.configs, name).toEqual(expect.arrayContaining(item.configs.map(sourceOf)));
      expect(declared.secrets, name).toEqual(expect.arrayContaining(item.secrets.map(sourceOf)));
      expect(declared.volumes, name).toEqual(
        expect.arrayContaining(item.volumes.map((volume) => volume.split(':')[0])),
      );
      expect(declared.networks, name).toEqual(expect.arrayContaining(keysOf(item.networks)));
      expect(Object.keys(stand.services), name).toEqual(expect.arrayContaining(keysOf(item.depends_on)));
    }
    const used = services.flatMap(([, item]) => item.configs.map(sourceOf));
    expect(declared.configs.toSorted()).toEqual([...new Set(used)].toSorted());
  });

  it('pins every image that it does not build, to a minor version at least', () => {
    for (const [name, { build, image }] of services) {
      expect(image, name).toMatch(build === '.' ? /^gatehouse:local$/ : /^[a-z/-]+:\d+\.\d+(\.\d+)?(-[a-z]+)?$/);
    }
  });

  it('runs two gateways that are the same but for the volume each keeps its journal in', () => {
    const [[, first] = ['', undefined], [, second] = ['', undefined]] = gateways;
    expect(gateways).toHaveLength(2);
    expect({ ...first, volumes: [] }).toEqual({ ...second, volumes: [] });
    expect(first?.volumes).not.toEqual(second?.volumes);
    const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
    const [, dataDir] = /GATEHOUSE_DATA_DIR=(\S+)/.exec(dockerfile) ?? [];
    for (const [, { volumes }] of gateways) expect(volumes.map((volume) => volume.split(':')[1])).toEqual([dataDir]);
  });

  it('has a bootstrap that is run by hand, once, with what the gateways have', () => {
    const bootstrap = named('bootstrap');
    expect(bootstrap).toMatchObject({ profiles: ['bootstrap'], restart: 'no', command: ['bootstrap'] });
    for (const [, gateway] of gateways) {
      expect(bootstrap.environment).toEqual(gateway.environment);
      expect(bootstrap.secrets).toEqual(gateway.secrets);
    }
  });

  it('starts the gateways and the bootstrap when the stores are healthy', () => {
    for (const [, { depends_on: needs }] of [...gateways, ['bootstrap', named('bootstrap')] as const]) {
      expect(needs).toEqual({ postgres: { condition: 'service_healthy' }, valkey: { condition: 'service_healthy' } });
      for (const store of keysOf(needs)) expect(named(store).healthcheck, store).toBeDefined();
    }
  });

  it('gives the gateways settings that exist and that a production start accepts', () => {
    const known = settings().map((setting) => setting.env);
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-compose-'));
    const file = join(folder, 'gatehouse.yaml');
    writeFileSync(file, stand.configs['gatehouse']?.content ?? '');
    try {
      for (const [, { environment }] of gateways) {
        const names = Object.keys(environment).filter((name) => name !== 'GATEHOUSE_CONFIG');
        expect(names.filter((name) => !known.includes(name))).toEqual([]);
        const config = loadConfig({ ...filledIn(environment), GATEHOUSE_CONFIG: file });
        expect(config.database.url).toBe(`postgres://gateway:${GIVEN}@postgres:5432/gatehouse`);
        expect(config.vendors.didit.baseUrl).toBe('https://verification.didit.me');
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('gives key files and certificates as secrets, and every other secret from outside the file', () => {
    for (const [name, { environment, secrets }] of gateways) {
      const mounted = secrets.map((secret) => `/run/secrets/${sourceOf(secret)}`);
      const files = Object.entries(environment).filter(([key]) => /_FILE$|_TLS_/.test(key));
      expect(files.map(([, path]) => path).toSorted(), name).toEqual(mounted.toSorted());
    }
    const secretive = services.flatMap(([, { environment }]) =>
      Object.entries(environment).filter(([key]) => /PASSWORD|API_KEY$|SECRET$|TOKEN$/.test(key)),
    );
    expect(secretive.length).toBeGreaterThan(3);
    for (const [key, value] of secretive) expect(value, key).toMatch(/^\$\{\w+:[?-][^}]*\}$/);
    for (const file of Object.values(stand.secrets)) expect(file.file).toMatch(/^\.\/secrets\//);
  });

  it('opens the balancer alone, and the internal listener to this machine alone', () => {
    const open = services.flatMap(([name, { ports }]) => ports.map((port) => [name, port]));
    expect(open).toEqual([
      ['balancer', '8443:8443'],
      ['balancer', '127.0.0.1:9443:9443'],
    ]);
    for (const store of ['postgres', 'valkey', 'collector']) expect(keysOf(named(store).networks)).toEqual(['inside']);
    expect(stand.networks['inside']?.internal).toBe(true);
  });

  it('has a balancer that sends to both gateways, tells them the caller’s address and is believed', () => {
    const haproxy = stand.configs['haproxy']?.content ?? '';
    for (const [name] of gateways) {
      expect(haproxy).toContain(`server ${name} ${name}:8443`);
      expect(haproxy).toContain(`server ${name} ${name}:9443`);
    }
    expect(haproxy).toContain('http-request set-header x-forwarded-for %[src]');
    const balancer = named('balancer');
    const address = Array.isArray(balancer.networks) ? undefined : balancer.networks['outside']?.ipv4_address;
    const { listeners } = parse(stand.configs['gatehouse']?.content ?? '') as {
      listeners: { trustedProxies: string[] };
    };
    expect(listeners.trustedProxies).toEqual([address]);
    const targets = balancer.secrets.map((secret) => (typeof secret === 'string' ? secret : secret.target));
    const [certificate = ''] = /\/run\/secrets\/(\S+)/.exec(haproxy)?.slice(1) ?? [];
    expect(targets).toEqual([certificate, `${certificate}.key`]);
  });
});
