import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { noteSigner, noteVerifier, parseNote, signersOf, signNote } from './note.js';

/** The note of golang.org/x/mod/sumdb/note's documentation and tests: who signs notes elsewhere, and how. */
const PETER = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const TEXT = [
  'If you think cryptography is the answer to your problem,',
  "then you don't know what your problem is.",
  '',
].join('\n');
const NOTE = `${TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;

const key = generateKeyPairSync('ed25519').privateKey;
const signer = noteSigner('example.com/log', key);

describe('a signed note', () => {
  it('of another implementation is read and verified', () => {
    const note = parseNote(NOTE);
    expect(note.text).toBe(TEXT);
    expect(signersOf(note, [noteVerifier(PETER)])).toHaveLength(1);
  });

  it('is signed by a key as others sign it', () => {
    // RFC 8410 section 10.3, a key that all have.
    const known = createPrivateKey(
      '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n',
    );
    const { verifier } = noteSigner('example.com/log', known);
    expect(verifier.vkey).toMatch(/^example\.com\/log\+[0-9a-f]{8}\+ARm\/RAlphM3\+hUG6wWfcO5bIUIaqMLa2ywxcOK1wMWbh$/);
    expect(noteVerifier(verifier.vkey).keyId).toBe(verifier.keyId);
  });

  it('bears several signatures, and those of unknown keys are passed over', () => {
    const other = noteSigner('example.com/log', generateKeyPairSync('ed25519').privateKey);
    const note = parseNote(signNote('text\n', [signer, other]));
    expect(signersOf(note, [other.verifier])).toEqual([other.verifier]);
    expect(signersOf(note, [signer.verifier, other.verifier])).toHaveLength(2);
    expect(signersOf(note, [])).toEqual([]);
  });

  it('with a changed text or signature of a known key is bad as a whole', () => {
    const note = signNote('text\n', [signer]);
    expect(() => signersOf(parseNote(note.replace('text', 'next')), [signer.verifier])).toThrow(TypeError);
    const { text, signatures } = parseNote(note);
    const [first] = signatures;
    const changed = Buffer.from(first?.signature ?? []);
    changed[5] = (changed[5] ?? 0) ^ 1;
    const bad = { text, signatures: [{ name: first?.name ?? '', keyId: first?.keyId ?? '', signature: changed }] };
    expect(() => signersOf(bad, [signer.verifier])).toThrow(TypeError);
  });

  it.each([
    ['nothing', ''],
    ['no signature', 'text\n\n'],
    ['no empty line', 'text\n— a AAAAAAAA\n'],
    ['no line end', signNote('text\n', [signer]).trimEnd()],
    ['a hyphen for the dash', signNote('text\n', [signer]).replace('—', '-')],
    ['a signature that is no base64', 'text\n\n— a !!!!\n'],
    ['a signature without bytes', 'text\n\n— a AAAA\n'],
  ])('is none: %s', (_, note) => {
    expect(() => parseNote(note)).toThrow(TypeError);
  });

  it.each(['', 'name', 'name+00000000+AAAA', PETER.replace('c74f20a3', 'c74f20a4'), PETER.replace('+ARpc', '+AhpC')])(
    'is not verified with %j for a key',
    (vkey) => {
      expect(() => noteVerifier(vkey)).toThrow(TypeError);
    },
  );
});
