import type { Shipment, ShippedLine } from '../sink.js';

export interface SyslogFormat {
  /** HOSTNAME. */
  hostname: string;
  /** Private enterprise number in the name of the structured data. */
  enterpriseNumber: number;
  /** Whether a byte order mark announces UTF-8, as RFC 5424 section 6.4 has it; some receivers take it for text. */
  bom: boolean;
  /** Longest message, header and all, in bytes. */
  mostBytes: number;
}

/** Facility 13: log audit. */
const LOG_AUDIT = 13;
/** Informational, notice, warning, error (RFC 5424 table 2). */
const SEVERITIES = { info: 6, low: 5, medium: 4, high: 3 } as const;
const VERSION = 1;
const NIL = '-';
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * One RFC 5424 message. A text that does not fit is cut at a character, and the structured data says so: `cut` is its whole length in
 * bytes, and `id` finds the whole of it.
 */
export function syslogMessage(kind: Shipment['kind'], line: ShippedLine, format: SyslogFormat): Buffer {
  const text = Buffer.from(line.text);
  const whole = assemble(kind, line, format, text);
  if (whole.length <= format.mostBytes) return whole;
  const cut: [string, string] = ['cut', String(text.length)];
  const room = format.mostBytes - assemble(kind, line, format, Buffer.alloc(0), cut).length;
  return assemble(kind, line, format, text.subarray(0, characterStart(text, Math.max(room, 0))), cut);
}

/** RFC 5425 section 4.3: the length in octets, a space, the message. */
export function octetCounted(message: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${message.length} `), message]);
}

/** PRINTUSASCII of at most 255, or the nil value. */
export function syslogHostname(name: string): string {
  return name.replace(/[^\x21-\x7e]/g, '').slice(0, 255) || NIL;
}

function assemble(
  kind: Shipment['kind'],
  { id, atMs, severity, seq }: ShippedLine,
  format: SyslogFormat,
  text: Buffer,
  ...more: [string, string][]
): Buffer {
  const parameters: [string, string][] = [
    ...(seq === undefined ? [] : [['seq', String(seq)] as [string, string]]),
    ['id', id],
    ...more,
  ];
  const header = [
    `<${LOG_AUDIT * 8 + SEVERITIES[severity]}>${VERSION}`,
    new Date(atMs).toISOString(),
    format.hostname,
    'gatehouse',
    NIL,
    messageId(kind, seq),
    `[gatehouse@${format.enterpriseNumber} ${parameters.map(([name, value]) => `${name}="${escaped(value)}"`).join(' ')}]`,
  ].join(' ');
  return Buffer.concat([Buffer.from(`${header} `), ...(format.bom ? [BOM] : []), text]);
}

function messageId(kind: Shipment['kind'], seq: number | undefined): string {
  if (kind === 'operational') return 'log';
  return seq === undefined ? 'statement' : 'record';
}

/** RFC 5424 section 6.3.3. */
function escaped(value: string): string {
  return value.replace(/["\\\]]/g, String.raw`\$&`);
}

/** The last place at or before `at` where no character is torn: continuation bytes of UTF-8 are 10xxxxxx. */
function characterStart(text: Buffer, at: number): number {
  let place = Math.min(at, text.length);
  while (place > 0 && ((text[place] ?? 0) & 0xc0) === 0x80) place -= 1;
  return place;
}
