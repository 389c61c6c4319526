interface Timer {
  readonly dueAt: number;
  readonly task: (dueAt: number) => void;
}

/** Longest wait that a Node.js timer takes; longer ones are asked for again. */
const longestWait = 2 ** 31 - 1;

/**
 * The clock of retries and expiries. It runs with the wall clock until somebody moves it on;
 * time stamps and signatures never come from it.
 */
export class SandboxClock {
  #offset = 0;
  #timers: Timer[] = [];
  #wake: NodeJS.Timeout | undefined;

  wall(): number {
    return Date.now();
  }

  now(): number {
    return Date.now() + this.#offset;
  }

  get offset(): number {
    return this.#offset;
  }

  /** Runs `task` at that instant of this clock, telling it the instant it was due. */
  at(dueAt: number, task: (dueAt: number) => void): void {
    const index = this.#timers.findIndex((timer) => timer.dueAt > dueAt);
    this.#timers.splice(index === -1 ? this.#timers.length : index, 0, { dueAt, task });
    this.#arm();
  }

  /** Moves on and runs, in order, what has become due. */
  advance(ms: number): void {
    this.#offset += ms;
    this.#run();
  }

  reset(): void {
    this.#offset = 0;
    this.stop();
  }

  stop(): void {
    clearTimeout(this.#wake);
    this.#timers = [];
  }

  #run(): void {
    const now = this.now();
    while (this.#timers[0] !== undefined && this.#timers[0].dueAt <= now) {
      const timer = this.#timers.shift();
      timer?.task(timer.dueAt);
    }
    this.#arm();
  }

  #arm(): void {
    clearTimeout(this.#wake);
    const next = this.#timers[0];
    if (next === undefined) return;
    this.#wake = setTimeout(() => this.#run(), Math.min(Math.max(next.dueAt - this.now(), 0), longestWait));
    this.#wake.unref();
  }
}
