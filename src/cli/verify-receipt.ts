import { verifyReceipt } from '../audit/index.js';
import { ConfigError } from '../platform/index.js';
import { readKeys, readText } from './verify.js';

/** `gatehouse verify-receipt FILE --key KEY`: needs no gateway and no database; prints the record that the receipt proves. */
export function verifyReceiptVerb(file: string, options: { key: string[]; json?: boolean }): void {
  let keys: string[];
  try {
    keys = options.key.flatMap(readKeys);
    const { origin, seq, size, key, bytes } = verifyReceipt(readText(file, 'FILE'), keys);
    const record = bytes.toString();
    if (options.json === true)
      process.stdout.write(
        `${JSON.stringify({ ok: true, origin, seq, size, key, record: JSON.parse(record) as unknown })}\n`,
      );
    else
      process.stdout.write(`${record}\nverified record ${seq} of ${origin}, under the checkpoint of ${size} records\n`);
  } catch (error) {
    if (error instanceof ConfigError || !(error instanceof TypeError)) throw error;
    if (options.json === true) process.stdout.write(`${JSON.stringify({ ok: false, reason: error.message })}\n`);
    else process.stdout.write(`NOT verified: ${error.message}\n`);
    process.exitCode = 1;
  }
}
