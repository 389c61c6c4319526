import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConfigError } from '../config/load.js';
import { codeOf } from './errors.js';
import { createFileOnce } from './files.js';

const MASTER_KEY_SETTING = 'GATEHOUSE_MASTER_KEY_FILE';
const LOG_KEY_SETTING = 'GATEHOUSE_LOG_KEY_FILE';
const MASTER_KEY_BYTES = 32;
const OTHERS_READ_OR_WRITE = 0o006;

export interface KeyFiles {
  readonly masterKeyFile: string;
  readonly logKeyFile: string;
}

/** Makes the master key where the file is missing, and reads it. Processes that race for it all get the same key. */
export async function ensureMasterKey(file: string): Promise<Buffer> {
  await ensureFile(file, newMasterKey);
  return readMasterKey(file);
}

/** Makes the log's signing key where the file is missing, and reads it. Processes that race for it all get the same key. */
export async function ensureLogKey(file: string): Promise<KeyObject> {
  await ensureFile(file, newLogKey);
  return readLogKey(file);
}

/** The 32 bytes of `GATEHOUSE_MASTER_KEY_FILE` (base64). @throws ConfigError that names the setting and no content */
export function readMasterKey(file: string): Buffer {
  const text = readPrivateFile(file, MASTER_KEY_SETTING).trim();
  const key = Buffer.from(text, 'base64');
  // Buffer skips what is not base64 without a word, so only a text that comes back the same was one.
  if (key.length !== MASTER_KEY_BYTES || key.toString('base64') !== text) {
    throw new ConfigError('the file it names must hold 32 bytes in base64', MASTER_KEY_SETTING);
  }
  return key;
}

/** The Ed25519 private key of `GATEHOUSE_LOG_KEY_FILE` (PKCS#8, PEM). @throws ConfigError that names the setting and no content */
export function readLogKey(file: string): KeyObject {
  const pem = readPrivateFile(file, LOG_KEY_SETTING);
  let key: KeyObject | undefined;
  try {
    key = createPrivateKey({ key: pem, format: 'pem', type: 'pkcs8' });
  } catch {
    key = undefined;
  }
  if (key?.asymmetricKeyType !== 'ed25519') {
    throw new ConfigError(
      'the file it names must hold an Ed25519 private key (PKCS#8, PEM, unencrypted)',
      LOG_KEY_SETTING,
    );
  }
  return key;
}

/** Makes `master.key` and `log.key` in the folder for a production start; a key that exists is never overwritten. */
export async function generateKeyFiles(dir: string): Promise<KeyFiles> {
  const files = { masterKeyFile: join(dir, 'master.key'), logKeyFile: join(dir, 'log.key') };
  for (const file of [files.masterKeyFile, files.logKeyFile]) {
    if (existsSync(file)) throw new ConfigError('exists already, and a key is never overwritten', file);
  }
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await createNew(files.masterKeyFile, newMasterKey());
  await createNew(files.logKeyFile, newLogKey());
  return files;
}

async function createNew(file: string, content: string): Promise<void> {
  if (await createFileOnce(file, content, 0o600)) return;
  throw new ConfigError('exists already, and a key is never overwritten', file);
}

async function ensureFile(file: string, make: () => string): Promise<void> {
  if (existsSync(file)) return;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await createFileOnce(file, make(), 0o600);
}

function newMasterKey(): string {
  return `${randomBytes(MASTER_KEY_BYTES).toString('base64')}\n`;
}

function newLogKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}

/** Group access is let pass, since secrets are often mounted for a group; access for everybody never is meant. */
function readPrivateFile(file: string, setting: string): string {
  let content: string;
  let mode: number;
  try {
    mode = statSync(file).mode;
    content = readFileSync(file, 'utf8');
  } catch (error) {
    const why =
      codeOf(error) === 'ENOENT'
        ? 'does not exist (`gatehouse keygen DIR` makes one)'
        : `cannot be read (${codeOf(error)})`;
    throw new ConfigError(`the file it names ${why}`, setting);
  }
  if ((mode & OTHERS_READ_OR_WRITE) !== 0) {
    throw new ConfigError(
      'the file it names is open to every user of the machine; take that right away (`chmod o-rwx`)',
      setting,
    );
  }
  return content;
}
