import { statSync } from 'node:fs';
import { join } from 'node:path';
import { openAudit } from '../audit/index.js';
import { orchestrationEntities, replayErasures } from '../orchestration/index.js';
import {
  APP_ROLE,
  ConfigError,
  Database,
  Keyring,
  loadConfig,
  Log,
  readMasterKey,
  SystemClock,
} from '../platform/index.js';
import { WebhookErasure } from '../webhooks/index.js';
import { reach } from './verify.js';

/** `gatehouse replay-erasures`: exits non-zero when somebody could not be erased again, or a line of the journal is not ours. */
export async function replayErasuresVerb(options: { journal?: string }): Promise<void> {
  const config = loadConfig(process.env, { together: false });
  const { url } = config.database;
  const masterKeyFile =
    config.keys.masterKeyFile ?? (url === undefined ? join(config.dataDir, 'master.key') : undefined);
  if (masterKeyFile === undefined) throw new ConfigError('must be given', 'GATEHOUSE_MASTER_KEY_FILE');
  if (options.journal !== undefined && statSync(options.journal, { throwIfNoEntry: false })?.isFile() !== true)
    throw new ConfigError('there is no such file', '--journal');
  const keyring = new Keyring(readMasterKey(masterKeyFile));
  const reached = url === undefined ? await reach(config.dataDir) : { url, release: () => Promise.resolve() };
  try {
    const clock = new SystemClock();
    const log = new Log(config.telemetry.logLevel);
    const database = await Database.open({
      url: reached.url,
      role: APP_ROLE,
      entities: orchestrationEntities,
      poolSize: 2,
      statementTimeoutMs: config.database.statementTimeout,
      applicationName: 'gatehouse-replay-erasures',
    });
    const audit = await openAudit({
      config,
      clock,
      log,
      url: reached.url,
      instance: 'replay-erasures',
      dir: join(config.dataDir, 'journal'),
    }).catch(async (error: unknown) => {
      await database.close();
      throw error;
    });
    try {
      const { journal } = options;
      const parts = (vault: ConstructorParameters<typeof WebhookErasure>[0]) => [new WebhookErasure(vault)];
      const done = await replayErasures({ audit, clock, config, database, keyring, log, journal, parts });
      process.stdout.write(
        `replayed ${done.replayed} of ${done.known} erasures, ${done.held} held, ${done.strange} strange lines\n`,
      );
      process.exitCode = done.held === 0 && done.strange === 0 ? 0 : 1;
    } finally {
      await audit.stop();
      await database.close();
    }
  } finally {
    await reached.release();
  }
}
