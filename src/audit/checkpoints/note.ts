import { createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';

/** Signed notes of C2SP (signed-note): a text, an empty line, and a line for each signature over the text. */

/** Signature type 0x01: Ed25519 (C2SP signed-note, "Signature types"). */
const ED25519 = 0x01;
const KEY_ID_BYTES = 4;
const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** A note with more is nobody's of ours. */
const MOST_SIGNATURES = 16;
const MOST_NOTE = 64 * 1024;
/** SubjectPublicKeyInfo of an Ed25519 key but for the key itself (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** Who signed, by name and key: what a verifier is given beforehand. */
export interface NoteVerifier {
  readonly name: string;
  /** First four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key), hex. */
  readonly keyId: string;
  /** `name+keyId+base64(type ‖ public key)`: the form in which keys are published. */
  readonly vkey: string;
  verify(text: string, signature: Buffer): boolean;
}

export interface NoteSigner {
  readonly verifier: NoteVerifier;
  sign(text: string): Buffer;
}

export interface NoteSignature {
  name: string;
  keyId: string;
  signature: Buffer;
}

export interface Note {
  /** With its last line end. */
  text: string;
  signatures: NoteSignature[];
}

/** Raw bytes of an Ed25519 key. */
function rawPublicKey(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length);
}

function verifierOf(name: string, raw: Buffer): NoteVerifier {
  const typed = Buffer.concat([Buffer.from([ED25519]), raw]);
  const keyId = hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), typed]), 'buffer')
    .subarray(0, KEY_ID_BYTES)
    .toString('hex');
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' });
  return {
    name,
    keyId,
    vkey: `${name}+${keyId}+${typed.toString('base64')}`,
    verify: (text, signature) =>
      signature.length === SIGNATURE_BYTES && verify(null, Buffer.from(text), key, signature),
  };
}

/** @param key an Ed25519 private key */
export function noteSigner(name: string, key: KeyObject): NoteSigner {
  return { verifier: verifierOf(name, rawPublicKey(key)), sign: (text) => sign(null, Buffer.from(text), key) };
}

/** The published form of a signing key. */
export function vkeyOf(name: string, key: KeyObject): string {
  return verifierOf(name, rawPublicKey(key)).vkey;
}

/** @param vkey a published key. @throws TypeError when it is none, or one of another kind than Ed25519 */
export function noteVerifier(vkey: string): NoteVerifier {
  const [, name = '', keyId = '', encoded = ''] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(vkey) ?? [];
  const typed = Buffer.from(encoded, 'base64');
  if (typed.length !== 1 + PUBLIC_KEY_BYTES || typed[0] !== ED25519)
    throw new TypeError('no Ed25519 key of a signed note');
  const verifier = verifierOf(name, typed.subarray(1));
  if (verifier.keyId !== keyId) throw new TypeError('the id of the key is not that of its bytes');
  return verifier;
}

/** @param text ends with a line end. */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  const lines = signers.map((signer) => {
    const signed = Buffer.concat([Buffer.from(signer.verifier.keyId, 'hex'), signer.sign(text)]);
    return `— ${signer.verifier.name} ${signed.toString('base64')}\n`;
  });
  return `${text}\n${lines.join('')}`;
}

/** @throws TypeError on a text that is no signed note. */
export function parseNote(note: string): Note {
  // The last empty line parts text and signatures: the text may hold others.
  const end = note.lastIndexOf('\n\n');
  const lines = note.slice(end + 2).split('\n');
  if (note.length > MOST_NOTE || end < 0 || lines.pop() !== '' || lines.length === 0 || lines.length > MOST_SIGNATURES)
    throw new TypeError('no signed note');
  return { text: note.slice(0, end + 1), signatures: lines.map(parseSignature) };
}

function parseSignature(line: string): NoteSignature {
  const [, name = '', encoded = ''] = /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/.exec(line) ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.length <= KEY_ID_BYTES || bytes.toString('base64') !== encoded) throw new TypeError('no signature line');
  return { name, keyId: bytes.toString('hex', 0, KEY_ID_BYTES), signature: bytes.subarray(KEY_ID_BYTES) };
}

/**
 * Those of the verifiers whose signature the note bears. Signatures of unknown keys are passed over (C2SP signed-note), a bad one of a
 * known key makes the whole note bad.
 * @throws TypeError when a known key's signature does not verify.
 */
export function signersOf(note: Note, verifiers: readonly NoteVerifier[]): NoteVerifier[] {
  const found: NoteVerifier[] = [];
  for (const { name, keyId, signature } of note.signatures) {
    const verifier = verifiers.find((known) => known.name === name && known.keyId === keyId);
    if (verifier === undefined) continue;
    if (!verifier.verify(note.text, signature)) throw new TypeError(`the signature of ${name} is not good`);
    found.push(verifier);
  }
  return found;
}
