import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { isAlive, type ProcessIdentity, signal } from '../development/processes.js';

// Its standard input ends when the process that holds the other end is gone, however it went. The working folder is asked for
// because by then the pid may be another process's.
const SCRIPT = `read -r word
[ "$word" = done ] && exit 0
[ "$(readlink "/proc/$1/cwd")" = "$2" ] && kill -INT "$1"`;

/** Sees to it that the postmaster does not outlive this process. */
export interface Keeper {
  /** From now on the postmaster is stopped at this process's exit. */
  watch(postmaster: ProcessIdentity, cluster: string): void;
  /** To be called when the postmaster is gone. */
  dismiss(): void;
}

/** @param evenIfKilled also after a SIGKILL, by a shell beside this process, that ends with it or when dismissed */
export function makeKeeper(evenIfKilled: boolean): Keeper {
  let release = (): void => undefined;
  return {
    watch(postmaster, cluster) {
      release();
      const guardian = evenIfKilled ? setGuardian(postmaster.pid, cluster) : undefined;
      const onExit = (): void => {
        if (isAlive(postmaster)) signal(postmaster.pid, 'SIGINT');
      };
      process.once('exit', onExit);
      release = () => {
        process.off('exit', onExit);
        guardian?.dismiss();
      };
    },
    dismiss: () => release(),
  };
}

function setGuardian(postmaster: number, cluster: string): { dismiss(): void } {
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'gatehouse-guardian', String(postmaster), cluster], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const input = child.stdin;
  child.on('error', () => undefined);
  input.on('error', () => undefined);
  child.unref();
  if (input instanceof Socket) input.unref();
  return { dismiss: () => void input.end('done\n') };
}
