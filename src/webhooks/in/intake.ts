/** Webhooks in one transaction. */
const TOGETHER = 64;

interface Waiting<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * Group commit: what comes while one transaction is under way goes together into the next, so that a webhook costs a share of its statements;
 * an idle intake begins at once. Where one cannot be kept, the others of its transaction are kept without it.
 */
export class Intake<Item, Result> {
  #waiting: Waiting<Item, Result>[] = [];
  #running = false;

  /** @param keep keeps all in one transaction, or none; results in the order of the items */
  constructor(private readonly keep: (items: readonly Item[]) => Promise<Result[]>) {}

  /** Resolves when it is durable. */
  take(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (!this.#running) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) await this.together(this.#waiting.splice(0, TOGETHER));
    this.#running = false;
  }

  private async together(group: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.keep(group.map(({ item }) => item));
      for (const [at, { resolve }] of group.entries()) resolve(results[at]!);
    } catch (error) {
      if (group.length === 1) group[0]?.reject(error);
      else for (const one of group) await this.together([one]);
    }
  }
}
