import { isList, isScalar, type JsonObject } from './json.js';
import type { Passes } from './mask.js';
import { camelCase } from './names.js';

/** Deepest level of a subtree that is copied: deeper answers are cut, so that no answer can exhaust the stack. */
const MAX_DEPTH = 32;

export interface Spelling {
  names: 'as-is' | 'camel';
  /** Names of members whose own members are data rather than names: they keep their spelling. */
  verbatim?: ReadonlySet<string>;
}

/** Copies whole subtrees but for the texts that a predicate refuses. */
export class SubtreeCopy {
  readonly #passes: Passes;
  readonly #camel: boolean;
  readonly #verbatim: ReadonlySet<string>;
  readonly #startsVerbatim: boolean;

  /** `path` is the template path of the place where the subtree begins. */
  constructor(passes: Passes, spelling: Spelling, path: string) {
    this.#passes = passes;
    this.#camel = spelling.names === 'camel';
    this.#verbatim = spelling.verbatim ?? new Set();
    this.#startsVerbatim = path.split(/[.[\]]+/).some((name) => this.#verbatim.has(name));
  }

  /** A copy of what stands under the member `name`; undefined when nothing of it passes. */
  value(value: unknown, name: string): unknown {
    return this.#copy(value, name, this.#startsVerbatim, 0);
  }

  /** Copies one member into `out`. */
  member(out: JsonObject, name: string, value: unknown): void {
    this.#member(out, name, value, this.#startsVerbatim, 0);
  }

  #member(out: JsonObject, name: string, value: unknown, verbatim: boolean, depth: number): void {
    // Set on a plain object this name would change its prototype rather than add a member.
    if (name === '__proto__') return;
    const kept = this.#copy(value, name, verbatim || this.#verbatim.has(name), depth);
    if (kept !== undefined) out[this.#camel && !verbatim ? camelCase(name) : name] = kept;
  }

  #copy(value: unknown, name: string, verbatim: boolean, depth: number): unknown {
    if (typeof value === 'string') return this.#passes(name, value) ? value : undefined;
    if (isScalar(value)) return value;
    if (depth >= MAX_DEPTH) return undefined;
    if (isList(value)) {
      const list: unknown[] = [];
      for (const item of value) {
        const kept = this.#copy(item, name, verbatim, depth + 1);
        if (kept !== undefined) list.push(kept);
      }
      return list;
    }
    const out: JsonObject = {};
    for (const [member, inner] of Object.entries(value ?? {})) this.#member(out, member, inner, verbatim, depth + 1);
    return out;
  }
}
