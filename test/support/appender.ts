import { setTimeout as sleep } from 'node:timers/promises';
import { aRecord, openTestLog } from './audit.js';

/**
 * An instance of the log in a process of its own, to be killed, stopped and cut off by specs: appends without pause and prints each id
 * once its record is durable, with the milliseconds that it took. Ends in order at SIGTERM, and with the process that started it.
 */
const [url = '', name = 'appender', writers = '4'] = process.argv.slice(2);

const log = await openTestLog(url, name);
const ending = new AbortController();
process.once('SIGTERM', () => ending.abort());
process.stdin.once('end', () => process.exit(1)).resume();
process.stdout.write('ready\n');
log.start();

async function write(): Promise<void> {
  while (!ending.signal.aborted) {
    const record = aRecord();
    const from = performance.now();
    try {
      await log.auditLog.append(record);
      process.stdout.write(`${record.id} ${Math.round(performance.now() - from)}\n`);
    } catch {
      process.stdout.write(`refused ${record.id}\n`);
      await sleep(20);
    }
  }
}

await Promise.all(Array.from({ length: Number(writers) }, write));
await log.stop();
process.exit(0);
