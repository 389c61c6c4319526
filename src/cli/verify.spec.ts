import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { vkeyOf } from '../audit/index.js';
import { verifyVerb } from './verify.js';
import { verifySiemVerb } from './verify-siem.js';

const key = [vkeyOf('gatehouse.local/log', generateKeyPairSync('ed25519').privateKey)];

describe('options that would be ignored are refused by name', () => {
  it.each([
    ['--url', { url: 'https://gateway.example/log' }],
    ['--ca', { ca: 'ca.pem' }],
    ['--archive', { archive: 'dir' }],
    ['--from', { from: '0' }],
    ['--to', { to: '9' }],
    ['--trusted-checkpoint', { trustedCheckpoint: 'checkpoint' }],
    ['--anchors', { anchors: 'roots.pem' }],
  ])('%s with --siem', async (name, options) => {
    await expect(verifySiemVerb({ siem: ['export.jsonl'], key, ...options })).rejects.toThrow(
      `${name}: is not for --siem`,
    );
  });

  it('--archive with --url, and --ca without it', async () => {
    const url = 'https://gateway.example/log';
    await expect(verifyVerb({ url, archive: 'dir' })).rejects.toThrow('--archive: is another source');
    await expect(verifyVerb({ ca: 'ca.pem' })).rejects.toThrow('--ca: is for --url alone');
  });
});
