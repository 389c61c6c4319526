import { readFileSync } from 'node:fs';
import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { type Config, configSchema } from './schema.js';
import { type Setting, settings } from './settings.js';

/** A start that cannot work: one sentence that names the setting and never its value. */
export class ConfigError extends Error {
  constructor(
    message: string,
    readonly setting: string,
  ) {
    super(`${setting}: ${message}`);
    this.name = 'ConfigError';
  }
}

type Tree = { [key: string]: unknown };

function readYaml(path: string): Tree {
  let source: string;
  try {
    source = readFileSync(path, 'utf8');
  } catch {
    throw new ConfigError('the file it names cannot be read', 'GATEHOUSE_CONFIG');
  }
  try {
    const tree: unknown = parse(source, { maxAliasCount: 0, uniqueKeys: true }) ?? {};
    if (typeof tree !== 'object' || Array.isArray(tree))
      throw new ConfigError('the file must hold a mapping', 'GATEHOUSE_CONFIG');
    return tree as Tree;
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const line = error instanceof YAMLParseError ? (error.linePos?.[0].line ?? 1) : 1;
    throw new ConfigError(`the file is not valid YAML (line ${line})`, 'GATEHOUSE_CONFIG');
  }
}

function set(tree: Tree, path: readonly string[], value: unknown): void {
  const [head, ...rest] = path;
  if (head === undefined) return;
  if (rest.length === 0) {
    tree[head] = value;
    return;
  }
  const next = tree[head];
  const branch: Tree = next !== null && typeof next === 'object' && !Array.isArray(next) ? (next as Tree) : {};
  tree[head] = branch;
  set(branch, rest, value);
}

interface References {
  env: NodeJS.ProcessEnv;
  /** Settings that the environment gives itself: what the file refers to there is not asked for. */
  overridden: ReadonlySet<string>;
  /** Whether a variable that is not set is left out, as by who needs but a part of the settings. */
  lenient: boolean;
}

/** `env:NAME` and `file:PATH` stand for a value kept elsewhere, so that the file itself holds no secret. */
function resolveReferences(value: unknown, path: string, references: References): unknown {
  if (references.overridden.has(path)) return undefined;
  const resolved = (item: unknown, of: string): unknown => resolveReferences(item, of, references);
  if (Array.isArray(value)) return value.map((item, index) => resolved(item, `${path}.${index}`));
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, resolved(item, path === '' ? key : `${path}.${key}`)]),
    );
  }
  if (typeof value !== 'string') return value;
  if (value.startsWith('env:')) {
    const known = references.env[value.slice(4)] || undefined;
    // Left out, an optional secret would be missing in silence.
    if (known === undefined && !references.lenient) throw new ConfigError('the variable it names is not set', path);
    return known;
  }
  if (!value.startsWith('file:')) return value;
  try {
    return readFileSync(value.slice(5), 'utf8').trim();
  } catch {
    throw new ConfigError('the file it names cannot be read', path);
  }
}

function nameOf(path: readonly PropertyKey[], known: readonly Setting[], env: NodeJS.ProcessEnv): string {
  const dotted = path.map(String).join('.');
  const setting = known.find((candidate) => candidate.path.join('.') === dotted);
  return setting?.env !== undefined && env[setting.env] ? setting.env : dotted || 'gatehouse.yaml';
}

function explain(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys')
    return `has no setting named ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}`;
  // The input is told of because `reportInput` asks for it; it never goes into a message.
  if ('input' in issue && issue.input === undefined) return 'must be given';
  if (issue.code === 'invalid_type') return `must be of type ${issue.expected}`;
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.map(String).join(', ')}`;
  return issue.message;
}

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

/**
 * A setting given by the environment wins over the file; an empty variable counts as absent.
 * @param together false leaves out the checks between settings, and references to variables that are not set: for who needs but a part
 * @throws ConfigError
 */
export function loadConfig(env: NodeJS.ProcessEnv, { together = true } = {}): Config {
  const file = env['GATEHOUSE_CONFIG'];
  const known = settings();
  const given = known.flatMap(({ path, env: name }) =>
    name !== undefined && env[name] ? [{ path, value: env[name] }] : [],
  );
  const overridden = new Set(given.map(({ path }) => path.join('.')));
  const tree = resolveReferences(file ? readYaml(file) : {}, '', { env, overridden, lenient: !together }) as Tree;
  for (const { path, value } of given) set(tree, path, value);
  const parsed = configSchema.safeParse(tree, { reportInput: true });
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    if (!issue) throw parsed.error;
    throw new ConfigError(explain(issue), nameOf(issue.path, known, env));
  }
  if (together) checkTogether(parsed.data);
  return deepFreeze(parsed.data);
}

/** What no single field can say: settings that need or exclude one another. */
function checkTogether(config: Config): void {
  const needs = (setting: string, value: unknown, reason: string): void => {
    if (value === undefined) throw new ConfigError(reason, setting);
  };
  if (config.database.url !== undefined) {
    needs(
      'DIDIT_BASE_URL',
      config.vendors.didit.baseUrl,
      'must be given when DATABASE_URL is set: the sandbox is for development only',
    );
    needs(
      'GATEHOUSE_MASTER_KEY_FILE',
      config.keys.masterKeyFile,
      'must be given when DATABASE_URL is set (`gatehouse keygen DIR` makes one)',
    );
    needs(
      'GATEHOUSE_LOG_KEY_FILE',
      config.keys.logKeyFile,
      'must be given when DATABASE_URL is set (`gatehouse keygen DIR` makes one)',
    );
  }
  if (config.vendors.didit.baseUrl !== undefined) {
    needs('DIDIT_API_KEY', config.vendors.didit.credential.from, 'must be given when DIDIT_BASE_URL is set');
    needs('DIDIT_WEBHOOK_SECRET', config.vendors.didit.webhookSecret, 'must be given when DIDIT_BASE_URL is set');
  }
  if (config.auth.issuer !== undefined)
    needs('OIDC_AUDIENCE', config.auth.audience, 'must be given when OIDC_ISSUER is set');
  const { read, write, check } = config.vendors.didit.timeouts;
  // The longest body, a search and a change with the slowest answers: for as long as this a call has an intent and no completion.
  if (config.audit.intentPatience <= config.listeners.connections.requestTimeout + read + write + check) {
    const bound = 'listeners.connections.requestTimeout and vendors.didit.timeouts together';
    throw new ConfigError(`must be longer than ${bound}`, 'audit.intentPatience');
  }
  for (const listener of ['public', 'admin'] as const) {
    const { cert, key } = config.listeners[listener].tls;
    if ((cert === undefined) !== (key === undefined)) {
      throw new ConfigError('must be given together', cert === undefined ? 'GATEHOUSE_TLS_CERT' : 'GATEHOUSE_TLS_KEY');
    }
  }
}
