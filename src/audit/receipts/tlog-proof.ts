import { parseCheckpoint } from '../checkpoints/checkpoint.js';
import { noteVerifier, signersOf } from '../checkpoints/note.js';
import { HASH_BYTES, leafHash } from '../tree/merkle.js';
import { verifyInclusion } from '../tree/proofs.js';

const HEADER = 'c2sp.org/tlog-proof@v1';
const MOST_PROOF = 64;

/** That a record stands in the log: whole by itself, and checked without the log (C2SP tlog-proof). */
export interface TlogProof {
  index: number;
  hashes: Buffer[];
  /** Signed note. */
  checkpoint: string;
  /** Here always the record's bytes: with them the file says what was recorded, and its leaf can be computed. */
  extra?: Buffer | undefined;
}

export function formatProof({ index, hashes, checkpoint, extra }: TlogProof): string {
  const lines = [
    HEADER,
    ...(extra === undefined ? [] : [`extra ${extra.toString('base64')}`]),
    `index ${index}`,
    ...hashes.map((hash) => hash.toString('base64')),
  ];
  return `${lines.join('\n')}\n\n${checkpoint}`;
}

/** @throws TypeError on what is no proof. */
function parseProof(text: string): TlogProof {
  const end = text.indexOf('\n\n');
  const [header, ...lines] = text.slice(0, Math.max(end, 0)).split('\n');
  if (header !== HEADER) throw new TypeError('no tlog-proof of version 1');
  const extra = lines[0]?.startsWith('extra ') === true ? base64(lines.shift()?.slice(6) ?? '') : undefined;
  const index = /^index (0|[1-9]\d{0,15})$/.exec(lines.shift() ?? '')?.[1];
  if (index === undefined || lines.length > MOST_PROOF) throw new TypeError('a tlog-proof without its index');
  const hashes = lines.map(base64);
  if (hashes.some((hash) => hash.length !== HASH_BYTES))
    throw new TypeError('a hash of the proof is not one of SHA-256');
  return { index: Number(index), hashes, checkpoint: text.slice(end + 2), ...(extra === undefined ? {} : { extra }) };
}

function base64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw new TypeError('a line of the proof is not base64');
  return bytes;
}

/** What a receipt proves. */
export interface ProvenRecord {
  origin: string;
  seq: number;
  /** Size of the log that the checkpoint is of. */
  size: number;
  /** Key that signed it. */
  key: string;
  bytes: Buffer;
}

/**
 * Checks a receipt with nothing but the log's public key: the checkpoint's signature, and that the record in the receipt is the one at
 * its place in the tree.
 * @param vkeys public keys that are believed (C2SP vkeys)
 * @throws TypeError that says what is wrong
 */
export function verifyReceipt(text: string, vkeys: readonly string[]): ProvenRecord {
  const keys = vkeys.map(noteVerifier);
  const proof = parseProof(text);
  if (proof.extra === undefined) throw new TypeError('a receipt without its record');
  const { origin, size, root, parsed } = parseCheckpoint(proof.checkpoint);
  const [signer] = signersOf(
    parsed,
    keys.filter(({ name }) => name === origin),
  );
  if (signer === undefined) throw new TypeError('the checkpoint of the receipt bears no signature of the given keys');
  if (!verifyInclusion(proof.index, size, leafHash(proof.extra), proof.hashes, root))
    throw new TypeError('the record is not the one at its place in the log');
  return { origin, seq: proof.index, size, key: signer.vkey, bytes: proof.extra };
}
