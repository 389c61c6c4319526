import { z } from 'zod';
import { parseTilePath } from '../tree/tile-path.js';
import { BadArchive } from './errors.js';

export const MANIFEST = 'manifest.json';
/** The files of an archive beside its tiles. */
export const FILES = {
  /** The first checkpoint that covers the records: what the tiles are complete for. */
  checkpoint: 'checkpoint',
  /** Every checkpoint of a size within the records, up to that one; an empty line behind each. */
  checkpoints: 'checkpoints',
  /** Public keys that sign and have signed the log, one C2SP vkey a line. */
  keys: 'keys',
  /** When each record became durable: microseconds since 1970, eight bytes, big endian. It stands outside the hash. */
  recordedAt: 'recorded-at',
} as const;

/** Of each record, in `recorded-at`. */
export const INSTANT_BYTES = 8;

const hex32 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().min(0);
const instant = z.iso.datetime();
const plain = new Set<string>(Object.values(FILES));

/** A manifest may name nothing outside its folder. */
const path = z.string().refine((name) => plain.has(name) || tileOf(name) !== undefined);

const manifestSchema = z.strictObject({
  version: z.literal(1),
  origin: z.string().min(1).max(128),
  first: count,
  past: count,
  root: hex32,
  checkpointSize: count,
  earliest: instant,
  latest: instant,
  kinds: z.record(z.string(), z.strictObject({ records: count, earliest: instant, latest: instant })),
  files: z.array(z.strictObject({ path, bytes: count, sha256: hex32 })),
});

/**
 * What an archive holds: the records from `first` up to but not including `past`. `root` is that of the log's first `past` records, in
 * hex; `earliest` and `latest` are of the instants in the records, in all and by kind. Two archives of the same records are equal.
 */
export type Manifest = z.output<typeof manifestSchema>;
export type ArchivedFile = Manifest['files'][number];

export function tileOf(name: string): ReturnType<typeof parseTilePath> {
  return name.startsWith('tile/') ? parseTilePath(name.slice('tile/'.length)) : undefined;
}

/** @throws BadArchive on what is no manifest. */
export function parseManifest(bytes: Buffer): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new BadArchive('its manifest is no JSON');
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) throw new BadArchive('its manifest has another form');
  return parsed.data;
}
