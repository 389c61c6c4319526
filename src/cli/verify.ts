import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describeVerdict, type Verdict, verifyLog } from '../audit/index.js';
import { ConfigError, findEmbeddedPostgres, loadConfig, startEmbeddedPostgres } from '../platform/index.js';

interface Reached {
  url: string;
  release(): Promise<void>;
}

/** The embedded cluster of a data folder: the one that runs, or one started for the while. */
export async function reach(dataDir: string): Promise<Reached> {
  const running = await findEmbeddedPostgres(dataDir);
  if (running) return { url: running.superuserUrl, release: () => Promise.resolve() };
  if (!existsSync(join(dataDir, 'postgres-password'))) throw new ConfigError('holds no database', 'GATEHOUSE_DATA_DIR');
  const own = await startEmbeddedPostgres({ dataDir });
  return { url: own.superuserUrl, release: () => own.stop() };
}

export async function verifyDataDir(dataDir: string): Promise<Verdict & { summary: string }> {
  const reached = await reach(dataDir);
  try {
    return await verifyUrl(reached.url, 'GATEHOUSE_DATA_DIR');
  } finally {
    await reached.release();
  }
}

/** `gatehouse verify`: exits 0 and ends with `verified N records, root …` when all holds. */
export async function verifyVerb(options: { json?: boolean }): Promise<void> {
  const config = loadConfig(process.env, { together: false });
  const verdict =
    config.database.url === undefined
      ? await verifyDataDir(config.dataDir)
      : await verifyUrl(config.database.url, 'DATABASE_URL');
  if (options.json === true) {
    const { summary: _, ...json } = verdict;
    process.stdout.write(`${JSON.stringify(json)}\n`);
  } else {
    process.stdout.write(`${verdict.summary}\n`);
  }
  process.exitCode = verdict.ok ? 0 : 1;
}

async function verifyUrl(url: string, setting: string): Promise<Verdict & { summary: string }> {
  const verdict = await verifyLog(url).catch((error: unknown) => {
    throw new ConfigError(`the log cannot be read (${(error as { code?: string }).code ?? 'no connection'})`, setting);
  });
  return { ...verdict, summary: describeVerdict(verdict) };
}
