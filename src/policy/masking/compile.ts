import { type Spelling, SubtreeCopy } from './copy.js';
import { isList, isObject, isScalar, type JsonObject, type Scalar } from './json.js';
import type { ExtraMethod, MaskNode, Passes } from './mask.js';
import { methodOf, type Pseudonymize } from './methods.js';
import { camelCase } from './names.js';
import { tighten } from './tighten.js';

/** Most paths told of one answer. */
const MAX_TOLD = 32;
const NOTHING: readonly string[] = Object.freeze([]);

/** `names` is the spelling of members in the answer; the mask and its paths are always in the vendor's own. */
export interface MaskOptions extends Spelling {
  pseudonymize: Pseudonymize;
  /** Refuses texts that a scalar's methods would let through. */
  guard?: Passes;
  /** Methods by path on top of the mask. */
  extra?: Readonly<Record<string, ExtraMethod>>;
}

export interface Masked {
  /** What may be shown; undefined when nothing of it may. */
  value: unknown;
  /**
   * Template paths of members that nobody listed, or that had another shape than listed: lists as `[]`, names outside the mask's own
   * vocabulary as `*`, since a caller may have chosen them. Without repeats, at most 32.
   */
  unlisted: readonly string[];
}

export type CompiledMask = (input: unknown) => Masked;

/** undefined: dropped. */
type Rule<T = unknown> = (value: T, run: Run) => unknown;
type OtherMember = (out: JsonObject, name: string, value: unknown, run: Run) => void;

interface Run {
  told: Set<string> | undefined;
}

/**
 * Turns a mask into closures once, so that an answer costs one walk over what it holds. Pure: neither input nor mask is changed.
 * @throws Error naming the path when one of `extra` is malformed.
 */
export function compileMask(mask: MaskNode, options: MaskOptions): CompiledMask {
  const rule = new Compiler(mask, options).rule(tighten(mask, options.extra ?? {}), '', '');
  return (input) => {
    const run: Run = { told: undefined };
    const value = rule(input, run);
    return { value, unlisted: run.told === undefined ? NOTHING : [...run.told] };
  };
}

class Compiler {
  readonly #options: MaskOptions;
  /** Every name that the mask itself mentions: only these may be told of, wherever they turn up. */
  readonly #vocabulary = new Set<string>();

  constructor(mask: MaskNode, options: MaskOptions) {
    this.#options = options;
    this.#learn(mask);
  }

  /** The closure for one place. `path` is its template path, `name` the nearest member name above it. */
  rule(node: MaskNode, path: string, name: string): Rule {
    const scalar = this.#scalar(node, path, name);
    const object = this.#object(node, path, name);
    const list = this.#list(node, path, name);
    const known = !scalar && !object && !list;
    return (value, run) => {
      if (isList(value)) {
        if (list) return list(value, run);
      } else if (isObject(value)) {
        if (object) return object(value, run);
      } else if (isScalar(value)) {
        if (scalar) return scalar(value, run);
        // null says nothing but that there is nothing: it passes wherever anything might have stood.
        if (value === null && !known) return null;
      }
      if (!known) tell(run, path);
      return undefined;
    };
  }

  #scalar(node: MaskNode, path: string, name: string): Rule<Scalar> | undefined {
    if (node.scalar === undefined && node.rest === undefined) return undefined;
    const guard = node.guard ?? (node.scalar === undefined ? node.rest : this.#options.guard);
    const methods = (node.scalar ?? []).map((method) => methodOf(method, path, this.#options.pseudonymize));
    return (value) => {
      if (typeof value === 'string' && guard !== undefined && !guard(name, value)) return undefined;
      let kept: Scalar | undefined = value;
      for (const method of methods) {
        kept = method(kept);
        if (kept === undefined) return undefined;
      }
      return kept;
    };
  }

  #list(node: MaskNode, path: string, name: string): Rule<readonly unknown[]> | undefined {
    if (node.each === undefined) return this.#copyRule(node, path, name);
    const each = this.rule(node.each, `${path}[]`, name);
    return (value, run) => {
      const out: unknown[] = [];
      for (const item of value) {
        const kept = each(item, run);
        if (kept !== undefined) out.push(kept);
      }
      return out;
    };
  }

  #object(node: MaskNode, path: string, name: string): Rule<JsonObject> | undefined {
    if (node.members === undefined) return this.#copyRule(node, path, name);
    const rules = new Map<string, { to: string; rule: Rule }>();
    for (const [member, inner] of Object.entries(node.members)) {
      const to = this.#options.names === 'camel' ? camelCase(member) : member;
      rules.set(member, { to, rule: this.rule(inner, join(path, member), member) });
    }
    const other = this.#other(node, path);
    return (value, run) => {
      const out: JsonObject = {};
      for (const member of Object.keys(value)) {
        const known = rules.get(member);
        if (known === undefined) {
          other(out, member, value[member], run);
          continue;
        }
        const kept = known.rule(value[member], run);
        if (kept !== undefined) out[known.to] = kept;
      }
      return out;
    };
  }

  #other(node: MaskNode, path: string): OtherMember {
    if (node.rest !== undefined) {
      const copy = new SubtreeCopy(node.rest, this.#options, path);
      return (out, name, value) => copy.member(out, name, value);
    }
    const unknown = join(path, '*');
    return (_out, name, _value, run) => tell(run, this.#vocabulary.has(name) ? join(path, name) : unknown);
  }

  #copyRule(node: MaskNode, path: string, name: string): Rule | undefined {
    if (node.rest === undefined) return undefined;
    const copy = new SubtreeCopy(node.rest, this.#options, path);
    return (value) => copy.value(value, name);
  }

  #learn(node: MaskNode): void {
    for (const [name, member] of Object.entries(node.members ?? {})) {
      this.#vocabulary.add(name);
      this.#learn(member);
    }
    if (node.each !== undefined) this.#learn(node.each);
  }
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function tell(run: Run, path: string): void {
  run.told ??= new Set();
  if (run.told.size < MAX_TOLD) run.told.add(path);
}
