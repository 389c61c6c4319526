import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { codeOf } from './errors.js';

/** A process for certain: the kernel gives a pid to another process in time, but never with the same start. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot (`/proc/<pid>/stat`, field 22), or `unknown` where the kernel does not tell. */
  readonly started: string;
}

const UNKNOWN = 'unknown';

/** The process that has this pid now; undefined when there is none, or only a zombie that nobody has reaped. */
export function identify(pid: number): ProcessIdentity | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    // Without /proc, or with the processes of others hidden in it, only the pid can be asked for.
    return answersToSignal(pid) ? { pid, started: UNKNOWN } : undefined;
  }
  // The second field is the program's name in parentheses, and may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  if (state === 'Z' || state === 'X') return undefined;
  return { pid, started: fields[19] ?? UNKNOWN };
}

export function isAlive(process: ProcessIdentity): boolean {
  const now = identify(process.pid);
  if (now === undefined) return false;
  return now.started === process.started || now.started === UNKNOWN || process.started === UNKNOWN;
}

/** Pids of the processes whose working folder is this one (a real path). Those of other users are not seen, but by root. */
export function processesIn(folder: string): number[] {
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  return pids.filter((pid) => workingFolderOf(pid) === folder && identify(pid) !== undefined);
}

/** The working folder of a process, or undefined when it is gone or another user's. */
export function workingFolderOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

/** Sends a signal; a process that is gone already is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

function answersToSignal(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
