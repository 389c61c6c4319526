/** What may be done to one scalar. `number` lets numbers alone pass: a score cannot carry a name. */
export type MaskMethod = 'keep' | 'number' | 'last4' | 'pseudonym' | 'year';

/** What an operator may add by path; each of them can only say less than the mask it is laid upon. */
export type ExtraMethod = 'drop' | 'last4' | 'pseudonym' | 'year';

/** Whether a text may pass, given the name of the member that holds it (or whose list holds it). */
export type Passes = (name: string, text: string) => boolean;

/**
 * One place of an answer, by the kinds of JSON that may stand there. What no facet names is dropped: answers are built from allow-lists
 * (rule 3), so `{}` lets nothing through.
 */
export interface MaskNode {
  /** Scalars pass through these methods, one after the other. */
  readonly scalar?: readonly MaskMethod[];
  /** Stands in for the compiled mask's own guard on this place's texts. */
  readonly guard?: Passes;
  /** Members of an object; others are dropped and told, unless `rest` says otherwise. */
  readonly members?: Readonly<Record<string, MaskNode>>;
  /** Elements of a list. */
  readonly each?: MaskNode;
  /** Whatever no other facet names passes with all that is below it, but for texts that this refuses. For callers with `pii:read` only. */
  readonly rest?: Passes;
}

const ANY: Passes = () => true;

/** A scalar under one method. */
export const leaf = (method: MaskMethod): MaskNode => ({ scalar: [method] });

/** A scalar that passes as it is, whatever it looks like: for words that are the caller's own. */
export const exempt: MaskNode = { scalar: ['keep'], guard: ANY };

/** Known, and never let through; unlike an unlisted member it is no news. */
export const dropped: MaskNode = {};

/** An object of these members and no others. */
export const fields = (members: Readonly<Record<string, MaskNode>>): MaskNode => ({ members });

export const list = (each: MaskNode): MaskNode => ({ each });

/** The whole of what stands there, but for texts that `passes` refuses. */
export const subtree = (passes: Passes): MaskNode => ({ rest: passes });

/** Members under one node each; an argument may hold several names, parted by blanks: `members(dropped, 'first_name last_name')`. */
export function members(node: MaskNode, ...names: string[]): Record<string, MaskNode> {
  return Object.fromEntries(names.flatMap((text) => text.split(/\s+/)).map((name) => [name, node]));
}

/** A place where several kinds of JSON may stand; a later facet wins over an earlier one of the same kind. */
export const either = (...nodes: MaskNode[]): MaskNode => {
  let merged: MaskNode = {};
  for (const node of nodes) merged = { ...merged, ...node };
  return merged;
};
