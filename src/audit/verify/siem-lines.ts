import { createReadStream } from 'node:fs';
import { PRODUCT } from '../ocsf/classes.js';
import { type BatchStatement, readStatement } from '../siem/batch.js';
import { BATCH_SIGNATURE, readCef } from '../siem/cef.js';

/** A line of an export that the gateway once shipped. */
export type SiemLine =
  | { kind: 'record'; origin: string; seq: number; id: string; leaf: string; bytes: Buffer }
  | { kind: 'batch'; origin: string; statement: BatchStatement };

const LINE_END = 0x0a;
/** A longer line is nobody's of ours: a record has less than 64 KiB, and no escaping makes sixteen times as much of it. */
const MOST_LINE = 1024 * 1024;
/** Members under which collectors keep what they were sent (Splunk, HEC, syslog daemons, Elastic, OTLP). */
const WRAPPERS = ['result', '_raw', 'event', 'message', 'msg', '_source', 'body', 'stringValue', 'log'];
const MOST_WRAPPERS = 4;

type Members = Readonly<Record<string, unknown>>;

/** The lines of a file, without their ends; those that are too long come empty. Only LF ends a line: other readers' ends can stand in it. */
export async function* linesOf(path: string): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  let held = 0;
  const take = (last: Buffer): string => {
    const whole = held + last.length > MOST_LINE ? '' : Buffer.concat([...rest, last]).toString('utf8');
    [rest, held] = [[], 0];
    return whole;
  };
  for await (const chunk of createReadStream(path, { highWaterMark: MOST_LINE }) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_END); end >= 0; end = chunk.indexOf(LINE_END, from)) {
      yield take(chunk.subarray(from, end));
      from = end + 1;
    }
    held += chunk.length - from;
    if (held <= MOST_LINE) rest.push(chunk.subarray(from));
  }
  yield take(Buffer.alloc(0));
}

/** Reads a line, in whatever a collector has wrapped it. @returns undefined for lines of others */
export function readSiemLine(line: string): SiemLine | undefined {
  return readText(line, MOST_WRAPPERS);
}

function readText(text: string, depth: number): SiemLine | undefined {
  const brace = text.indexOf('{');
  const cef = text.indexOf('CEF:');
  if (brace >= 0 && (cef < 0 || brace < cef)) {
    const value = parse(text.slice(brace));
    if (value !== undefined) return readMembers(value, depth);
  }
  return cef < 0 ? undefined : readCefLine(text.slice(cef).replace(/\r$/, ''));
}

function parse(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Members) : undefined;
  } catch {
    return undefined;
  }
}

function readMembers(value: Members, depth: number): SiemLine | undefined {
  if (typeof value['class_uid'] === 'number') return readOcsf(value);
  if (depth === 0) return undefined;
  for (const name of WRAPPERS) {
    const inner = value[name];
    const found =
      typeof inner === 'string'
        ? readText(inner, depth - 1)
        : typeof inner === 'object' && inner !== null
          ? readMembers(inner as Members, depth - 1)
          : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function readOcsf(event: Members): SiemLine | undefined {
  const metadata = membersOf(event['metadata']);
  const ours = membersOf(membersOf(event['unmapped'])['gatehouse']);
  const origin = metadata['log_name'];
  if (membersOf(metadata['product'])['name'] !== PRODUCT.name || typeof origin !== 'string') return undefined;
  const statement = readStatement(ours['batch']);
  if (statement !== undefined) return { kind: 'batch', origin, statement };
  const raw = event['raw_data'];
  const seq = metadata['sequence'];
  if (typeof raw !== 'string' || !isSeq(seq)) return undefined;
  return {
    kind: 'record',
    origin,
    seq,
    id: String(metadata['uid']),
    leaf: String(ours['leaf']),
    bytes: Buffer.from(raw),
  };
}

function readCefLine(text: string): SiemLine | undefined {
  const event = readCef(text);
  const origin = event?.extension.get('cs2');
  if (event === undefined || origin === undefined) return undefined;
  const { extension } = event;
  if (event.signature === BATCH_SIGNATURE) {
    const statement = readStatement(parse(extension.get('cs1') ?? ''));
    return statement && { kind: 'batch', origin, statement };
  }
  const raw = extension.get('rawEvent');
  const seq = Number(extension.get('cn1') ?? 'none');
  if (raw === undefined || !isSeq(seq)) return undefined;
  const [id, leaf] = [extension.get('externalId') ?? '', extension.get('cs1') ?? ''];
  return { kind: 'record', origin, seq, id, leaf, bytes: Buffer.from(raw) };
}

function isSeq(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function membersOf(value: unknown): Members {
  return typeof value === 'object' && value !== null ? (value as Members) : {};
}
