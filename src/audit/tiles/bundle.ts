const LENGTH_BYTES = 2;

/** Entries as a tile of them is served: each behind its length in two bytes (C2SP tlog-tiles, "Log entries"). */
export function writeBundle(entries: readonly Buffer[]): Buffer {
  return Buffer.concat(
    entries.flatMap((entry) => {
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt16BE(entry.length);
      return [length, entry];
    }),
  );
}

/** @returns the entries that are there whole; a tail that is none is left out. */
export function readBundle(bundle: Buffer): Buffer[] {
  const entries: Buffer[] = [];
  for (let at = 0; at + LENGTH_BYTES <= bundle.length;) {
    const past = at + LENGTH_BYTES + bundle.readUInt16BE(at);
    if (past > bundle.length) break;
    entries.push(bundle.subarray(at + LENGTH_BYTES, past));
    at = past;
  }
  return entries;
}
