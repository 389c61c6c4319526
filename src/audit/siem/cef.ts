import { mapRecord } from '../ocsf/to-ocsf.js';
import { classified, PRODUCT, type Severity } from '../ocsf/classes.js';
import type { StoredRecord } from '../record.js';
import { leafHash } from '../tree/merkle.js';
import { type BatchStatement, statementId, statementMembers } from './batch.js';

/** ArcSight Common Event Format, version 0 (Implementation Standard 26). */

const VERSION = 'CEF:0';
/** Severity of CEF, 0 to 10. */
const SEVERITY: Readonly<Record<Severity, number>> = { info: 2, low: 4, medium: 6, high: 8 };
/** Line ends in every reader's eyes, and what a terminal would obey. */
const CONTROLS = /[\p{Cc}\u2028\u2029]/gu;

export interface CefEvent {
  /** Device event class id. */
  signature: string;
  name: string;
  severity: number;
  /** In the order in which they are written. */
  extension: ReadonlyMap<string, string>;
}

/** In the header a bar ends a field and a backslash escapes; there is no line end in it at all. */
function headerText(text: string): string {
  return text.replaceAll(CONTROLS, ' ').replaceAll(/[\\|]/g, '\\$&');
}

/** In the extension an equals sign ends a name, and a line end is written in letters. */
function extensionText(text: string): string {
  return text.replaceAll(/[\\=]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
}

export function writeCef({ signature, name, severity, extension }: CefEvent): string {
  const header = [PRODUCT.vendor_name, PRODUCT.name, PRODUCT.version, signature, name].map(headerText).join('|');
  const pairs = [...extension].map(([key, value]) => `${key}=${extensionText(value)}`).join(' ');
  return `${VERSION}|${header}|${severity}|${pairs}`;
}

const HEADER =
  /^CEF:\d\|((?:[^\\|]|\\.)*)\|((?:[^\\|]|\\.)*)\|((?:[^\\|]|\\.)*)\|((?:[^\\|]|\\.)*)\|((?:[^\\|]|\\.)*)\|([^|]*)\|/;
const NAME = /(?:^| )([A-Za-z0-9_.]+)=/g;

/** Reads an event of ours back. @returns undefined for what is none */
export function readCef(line: string): CefEvent | undefined {
  const [whole, vendor, product, , signature = '', name = '', severity = ''] = HEADER.exec(line) ?? [];
  if (whole === undefined || vendor !== PRODUCT.vendor_name || product !== PRODUCT.name) return undefined;
  const text = line.slice(whole.length);
  const names = [...text.matchAll(NAME)];
  const extension = new Map(
    names.map((found, n) => {
      const value = text.slice(found.index + found[0].length, names[n + 1]?.index);
      return [found[1] ?? '', value.replaceAll(/\\(.)/g, unescaped)];
    }),
  );
  return {
    signature: signature.replaceAll(/\\(.)/g, '$1'),
    name: name.replaceAll(/\\(.)/g, '$1'),
    severity: Number(severity),
    extension,
  };
}

function unescaped(_: string, letter: string): string {
  return letter === 'n' ? '\n' : letter === 'r' ? '\r' : letter;
}

/** Signature of the event that follows a batch; those of records are their kinds. */
export const BATCH_SIGNATURE = 'batch';

/** A value of a caller's own words: on one line, whatever a reader takes for its end. */
const plain = (text: string): string => text.replaceAll(CONTROLS, ' ');

/**
 * @param bytes the record as it is stored: they stand in `rawEvent`, from which the leaf hash is computed again
 * @param log name of the log, as the checkpoint that covers the record bears it
 */
export function recordCef(seq: number, record: StoredRecord, bytes: Buffer, log: string): string {
  const { http, decision, vendor } = record;
  const mapped = mapRecord(record);
  const { type_name: name } = classified(mapped) as { type_name: string };
  const address = http?.address;
  const members: [string, string | number | undefined][] = [
    ['rt', Date.parse(record.at)],
    ['externalId', record.id],
    ['cn1Label', 'seq'],
    ['cn1', seq],
    ['cs1Label', 'leafHash'],
    ['cs1', leafHash(bytes).toString('hex')],
    ['cs2Label', 'log'],
    ['cs2', log],
    ['dvchost', record.instance],
    [address?.includes(':') === true ? 'c6a2' : 'src', address],
    ['c6a2Label', address?.includes(':') === true ? 'Source IPv6 Address' : undefined],
    ['suid', record.actor ?? record.client],
    ['requestMethod', http?.method],
    ['request', http?.route],
    ['requestClientApplication', http?.agent],
    ['in', http?.bytesIn],
    ['out', http?.bytesOut],
    ['act', decision?.outcome],
    ['reason', decision?.rule],
    ['outcome', mapped.status.name],
    ['cn2Label', http === undefined ? undefined : 'httpStatus'],
    ['cn2', http?.status],
    ['cs3Label', record.verification === undefined ? undefined : 'verification'],
    ['cs3', record.verification],
    ['cs4Label', record.trace === undefined ? undefined : 'trace'],
    ['cs4', record.trace],
    ['cs5Label', vendor === undefined ? undefined : 'vendorOperation'],
    ['cs5', vendor?.operation],
    ['msg', mapped.message],
  ];
  const extension = new Map(
    members.flatMap(([key, value]) => (value === undefined ? [] : [[key, plain(String(value))] as const])),
  );
  // Letter for letter, with nothing replaced: canonical JSON has no line end in it.
  extension.set('rawEvent', bytes.toString('utf8'));
  return writeCef({ signature: record.kind, name, severity: SEVERITY[mapped.severity], extension });
}

export function statementCef(statement: BatchStatement, origin: string, at: Date): string {
  const extension = new Map([
    ['rt', String(at.getTime())],
    ['externalId', statementId(statement)],
    ['cn1Label', 'first'],
    ['cn1', String(statement.first)],
    ['cn2Label', 'past'],
    ['cn2', String(statement.past)],
    ['cs2Label', 'log'],
    ['cs2', origin],
    ['cs1Label', 'batch'],
    ['cs1', JSON.stringify(statementMembers(statement))],
  ]);
  return writeCef({ signature: BATCH_SIGNATURE, name: 'Batch of records', severity: SEVERITY.info, extension });
}
