import { Client, type ClientConfig, type QueryConfig, type QueryResult, type QueryResultRow } from 'pg';

export interface ConnectionOptions {
  url: string;
  /** Role taken on; undefined keeps the login's own. */
  role?: string | undefined;
  applicationName: string;
  /** Longest statement, on the server and, a little longer, on our side. */
  statementTimeoutMs: number;
  lockTimeoutMs: number;
}

/**
 * One connection of the log's own, outside the gateway's pool: full pools must not keep records from being written. It is opened when
 * it is needed and again after it was lost.
 */
export class Connection {
  readonly #config: ClientConfig;
  #client: Promise<Client> | undefined;
  #closed = false;

  constructor(options: ConnectionOptions) {
    this.#config = {
      connectionString: options.url,
      application_name: options.applicationName,
      statement_timeout: options.statementTimeoutMs,
      lock_timeout: options.lockTimeoutMs,
      idle_in_transaction_session_timeout: options.statementTimeoutMs,
      // A server that no longer answers at all sends no time-out either.
      query_timeout: options.statementTimeoutMs + 500,
      connectionTimeoutMillis: 2_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 5_000,
      ...(options.role === undefined ? {} : { options: `-c role=${options.role}` }),
    };
  }

  /** @throws the driver's error; after one that leaves the connection unusable the next query opens a new one. */
  async query<R extends QueryResultRow>(query: QueryConfig): Promise<QueryResult<R>> {
    const opening = (this.#client ??= this.open());
    // A server may refuse a connection with any code: too many, starting, not taking any.
    const client = await opening.catch((error: unknown) => {
      this.forget(opening);
      throw error;
    });
    try {
      return await client.query<R>(query);
    } catch (error) {
      if (isLost(error)) this.forget(opening);
      throw error;
    }
  }

  /** Rows of one statement. @throws as `query` */
  async rows<R extends QueryResultRow>(query: QueryConfig): Promise<R[]> {
    return (await this.query<R>(query)).rows;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const client = await this.#client?.catch(() => undefined);
    this.#client = undefined;
    await client?.end().catch(() => undefined);
  }

  private open(): Promise<Client> {
    if (this.#closed) return Promise.reject(new Error('this connection was closed'));
    const client = new Client(this.#config);
    const opening = client.connect().then(() => client);
    client.on('error', () => this.forget(opening));
    return opening;
  }

  private forget(opening: Promise<Client>): void {
    if (this.#client === opening) this.#client = undefined;
    opening.then(
      (client) => client.end().catch(() => undefined),
      () => undefined,
    );
  }
}

/** The SQLSTATE of an error of the server; undefined when the error is the connection's. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' &&
    /^[0-9A-Z]{5}$/.test(code) &&
    (error as { severity?: unknown }).severity !== undefined
    ? code
    : undefined;
}

/** Codes and classes of a session that ended: idle in its transaction, or too long in it, among them. */
const ENDED = ['08', '57P', '25P03', '25P04'];

/** Whether the server ended the session: what it was doing may have been committed or not. */
export function isLost(error: unknown): boolean {
  const state = sqlState(error);
  return state === undefined || ENDED.some((ended) => state.startsWith(ended));
}
