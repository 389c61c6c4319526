import { generateKeyPairSync, randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../config/load.js';
import { ensureLogKey, ensureMasterKey, generateKeyFiles, readLogKey, readMasterKey } from './keys.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gatehouse-keys-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function put(content: string, mode = 0o600): string {
  const file = join(dir, 'key');
  writeFileSync(file, content);
  chmodSync(file, mode);
  return file;
}

function refusal(read: () => unknown): ConfigError {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

const pemOf = (key: ReturnType<typeof readLogKey>): string => key.export({ format: 'pem', type: 'pkcs8' }).toString();

describe('keys made where they are missing', () => {
  it('are made once, for the owner alone, also in a folder that is missing', async () => {
    const master = join(dir, 'new', 'master.key');
    const log = join(dir, 'new', 'log.key');
    const first = await ensureMasterKey(master);
    const firstLog = await ensureLogKey(log);
    expect(first).toHaveLength(32);
    expect(await ensureMasterKey(master)).toEqual(first);
    expect(pemOf(await ensureLogKey(log))).toBe(pemOf(firstLog));
    expect(statSync(master).mode & 0o777).toBe(0o600);
    expect(statSync(log).mode & 0o777).toBe(0o600);
  });

  it('are the same for all who race for them, and nothing else is left', async () => {
    const file = join(dir, 'master.key');
    const keys = await Promise.all(Array.from({ length: 16 }, async () => await ensureMasterKey(file)));
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1);
    expect(readdirSync(dir)).toEqual(['master.key']);
  });
});

describe('reading the master key', () => {
  it('takes 32 bytes in base64, with or without a line end', () => {
    const key = randomBytes(32);
    expect(readMasterKey(put(key.toString('base64')))).toEqual(key);
    expect(readMasterKey(put(`${key.toString('base64')}\r\n`))).toEqual(key);
  });

  it.each([
    ['too short', randomBytes(31).toString('base64')],
    ['too long', randomBytes(33).toString('base64')],
    ['hexadecimal', randomBytes(32).toString('hex')],
    ['no base64', `${'*'.repeat(43)}=`],
    ['empty', ''],
  ])('refuses one that is %s, naming the setting and not the content', (_what, content) => {
    const { message, setting } = refusal(() => readMasterKey(put(content)));
    expect(setting).toBe('GATEHOUSE_MASTER_KEY_FILE');
    expect(message).toBe('GATEHOUSE_MASTER_KEY_FILE: the file it names must hold 32 bytes in base64');
  });

  it('says that the file is missing, and how to make one', () => {
    expect(refusal(() => readMasterKey(join(dir, 'none'))).message).toMatch(/does not exist.*gatehouse keygen/);
  });

  it('refuses a file that every user can read, and lets a group pass', () => {
    const key = randomBytes(32).toString('base64');
    expect(refusal(() => readMasterKey(put(key, 0o644))).message).toMatch(/^GATEHOUSE_MASTER_KEY_FILE: .*chmod/);
    expect(readMasterKey(put(key, 0o640))).toHaveLength(32);
  });
});

describe('reading the key of the log', () => {
  it('takes Ed25519 as PKCS#8 in PEM', () => {
    const pem = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    expect(readLogKey(put(pem)).asymmetricKeyType).toBe('ed25519');
  });

  it.each([
    [
      'another algorithm',
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'pem', type: 'pkcs8' }),
    ],
    ['a public key', generateKeyPairSync('ed25519').publicKey.export({ format: 'pem', type: 'spki' })],
    ['no PEM', 'c2VjcmV0'],
  ])('refuses %s, naming the setting and not the content', (_what, content) => {
    const { message, setting } = refusal(() => readLogKey(put(content.toString())));
    expect(setting).toBe('GATEHOUSE_LOG_KEY_FILE');
    expect(message).toBe(
      'GATEHOUSE_LOG_KEY_FILE: the file it names must hold an Ed25519 private key (PKCS#8, PEM, unencrypted)',
    );
  });
});

describe('keygen', () => {
  it('makes both keys', async () => {
    const files = await generateKeyFiles(join(dir, 'keys'));
    expect(readMasterKey(files.masterKeyFile)).toHaveLength(32);
    expect(readLogKey(files.logKeyFile).asymmetricKeyType).toBe('ed25519');
  });

  it.each(['master.key', 'log.key'])('refuses where %s exists, and then makes neither', async (name) => {
    writeFileSync(join(dir, name), 'kept');
    await expect(generateKeyFiles(dir)).rejects.toThrow(`${name}: exists already`);
    expect(readFileSync(join(dir, name), 'utf8')).toBe('kept');
    expect(existsSync(join(dir, name === 'log.key' ? 'master.key' : 'log.key'))).toBe(false);
  });
});
