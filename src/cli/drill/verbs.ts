import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Caller,
  type DrillReport,
  play,
  readScenario,
  type ReadScenario,
  reportPage,
  ScenarioError,
  shippedScenarios,
} from '../../drills/index.js';
import { whatIsMissing } from './needs.js';
import { OwnSystem } from './own-system.js';
import { runningGateway, runThere, stopThere } from './running.js';

interface RunOptions {
  json?: boolean;
  out?: string;
  url?: string;
  client?: string[];
  fileAt?: string;
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

/** `gatehouse drill run NAME|FILE…`: exits 0 when every expectation was met, 1 when not, 2 when one could not be played here. */
export async function drillRunVerb(namesOrFiles: string[], options: RunOptions): Promise<void> {
  const tell: Tell = (line) => void (options.json === true ? process.stderr : process.stdout).write(`${line}\n`);
  try {
    const scenarios = namesOrFiles.map((nameOrFile) => readScenario(nameOrFile));
    if (options.url === undefined) await runOwn(scenarios, options, tell);
    else for (const read of scenarios) await runRunning(read, options.url, options, tell);
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

/** `gatehouse drill stop --url …`: the kill switch. */
export async function drillStopVerb({ url }: { url: string }): Promise<void> {
  const caller = runningGateway(url, process.env);
  try {
    const stopped = await stopThere(caller);
    process.stdout.write(`stopped: ${stopped.join(', ') || 'nothing was running'}\n`);
  } finally {
    await caller.close();
  }
}

type Tell = (line: string) => void;

/** One after the other on one system; what cannot be played here is left out. */
async function runOwn(asked: readonly ReadScenario[], options: RunOptions, tell: Tell): Promise<void> {
  const scenarios = asked.filter(({ scenario }) => {
    const missing = whatIsMissing(scenario);
    if (missing === undefined) return true;
    tell(`${scenario.name} is skipped: ${missing}`);
    process.exitCode = 2;
    return false;
  });
  if (scenarios.length === 0) return;
  tell('a system of its own is started');
  const system = await OwnSystem.open(scenarios.map(({ scenario }) => scenario));
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void system.close().finally(() => process.exit(1)));
  try {
    for (const read of scenarios) {
      tell(`${read.scenario.name}: begins`);
      const report = await play(read, system, tell);
      await file(system.caller, report);
      if (options.fileAt !== undefined) {
        const id = await fileAt(options.fileAt, report);
        tell(`filed at ${options.fileAt} as drill ${id}, to be signed by another person`);
      }
      say(report, options, tell);
    }
  } finally {
    await system.close();
  }
}

async function runRunning(read: ReadScenario, url: string, options: RunOptions, tell: Tell): Promise<void> {
  const caller = runningGateway(url, process.env);
  try {
    say(await runThere(caller, read, options.client, tell), options, tell);
  } finally {
    await caller.close();
  }
}

async function fileAt(url: string, report: DrillReport): Promise<string> {
  const caller = runningGateway(url, process.env);
  try {
    return await file(caller, report);
  } finally {
    await caller.close();
  }
}

/** In the log of that gateway. @returns the id under which it is signed */
async function file(caller: Caller, report: DrillReport): Promise<string> {
  const answer = await caller.admin('/drills/rehearsals', { body: report });
  if (answer.status !== 201 || answer.body['reportDigest'] !== digestOf(JSON.stringify(report)))
    throw new Error(`the report could not be filed (${answer.status} ${answer.text.slice(0, 300)})`);
  return String(answer.body['id']);
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function say(report: DrillReport, { json, out }: RunOptions, tell: Tell): void {
  const text = JSON.stringify(report);
  const digest = digestOf(text);
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
