import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** Clock ticks a second: fixed at 100 on Linux for user space. */
const TICK_US = 10_000;

/** A process under measurement and those it started. */
export interface Measured {
  name: string;
  pids: () => number[];
  stop: () => Promise<void>;
}

/** CPU time of processes so far, user and system, in microseconds. */
export function cpuMicros(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * TICK_US;
}

export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid;
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** The first line that a process prints. */
export function firstLine(child: ChildProcess, wanted: (line: string) => boolean): Promise<string> {
  const { stdout } = child;
  if (!stdout) throw new Error('the output must be piped');
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`a process of the bench ended with ${code}`)));
    createInterface({ input: stdout }).on('line', (line) => wanted(line) && resolve(line));
  });
}

export async function nodeProcess(
  script: string,
  args: string[],
): Promise<{ child: ChildProcess; line: string; stop: () => Promise<void> }> {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const line = await firstLine(child, () => true);
  return { child, line, stop: () => ended(child) };
}

export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.removeAllListeners('exit');
  child.once('exit', () => undefined);
  const done = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  await Promise.race([gone, done]);
}

export function installed(program: string): boolean {
  return spawnSync('which', [program]).status === 0;
}
