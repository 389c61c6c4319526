/** A proven run of records, and the tree's state at both of its ends, as digests: the next run must go on from where the last one stopped. */
export interface Covered {
  first: number;
  past: number;
  before: string;
  after: string;
}

/**
 * Runs that were proven, joined as they touch. Batches come in order and join into one; what stays apart is a gap.
 */
export class Coverage {
  #runs: Covered[] = [];

  get runs(): readonly Covered[] {
    return this.#runs;
  }

  /** @returns the number at which the log does not go on as the run beside it says; undefined when all fits. */
  add(run: Covered): number | undefined {
    const at = this.#runs.findLastIndex(({ first }) => first <= run.first) + 1;
    const [left, right] = [this.#runs[at - 1], this.#runs[at]];
    const broken =
      left?.past === run.first && left.after !== run.before
        ? run.first
        : left?.first === run.first && left.before !== run.before
          ? run.first
          : right?.first === run.past && right.before !== run.after
            ? run.past
            : undefined;
    const from = left !== undefined && left.past >= run.first ? at - 1 : at;
    let to = at;
    let joined = from < at && left !== undefined ? join(left, run) : run;
    for (let next = this.#runs[to]; next !== undefined && next.first <= joined.past; next = this.#runs[to]) {
      joined = join(joined, next);
      to += 1;
    }
    this.#runs.splice(from, to - from, joined);
    return broken;
  }
}

/** Two runs that touch or overlap, the first of which begins no later. */
function join(one: Covered, other: Covered): Covered {
  return other.past > one.past ? { ...one, past: other.past, after: other.after } : one;
}
