/** A step as a node: its name and those that it waits for. */
export interface Node {
  name: string;
  after: readonly string[];
}

/** All steps that must have ended before `name` begins. */
export function ancestorsOf(nodes: readonly Node[], name: string): Set<string> {
  const found = new Set<string>();
  const visit = (one: string): void => {
    for (const before of nodes.find((node) => node.name === one)?.after ?? []) {
      if (found.has(before)) continue;
      found.add(before);
      visit(before);
    }
  };
  visit(name);
  return found;
}

/** Each after all that it waits for; those that stand in a cycle or behind one are left out. */
export function inOrder<T extends Node>(nodes: readonly T[]): T[] {
  const sorted: T[] = [];
  const placed = new Set<string>();
  for (let before = -1; before !== sorted.length;) {
    before = sorted.length;
    for (const node of nodes) {
      if (placed.has(node.name) || !node.after.every((name) => placed.has(name))) continue;
      placed.add(node.name);
      sorted.push(node);
    }
  }
  return sorted;
}
