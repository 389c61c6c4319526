import type { ExtraMethod, MaskMethod, MaskNode } from './mask.js';

const STEP = /^(?:\[\]|\.?([^.[\]]+))/;

/** One step of a path: the name of a member, or null for every element of a list. */
type Step = string | null;

/**
 * Reads `id_verifications[].document_number`: members joined by dots, `[]` for the elements of a list.
 * @throws Error naming the path when it is not of that form.
 */
export function parsePath(path: string): Step[] {
  const steps: Step[] = [];
  let rest = path;
  while (rest !== '') {
    const found = STEP.exec(rest);
    const dotted = rest.startsWith('.');
    const atStart = steps.length === 0;
    // A dot joins and never begins; without one, only `[]` or the very first member may follow.
    if (!found || (dotted && atStart) || (!dotted && !atStart && found[1] !== undefined))
      throw new Error(`"${path}" is not a path such as id_verifications[].document_number`);
    steps.push(found[1] ?? null);
    rest = rest.slice(found[0].length);
  }
  if (steps.length === 0) throw new Error('a path of a mask is empty');
  return steps;
}

/** Lays further methods upon a mask. Nothing that the mask drops comes back: an extra method can only say less. */
export function tighten(mask: MaskNode, extra: Readonly<Record<string, ExtraMethod>>): MaskNode {
  let tightened = mask;
  for (const [path, method] of Object.entries(extra)) tightened = at(tightened, parsePath(path), method);
  return tightened;
}

function at(node: MaskNode, [step, ...further]: Step[], method: ExtraMethod): MaskNode {
  if (step === undefined) return method === 'drop' ? {} : narrowed(node, method);
  const below = node.rest === undefined ? undefined : { rest: node.rest };
  if (step === null) {
    const each = node.each ?? below;
    return each === undefined ? node : { ...node, each: at(each, further, method) };
  }
  const member = node.members !== undefined && Object.hasOwn(node.members, step) ? node.members[step] : below;
  return member === undefined ? node : { ...node, members: { ...node.members, [step]: at(member, further, method) } };
}

/** The method after those that stand there already: last four of a year is nothing, a pseudonym of last four is one of four characters. */
function narrowed(node: MaskNode, method: MaskMethod): MaskNode {
  if (node.scalar !== undefined) {
    const scalar = node.scalar.includes(method) ? node.scalar : [...node.scalar, method];
    return { scalar, ...(node.guard === undefined ? {} : { guard: node.guard }) };
  }
  return node.rest === undefined ? {} : { scalar: [method], guard: node.rest };
}
