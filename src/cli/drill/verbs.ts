import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type DrillReport,
  play,
  readScenario,
  reportPage,
  ScenarioError,
  shippedScenarios,
} from '../../drills/index.js';
import { OwnSystem } from './own-system.js';
import { NotInstalled } from './valkey.js';

interface RunOptions {
  json?: boolean;
  out?: string;
  url?: string;
}

/** `gatehouse drill list` */
export function drillListVerb(): void {
  for (const name of shippedScenarios()) {
    const { scenario } = readScenario(name);
    process.stdout.write(`${name.padEnd(28)} ${scenario.purpose.replaceAll(/\s+/g, ' ').trim()}\n`);
  }
}

/** `gatehouse drill check FILE` */
export function drillCheckVerb(file: string): void {
  try {
    const { scenario, digest } = readScenario(file);
    process.stdout.write(`${file} is a valid scenario (${scenario.name}); SHA-256 ${digest}\n`);
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

/** `gatehouse drill run NAME|FILE`: exits 0 when every expectation was met, 1 when not, 2 when it could not be played here. */
export async function drillRunVerb(nameOrFile: string, options: RunOptions): Promise<void> {
  const tell = (line: string): void =>
    void (options.json === true ? process.stderr : process.stdout).write(`${line}\n`);
  try {
    const read = readScenario(nameOrFile);
    tell(`${read.scenario.name}: a system of its own is started`);
    const system = await OwnSystem.open(read.scenario);
    try {
      const report = await play(read, system, tell);
      const filed = await file(system, report);
      say(report, filed, options, tell);
    } finally {
      await system.close();
    }
  } catch (error) {
    if (error instanceof NotInstalled) {
      tell(`skipped: ${error.message}`);
      process.exitCode = 2;
    } else if (error instanceof ScenarioError) {
      process.stderr.write(`${error.message}\n`);
      process.exitCode = 1;
    } else throw error;
  }
}

interface Filed {
  digest: string;
  text: string;
}

/** In the log of the system that it was played on. */
async function file(system: OwnSystem, report: DrillReport): Promise<Filed> {
  const text = JSON.stringify(report);
  const digest = createHash('sha256').update(text).digest('hex');
  const answer = await system.caller.admin('/drills/rehearsals', { body: report });
  if (answer.status !== 201 || answer.body['reportDigest'] !== digest)
    throw new Error(`the report could not be filed (${answer.status} ${answer.text.slice(0, 300)})`);
  return { digest, text };
}

function say(
  report: DrillReport,
  { digest, text }: Filed,
  { json, out }: RunOptions,
  tell: (line: string) => void,
): void {
  for (const { met, what, expected, measured } of report.expectations)
    tell(`${met ? 'met    ' : 'NOT MET'}  ${what}: ${measured} (${expected})`);
  tell(`${report.scenario.name} ${report.passed ? 'passed' : 'did not pass'}; report SHA-256 ${digest}`);
  if (out !== undefined) {
    mkdirSync(out, { recursive: true });
    writeFileSync(join(out, `${report.scenario.name}.json`), text);
    writeFileSync(join(out, `${report.scenario.name}.html`), reportPage(report, digest));
    tell(`written to ${join(out, report.scenario.name)}.html and .json`);
  }
  if (json === true) process.stdout.write(`${text}\n`);
  if (!report.passed) process.exitCode = 1;
}
