import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ArchiveLogSource,
  BadArchive,
  describeVerdict,
  HttpSource,
  keptCheckpoint,
  keptLink,
  noteVerifier,
  readArchive,
  readTrusted,
  type Verdict,
  type VerifyOptions,
  verifyLog,
  verifySource,
  vkeyOf,
} from '../audit/index.js';
import {
  type Config,
  ConfigError,
  findEmbeddedPostgres,
  loadConfig,
  readCertificates,
  readLogKey,
  startEmbeddedPostgres,
} from '../platform/index.js';
import { showProgress } from './progress.js';

interface Reached {
  url: string;
  release(): Promise<void>;
}

export interface VerifyVerbOptions {
  json?: boolean;
  from?: string;
  to?: string;
  url?: string;
  archive?: string;
  ca?: string;
  key?: string[];
  trustedCheckpoint?: string;
  anchors?: string;
}

/** The embedded cluster of a data folder: the one that runs, or one started for the while. */
export async function reach(dataDir: string): Promise<Reached> {
  const running = await findEmbeddedPostgres(dataDir);
  if (running) return { url: running.superuserUrl, release: () => Promise.resolve() };
  if (!existsSync(join(dataDir, 'postgres-password'))) throw new ConfigError('holds no database', 'GATEHOUSE_DATA_DIR');
  const own = await startEmbeddedPostgres({ dataDir });
  return { url: own.superuserUrl, release: () => own.stop() };
}

export async function verifyDataDir(
  dataDir: string,
  options: VerifyOptions = {},
): Promise<Verdict & { summary: string }> {
  const reached = await reach(dataDir);
  try {
    return await verifyUrl(reached.url, 'GATEHOUSE_DATA_DIR', options);
  } finally {
    await reached.release();
  }
}

/**
 * `gatehouse verify`: exits 0 and ends with `verified N records, root …` when all holds. Believed are the keys given, else that of the
 * settings; the log must extend the checkpoint given, else the one that this machine has kept.
 */
export async function verifyVerb(options: VerifyVerbOptions): Promise<void> {
  const config = loadConfig(process.env, { together: false });
  const { from, to } = partOf(options);
  const verdict = await verified(config, options, {
    from,
    to,
    keys: options.key?.flatMap(readKeys) ?? ownKeys(config),
    ...seenBefore(config, options),
    anchorRoots: options.anchors === undefined ? undefined : readCertificates(options.anchors, '--anchors'),
    onProgress: showProgress('verified', 'records'),
  }).catch((error: unknown) => {
    if (error instanceof TypeError) throw new ConfigError(error.message, '--key or --trusted-checkpoint');
    throw error;
  });
  const { summary, ...json } = verdict;
  process.stdout.write(`${options.json === true ? JSON.stringify(json) : summary}\n`);
  process.exitCode = verdict.ok ? 0 : 1;
}

function partOf(options: VerifyVerbOptions): { from: number | undefined; to: number | undefined } {
  const from = options.from === undefined ? undefined : numberOf(options.from, '--from');
  const to = options.to === undefined ? undefined : numberOf(options.to, '--to');
  if (to !== undefined && to <= (from ?? 0))
    throw new ConfigError('must be beyond the first record to look at', '--to');
  return { from, to };
}

function verified(
  config: Config,
  { url, ca, archive }: VerifyVerbOptions,
  options: VerifyOptions,
): Promise<Verdict & { summary: string }> {
  if (url !== undefined && archive !== undefined)
    throw new ConfigError('is another source than --url: one of them is verified', '--archive');
  if (url === undefined && ca !== undefined) throw new ConfigError('is for --url alone', '--ca');
  if (url !== undefined) {
    if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) throw new ConfigError('must be an https URL', '--url');
    const token = process.env['GATEHOUSE_OPS_TOKEN'];
    const source = new HttpSource({ url, token, ca: ca === undefined ? undefined : readCertificates(ca, '--ca') });
    return told(verifySource(source, options), '--url');
  }
  if (archive !== undefined) return verifyArchive(archive, options);
  return config.database.url === undefined
    ? verifyDataDir(config.dataDir, options)
    : verifyUrl(config.database.url, 'DATABASE_URL', options);
}

/** The records of one archive, with nothing else at hand. */
async function verifyArchive(dir: string, options: VerifyOptions): Promise<Verdict & { summary: string }> {
  const archive = await readArchive(dir).catch((error: unknown) => {
    throw error instanceof BadArchive ? new ConfigError(error.message, '--archive') : error;
  });
  const source = new ArchiveLogSource(archive);
  const { first, past } = source.span;
  const { from = first, to = past } = options;
  if (from < first || to > past)
    throw new ConfigError(`the archive holds records ${first} to ${past - 1}`, from < first ? '--from' : '--to');
  if (options.trustedCheckpoint !== undefined) {
    const { size } = readTrusted(options.trustedCheckpoint, (options.keys ?? []).map(noteVerifier));
    const reason = source.incomparable(size);
    if (reason !== undefined) throw new ConfigError(reason, '--trusted-checkpoint');
  }
  const verdict = await verifySource(source, { ...options, from, to });
  const { ok, root } = verdict;
  return {
    ...verdict,
    summary: ok ? `verified records ${from} to ${to - 1}, root of the whole ${root}` : describeVerdict(verdict),
  };
}

function verifyUrl(url: string, setting: string, options: VerifyOptions): Promise<Verdict & { summary: string }> {
  return told(verifyLog(url, options), setting);
}

async function told(verifying: Promise<Verdict>, setting: string): Promise<Verdict & { summary: string }> {
  const verdict = await verifying.catch((error: unknown) => {
    if (error instanceof TypeError) throw error;
    throw new ConfigError(`the log cannot be read (${(error as { code?: string }).code ?? 'no connection'})`, setting);
  });
  return { ...verdict, summary: describeVerdict(verdict) };
}

/** The key that signs here, where this machine has it. */
function ownKeys(config: Config): string[] {
  const file = config.keys.logKeyFile ?? join(config.dataDir, 'log.key');
  return existsSync(file) ? [vkeyOf(config.audit.origin, readLogKey(file))] : [];
}

/** What the log must extend: what was given, else what this machine has kept. */
function seenBefore(
  config: Config,
  { trustedCheckpoint, url, archive }: VerifyVerbOptions,
): Pick<VerifyOptions, 'trustedCheckpoint' | 'keptLink'> {
  if (trustedCheckpoint !== undefined)
    return { trustedCheckpoint: readText(trustedCheckpoint, '--trusted-checkpoint') };
  if (url !== undefined || archive !== undefined) return {};
  const dir = join(config.dataDir, 'checkpoints');
  const { origin } = config.audit;
  try {
    return { trustedCheckpoint: keptCheckpoint(dir, origin), keptLink: keptLink(dir, origin) };
  } catch (error) {
    const why = error instanceof TypeError ? error.message : ((error as { code?: string }).code ?? 'unknown');
    throw new ConfigError(`the checkpoint kept there cannot be read (${why})`, dir);
  }
}

/** A key itself, or a file with one a line, as /log/keys gives them. */
export function readKeys(given: string): string[] {
  if (!existsSync(given)) return [given];
  const keys = readText(given, '--key').split('\n').filter(Boolean);
  // Without any key the log's own would be believed, which is not what was asked for.
  if (keys.length === 0) throw new ConfigError('the file holds no key', '--key');
  return keys;
}

export function readText(file: string, setting: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`the file cannot be read (${(error as { code?: string }).code ?? 'unknown'})`, setting);
  }
}

export function numberOf(text: string, option: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new ConfigError('must be the number of a record', option);
  return Number(text);
}
