import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, YAMLParseError } from 'yaml';
import { type Scenario, scenarioSchema } from './schema.js';

const SHIPPED = join(import.meta.dirname, '..', 'scenarios');

/** A scenario that cannot be played: each line points into the file (RFC 6901) and says what is wrong there, never the value. */
export class ScenarioError extends Error {
  constructor(
    readonly file: string,
    readonly problems: readonly { pointer: string; message: string }[],
  ) {
    super(
      problems.map(({ pointer, message }) => `${file}: ${pointer === '' ? 'the file' : pointer} ${message}`).join('\n'),
    );
    this.name = 'ScenarioError';
  }
}

export interface ReadScenario {
  scenario: Scenario;
  /** SHA-256 of the file, hex. */
  digest: string;
}

/** Names of the scenarios that ship. */
export function shippedScenarios(): string[] {
  return readdirSync(SHIPPED)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .sort();
}

/** @param nameOrFile a shipped scenario’s name, or a path. @throws ScenarioError */
export function readScenario(nameOrFile: string): ReadScenario {
  const file = shippedScenarios().includes(nameOrFile) ? join(SHIPPED, `${nameOrFile}.yaml`) : nameOrFile;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    const message = `cannot be read, and no scenario that ships has that name; there are ${shippedScenarios().join(', ')}`;
    throw new ScenarioError(nameOrFile, [{ pointer: '', message }]);
  }
  return { scenario: parseScenario(text, nameOrFile), digest: createHash('sha256').update(text).digest('hex') };
}

/** @throws ScenarioError */
export function parseScenario(text: string, file: string): Scenario {
  let tree: unknown;
  try {
    tree = parse(text, { maxAliasCount: 0, uniqueKeys: true });
  } catch (error) {
    const line = error instanceof YAMLParseError ? (error.linePos?.[0].line ?? 1) : 1;
    throw new ScenarioError(file, [{ pointer: '', message: `is not valid YAML (line ${line})` }]);
  }
  const parsed = scenarioSchema.safeParse(tree);
  if (parsed.success) return parsed.data;
  throw new ScenarioError(
    file,
    parsed.error.issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({ pointer: pointerOf([...issue.path, key]), message: 'is no member of a scenario' }))
        : [{ pointer: pointerOf(issue.path), message: issue.message }],
    ),
  );
}

function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
