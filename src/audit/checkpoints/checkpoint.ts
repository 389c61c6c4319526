import { HASH_BYTES } from '../tree/merkle.js';
import { type Note, type NoteSigner, type NoteVerifier, parseNote, signersOf, signNote } from './note.js';

/** A signed statement of the log's size and root (C2SP tlog-checkpoint). */
export interface Checkpoint {
  origin: string;
  size: number;
  root: Buffer;
  /** The signed note as it was written. */
  note: string;
}

/** @param signers by one key, or by two while the key is rotated. */
export function signCheckpoint(origin: string, size: number, root: Buffer, signers: readonly NoteSigner[]): Checkpoint {
  return { origin, size, root, note: signNote(`${origin}\n${size}\n${root.toString('base64')}\n`, signers) };
}

/** Reads a checkpoint without looking at its signatures. @throws TypeError on what is none */
export function parseCheckpoint(note: string): Checkpoint & { parsed: Note } {
  const parsed = parseNote(note);
  const [origin = '', size = '', root = ''] = parsed.text.split('\n');
  const hash = Buffer.from(root, 'base64');
  if (
    origin === '' ||
    !/^(0|[1-9]\d{0,15})$/.test(size) ||
    hash.length !== HASH_BYTES ||
    hash.toString('base64') !== root
  )
    throw new TypeError('no checkpoint');
  return { origin, size: Number(size), root: hash, note, parsed };
}

/**
 * Reads a checkpoint that one of the keys has signed.
 * @throws TypeError on what is none, is another log's, or bears none of the keys' signatures
 */
export function openCheckpoint(note: string, origin: string, keys: readonly NoteVerifier[]): Checkpoint {
  const checkpoint = parseCheckpoint(note);
  if (checkpoint.origin !== origin) throw new TypeError('a checkpoint of another log');
  if (signersOf(checkpoint.parsed, keys).length === 0)
    throw new TypeError('a checkpoint that none of the keys has signed');
  return checkpoint;
}

/** Whether a text is a checkpoint of a log of the keys' name that one of them has signed, and none of them badly. */
export function isSigned(note: string, keys: readonly NoteVerifier[]): boolean {
  try {
    return signersOf(parseCheckpoint(note).parsed, keys).length > 0;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}
