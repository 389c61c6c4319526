import type { IncomingMessage, ServerResponse } from 'node:http';
import type { OnApplicationShutdown } from '@nestjs/common';
import type { Clock, Database, Keyring, Listener, Log } from '../../platform/index.js';
import type { TrustedIssuer } from '../tokens/token-trust.js';
import { guardAnswers, isIssuerPath, type OnAnswer, type TokenAnswer } from './answers.js';
import { ISSUER_ALGORITHM, IssuerKeys } from './issuer-keys.js';
import { makeProvider } from './provider.js';

/** How soon an instance learns of a key that another one made. */
const REFRESH_MS = 60_000;

export interface IssuerOptions {
  /** Origin of the public listener; undefined when an external issuer gives clients their tokens. */
  publicUrl: string | undefined;
  /** Origin of the internal listener; undefined when an external issuer gives administrators theirs. */
  adminUrl: string | undefined;
  database: Database;
  keyring: Keyring;
  clock: Clock;
  log: Log;
  tokenLifetimeMs: number;
  /** Without one every token answer is withheld: none leaves unrecorded. */
  onAnswer?: OnAnswer;
}

interface Issuer {
  url: string;
  keys: IssuerKeys;
  handler: (req: IncomingMessage, res: ServerResponse) => Promise<void>;
}

/** The embedded issuers, one a listener: who may have tokens, and the keys that prove them. */
export class IssuerGateway implements OnApplicationShutdown {
  readonly #issuers = new Map<Listener, Issuer>();
  #onAnswer: OnAnswer | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: Omit<IssuerOptions, 'publicUrl' | 'adminUrl'>) {
    this.#onAnswer = options.onAnswer;
  }

  /** Sets what makes a token answer durable before it leaves. */
  recordWith(onAnswer: OnAnswer): void {
    this.#onAnswer = onAnswer;
  }

  /** Whether a path of a listener, without its query, is one that an embedded issuer answers. */
  handles(listener: Listener, path: string): boolean {
    return this.#issuers.has(listener) && isIssuerPath(path);
  }

  /** Answers a request whose body nobody has read yet; resolves when the answer has been handed to the socket. */
  async handle(listener: Listener, req: IncomingMessage, res: ServerResponse): Promise<void> {
    const issuer = this.#issuers.get(listener);
    if (issuer === undefined) throw new Error('this listener has no issuer of its own');
    await issuer.handler(req, res);
  }

  /** What a listener must believe to take this issuer's tokens; undefined when it has none. */
  trustedIssuer(listener: Listener): TrustedIssuer | undefined {
    const issuer = this.#issuers.get(listener);
    return (
      issuer && {
        issuer: issuer.url,
        audience: issuer.url,
        algorithms: [ISSUER_ALGORITHM],
        requireTyp: true,
        subjectClaim: 'client_id',
        rightsClaims: ['scope'],
        keys: issuer.keys.find,
        ownKeys: true,
      }
    );
  }

  /** Replaces the signing key of a listener's issuer, without any token becoming invalid. */
  async rotateKeys(listener: Listener): Promise<void> {
    await this.#issuers.get(listener)?.keys.rotate();
  }

  /** Takes over keys that other instances have made; a key set that cannot be read stays as it is. */
  async refreshKeys(): Promise<void> {
    for (const { keys } of this.#issuers.values()) {
      await keys.refresh().catch((error: unknown) => {
        this.options.log.warn('the keys of the embedded issuer could not be read', { error });
      });
    }
  }

  async open(listener: Listener, url: string): Promise<void> {
    const keys = new IssuerKeys(listener, this.options, () => this.serve(listener, url, keys));
    await keys.refresh();
    this.#timer ??= setInterval(() => void this.refreshKeys(), REFRESH_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.#timer);
  }

  /** The library takes its keys when it is made: another set of keys is another provider, and calls under way end on the old one. */
  private serve(listener: Listener, url: string, keys: IssuerKeys): void {
    const { database, clock, tokenLifetimeMs, log } = this.options;
    const provider = makeProvider({ listener, url, database, clock, keys, tokenLifetimeMs });
    provider.use(guardAnswers(listener, url, (answer) => this.record(answer), log));
    provider.on('server_error', (_ctx: unknown, error: Error) => log.error('the issuer failed', { error }));
    this.#issuers.set(listener, { url, keys, handler: provider.callback() });
  }

  private async record(answer: TokenAnswer): Promise<void> {
    if (this.#onAnswer === undefined) throw new Error('nothing records token answers');
    await this.#onAnswer(answer);
  }
}

/** Opens the embedded issuers, making their first keys where the database has none. */
export async function createIssuers(options: IssuerOptions): Promise<IssuerGateway> {
  const gateway = new IssuerGateway(options);
  if (options.publicUrl !== undefined) await gateway.open('public', options.publicUrl);
  if (options.adminUrl !== undefined) await gateway.open('admin', options.adminUrl);
  return gateway;
}
