import { type DynamicModule, Global, Module } from '@nestjs/common';
import { Clock } from './clock.js';
import type { Config } from './config/schema.js';
import { Keyring } from './crypto/keyring.js';
import { Database } from './database/database.js';
import { Jobs } from './jobs/jobs.js';
import { Lifecycle } from './lifecycle.js';
import { Outbox } from './outbox/outbox.js';
import { Log } from './telemetry/log.js';
import type { Telemetry } from './telemetry/sdk.js';
import { Tracing } from './telemetry/tracing.js';
import { CONFIG, ORIGINS, type Origins, TELEMETRY } from './tokens.js';
import { Vault } from './vault/vault.js';

/** What the composition has made before any module stands. */
export interface PlatformParts {
  config: Config;
  clock: Clock;
  database: Database;
  keyring: Keyring;
  lifecycle: Lifecycle;
  log: Log;
  origins: Origins;
  telemetry: Telemetry;
  tracing: Tracing;
}

/** The one global module: parts without domain words, which every module may use. */
@Global()
@Module({})
export class PlatformModule {
  static with(parts: PlatformParts): DynamicModule {
    const providers = [
      { provide: CONFIG, useValue: parts.config },
      { provide: Clock, useValue: parts.clock },
      { provide: Database, useValue: parts.database },
      { provide: Keyring, useValue: parts.keyring },
      { provide: Lifecycle, useValue: parts.lifecycle },
      { provide: Log, useValue: parts.log },
      { provide: ORIGINS, useValue: parts.origins },
      { provide: TELEMETRY, useValue: parts.telemetry },
      { provide: Tracing, useValue: parts.tracing },
      { provide: Outbox, useValue: new Outbox(parts.database) },
      { provide: Vault, useValue: new Vault(parts.keyring, parts.clock) },
      { provide: Jobs, useFactory: () => new Jobs({ ...parts, drainMs: parts.config.shutdown.drain }) },
    ];
    return { module: PlatformModule, providers, exports: providers.map((provider) => provider.provide) };
  }
}
