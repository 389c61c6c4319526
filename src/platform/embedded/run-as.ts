import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConfigError } from '../config/load.js';
import { codeOf } from '../development/errors.js';

/** The user a child process runs as, in the shape that `spawn` takes. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

/** All that PostgreSQL's programs are told: no `PG…` variable of the caller may lead them elsewhere. */
export const POSTGRES_ENV: NodeJS.ProcessEnv = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/**
 * PostgreSQL refuses to run as root: root starts it as `nobody`. Undefined for every other user, who runs it as themselves.
 * The user must be in /etc/passwd, since initdb looks up its own name.
 */
export function unprivilegedUser(passwd: () => string = () => readFileSync('/etc/passwd', 'utf8')): RunAs | undefined {
  if (process.geteuid?.() !== 0) return undefined;
  const users = passwd()
    .split('\n')
    .map((line) => line.split(':'));
  const nobody = users.find(([name]) => name === 'nobody') ?? users.find(([, , uid]) => uid === '65534');
  const [, , uid, gid] = nobody ?? [];
  if (uid === undefined || gid === undefined || Number(uid) === 0) {
    throw new ConfigError(
      'must be given when root starts the gateway on a machine that has no user "nobody": the embedded PostgreSQL refuses to run as root',
      'DATABASE_URL',
    );
  }
  return { uid: Number(uid), gid: Number(gid) };
}

/** Whether the user may pass through every folder on the way to this one, and through it. */
export async function canEnter(folder: string, user: RunAs): Promise<boolean> {
  let path = await realpath(folder);
  for (;;) {
    const { mode, uid, gid } = await stat(path);
    const right = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & right) === 0) return false;
    const parent = dirname(path);
    if (parent === path) return true;
    path = parent;
  }
}

/** Runs a program of PostgreSQL to its end; undefined when it went well, else the last it said. */
export async function runProgram(
  program: string,
  args: readonly string[],
  user: RunAs | undefined,
  timeout: number,
): Promise<string | undefined> {
  return await new Promise((done) => {
    const options = { ...user, cwd: '/', env: POSTGRES_ENV, timeout };
    execFile(program, args, options, (error, _stdout, stderr) => {
      if (error === null) return done(undefined);
      const said = stderr.trim().split('\n').slice(-3).join(' ');
      return done(said || codeOf(error) || 'it did not end in time');
    });
  });
}
