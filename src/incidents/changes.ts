/** One changed member of an incident: a JSON pointer, and what it was and is as JSON text (records hold no fractions). */
export interface Change {
  member: string;
  before?: string;
  after?: string;
}

/** Free text of people: that it changed is told, what it says is not. */
const TEXTS = new Set(['/title', '/description', '/maintenanceWindow/description']);
/** More than an incident has members. */
const MOST_CHANGES = 100;

/** What differs between two states of an incident's document, value by value; a value with its provenance is one. */
export function changesBetween(before: object, after: object): Change[] {
  const [old, fresh] = [leaves(before), leaves(after)];
  const members = [...new Set([...old.keys(), ...fresh.keys()])].filter(
    (member) => old.get(member) !== fresh.get(member),
  );
  return members.slice(0, MOST_CHANGES).map((member) => ({
    member,
    ...(TEXTS.has(member) ? {} : { ...told('before', old.get(member)), ...told('after', fresh.get(member)) }),
  }));
}

function told(name: 'before' | 'after', text: string | undefined): Partial<Change> {
  return text === undefined ? {} : { [name]: text };
}

function leaves(node: object, pointer = ''): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of Object.entries(node) as [string, unknown][]) {
    const path = `${pointer}/${name}`;
    if (isPart(value)) for (const [member, text] of leaves(value, path)) found.set(member, text);
    else if (value !== undefined && value !== null) found.set(path, JSON.stringify(value));
  }
  return found;
}

/** An object that is no value with its provenance. */
function isPart(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !('provenance' in value);
}
