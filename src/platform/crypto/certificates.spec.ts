import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ConfigError } from '../config/load.js';
import { readCertificates } from './certificates.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'gatehouse-certificates-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function file(text: string): string {
  const path = join(dir, 'ca.pem');
  writeFileSync(path, text);
  return path;
}

it('gives a file that holds certificates', () => {
  const pem = rootCertificates.slice(0, 2).join('\n');
  expect(readCertificates(file(pem), 'a.caFile')).toBe(pem);
});

it.each([
  ['', 'holds no certificate'],
  ['-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n', 'holds no certificate'],
  ['-----BEGIN CERTIFICATE-----\nMC4=\n-----END CERTIFICATE-----\n', 'cannot be read'],
])('refuses %j by the name of the setting', (pem, reason) => {
  const read = (): string => readCertificates(file(pem), 'a.caFile');
  expect(read).toThrow(ConfigError);
  expect(read).toThrow(`a.caFile: the file it names holds`);
  expect(read).toThrow(reason);
});

it('refuses a file that is not there', () => {
  expect(() => readCertificates(join(dir, 'none.pem'), 'a.caFile')).toThrow(
    'a.caFile: the file it names cannot be read',
  );
});
