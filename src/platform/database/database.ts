import { DataSource, type EntityManager, type MixedList } from 'typeorm';
import type { EntitySchema } from 'typeorm';

/** A transaction under way: every write of a state change and its record go through the same one (rule 1). */
export type Tx = EntityManager;

export interface DatabaseOptions {
  url: string;
  /** Role taken on for every connection; the login of `url` must be it or a member of it. Unset: the login itself. */
  role?: string;
  entities?: MixedList<(new () => object) | EntitySchema>;
  poolSize: number;
  statementTimeoutMs: number;
  applicationName: string;
}

/** The role under which a running gateway works: it reaches the log through two functions and owns nothing. */
export const APP_ROLE = 'gatehouse_app';

export function dataSource(options: DatabaseOptions): DataSource {
  return new DataSource({
    type: 'postgres',
    url: options.url,
    entities: options.entities ?? [],
    synchronize: false,
    migrationsRun: false,
    applicationName: options.applicationName,
    extra: {
      max: options.poolSize,
      statement_timeout: options.statementTimeoutMs,
      idle_in_transaction_session_timeout: options.statementTimeoutMs,
      // The server's own limit says nothing while the server itself stands still.
      query_timeout: options.statementTimeoutMs + 1_000,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
      // A start-up option rather than SET ROLE: even RESET ROLE then falls back to the lesser role.
      ...(options.role === undefined ? {} : { options: `-c role=${options.role}` }),
    },
  });
}

/** The gateway's Postgres, as the application role. */
export class Database {
  constructor(readonly source: DataSource) {}

  static async open(options: DatabaseOptions): Promise<Database> {
    return new Database(await dataSource(options).initialize());
  }

  /** Runs `work` in one transaction: committed when it resolves, rolled back when it rejects. */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.source.transaction(work);
  }

  /** Rows of one statement with `$1` parameters, outside any transaction. */
  async query<T extends object>(sql: string, parameters: unknown[] = []): Promise<T[]> {
    return this.source.query<T[]>(sql, parameters);
  }

  async close(): Promise<void> {
    if (this.source.isInitialized) await this.source.destroy();
  }
}
