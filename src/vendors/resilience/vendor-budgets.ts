import { Redis } from 'iovalkey';
import type { Rate } from '../../platform/index.js';
import { FairBudget } from './fair-budget.js';
import { FairWindow } from './fair-window.js';
import type { Operation } from './passage.js';
import { SharedWindow } from './shared-window.js';

export interface BudgetSettings {
  writes: Rate;
  reads: Rate;
  pdfs: Rate;
  longestWait: number;
  queue: number;
  reserve: number;
  background: number;
}

const KINDS = ['reads', 'writes', 'pdfs'] as const;
type Kind = (typeof KINDS)[number];

export interface BudgetView {
  kind: Kind;
  limit: number;
  windowSeconds: number;
  /** Calls of this instance in the window. */
  used: number;
  waiting: number;
  /** Whether instances share it. */
  shared: boolean;
}

export interface VendorBudgetsParts {
  vendor: string;
  settings: BudgetSettings;
  redisUrl: string | undefined;
  nowMs: () => number;
  refused: (kind: Kind) => void;
}

/** All budgets of one vendor: which operation takes from which, and where they are counted. */
export class VendorBudgets {
  readonly #settings: BudgetSettings;
  readonly #valkey: Redis | undefined;
  readonly #budgets: Readonly<Record<Kind, FairBudget>>;
  readonly #reads: readonly FairBudget[];
  readonly #writes: readonly FairBudget[];
  readonly #pdfs: readonly FairBudget[];

  constructor({ vendor, settings, redisUrl, nowMs, refused }: VendorBudgetsParts) {
    this.#settings = settings;
    if (redisUrl !== undefined) {
      this.#valkey = new Redis(redisUrl, {
        enableOfflineQueue: false,
        maxRetriesPerRequest: 1,
        connectTimeout: 2_000,
        commandTimeout: 250,
      });
      // Each failed command is met where it is sent; an unheard 'error' event would end the process.
      this.#valkey.on('error', () => undefined);
    }
    const budget = (kind: Kind): FairBudget => {
      const shares = { ...settings[kind], reserve: settings.reserve, background: settings.background };
      const source =
        this.#valkey === undefined
          ? new FairWindow(shares)
          : new SharedWindow(this.#valkey, `${vendor}:${kind}`, shares, nowMs);
      return new FairBudget({ ...settings, source, nowMs, refused: () => refused(kind) });
    };
    this.#budgets = { reads: budget('reads'), writes: budget('writes'), pdfs: budget('pdfs') };
    this.#reads = [this.#budgets.reads];
    this.#writes = [this.#budgets.writes];
    this.#pdfs = [this.#budgets.reads, this.#budgets.pdfs];
  }

  /** Didit counts by method, and PDFs once more. */
  readonly of = (operation: Operation): readonly FairBudget[] => {
    if (operation.answer === 'pdf') return this.#pdfs;
    return operation.method === 'GET' ? this.#reads : this.#writes;
  };

  view(): BudgetView[] {
    return KINDS.map((kind) => {
      const { limit, windowMs } = this.#settings[kind];
      const { waiting } = this.#budgets[kind];
      const used = this.#budgets[kind].used();
      return { kind, limit, windowSeconds: windowMs / 1_000, used, waiting, shared: this.#valkey !== undefined };
    });
  }

  stop(): void {
    for (const kind of KINDS) this.#budgets[kind].stop();
    this.#valkey?.disconnect();
  }
}
