import { readFileSync } from 'node:fs';
import { describeSiemVerdict, noteVerifier, type NoteVerifier, verifySiem } from '../audit/index.js';
import { ConfigError } from '../platform/index.js';
import type { VerifyVerbOptions } from './verify.js';

/** What would be ignored, and somebody would take for checked. */
const OF_OTHER_SOURCES = [
  ['url', '--url'],
  ['ca', '--ca'],
  ['archive', '--archive'],
  ['from', '--from'],
  ['to', '--to'],
  ['trustedCheckpoint', '--trusted-checkpoint'],
  ['anchors', '--anchors'],
] as const;

/** `gatehouse verify --siem FILE… --key VKEY_OR_FILE`: needs neither the gateway nor its database. */
export async function verifySiemVerb(options: VerifyVerbOptions & { siem?: string[] }): Promise<void> {
  for (const [name, option] of OF_OTHER_SOURCES)
    if (options[name] !== undefined) throw new ConfigError('is not for --siem: it is of another source', option);
  const keys = (options.key ?? []).flatMap(keysOf);
  if (keys.length === 0) throw new ConfigError('must be given with --siem: the public key of the log', '--key');
  if (keys.some(({ name }) => name !== keys[0]?.name))
    throw new ConfigError('must all be of one log: a log of another name is verified by itself', '--key');
  const verdict = await verifySiem(options.siem ?? [], keys).catch((error: unknown) => {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    throw new ConfigError(`a file cannot be read (${code ?? syscall})`, '--siem');
  });
  process.stdout.write(`${options.json === true ? JSON.stringify(verdict) : describeSiemVerdict(verdict)}\n`);
  process.exitCode = verdict.ok ? 0 : 1;
}

/** A key as it is published, or a file with one a line. */
function keysOf(keyOrFile: string): NoteVerifier[] {
  const isFile = !keyOrFile.includes('+');
  try {
    const lines = isFile ? readFileSync(keyOrFile, 'utf8').split('\n') : [keyOrFile];
    return lines
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .map(noteVerifier);
  } catch {
    throw new ConfigError('is neither a public key of a log (name+id+key) nor a file of such keys', '--key');
  }
}
