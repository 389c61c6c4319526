import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BLOCK = Buffer.alloc(1024 * 1024, 1);

/** A disk of its own, small, that can be filled to the last byte and emptied again. Needs the right to mount: root, or sudo without a password. */
export class SmallDisk {
  private constructor(
    private readonly dir: string,
    private readonly as: readonly string[],
  ) {}

  /** Whether this process may mount one here: not every container lets even root do so. */
  static canBeMade(): boolean {
    const dir = mkdtempSync(join(tmpdir(), 'gatehouse-disk-'));
    try {
      SmallDisk.under(dir, 1).remove();
      return true;
    } catch {
      return false;
    } finally {
      rmSync(dir, { recursive: true, force: true });
      rmSync(`${dir}.aside`, { recursive: true, force: true });
    }
  }

  /** Puts what is in a folder on a disk of so many megabytes, in the same place. Whoever uses the folder must not be at work. */
  static under(dir: string, megabytes: number): SmallDisk {
    const as = process.geteuid?.() === 0 ? [] : ['sudo', '-n'];
    const { uid, gid, mode } = statSync(dir);
    const aside = `${dir}.aside`;
    renameSync(dir, aside);
    mkdirSync(dir);
    run([...as, 'mount', '-t', 'tmpfs', '-o', `size=${megabytes}m,mode=${(mode & 0o777).toString(8)}`, 'small', dir]);
    run([...as, 'cp', '-a', `${aside}/.`, dir]);
    if (as.length === 0) {
      chownSync(dir, uid, gid);
      chmodSync(dir, mode & 0o777);
    }
    rmSync(aside, { recursive: true });
    return new SmallDisk(dir, as);
  }

  /** Nothing more goes on it until `free`. */
  async fill(): Promise<void> {
    const file = await open(this.filler, 'a');
    try {
      for (let size = BLOCK.length; size >= 1;) {
        try {
          await file.write(BLOCK, 0, size);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
          size = Math.floor(size / 2);
        }
      }
    } finally {
      await file.close();
    }
  }

  async free(): Promise<void> {
    await rm(this.filler, { force: true });
  }

  remove(): void {
    run([...this.as, 'umount', '-l', this.dir]);
  }

  private get filler(): string {
    return join(this.dir, 'filler');
  }
}

function run([program = '', ...args]: string[]): void {
  const done = spawnSync(program, args, { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${done.stderr || String(done.error)}`);
}
