import { severityOf, statementEvent, toOcsf } from '../ocsf/to-ocsf.js';
import type { StoredRecord } from '../record.js';
import { type BatchStatement, statementId, statementMembers } from './batch.js';
import { recordCef, statementCef } from './cef.js';
import type { ShippedLine } from './sink.js';

export type Format = 'ocsf' | 'cef';

/** A record of the log on its way out. */
export interface OutgoingRecord {
  seq: number;
  id: string;
  bytes: Buffer;
}

/** JSON on one line in the eyes of every reader: some take these for line ends as well. */
function oneLine(event: object): string {
  return JSON.stringify(event).replaceAll(/[\u007f-\u009f\u2028\u2029]/g, (found) => {
    return `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** @param log name of the log, as the checkpoint that covers the record bears it */
export function recordLine(format: Format, { seq, id, bytes }: OutgoingRecord, log: string): ShippedLine {
  const record = JSON.parse(bytes.toString('utf8')) as StoredRecord;
  const text = format === 'cef' ? recordCef(seq, record, bytes, log) : oneLine(toOcsf(seq, record, bytes, log));
  return { id, atMs: Date.parse(record.at), severity: severityOf(record), text, seq };
}

/** @param origin name of the log, as the checkpoint bears it */
export function statementLine(format: Format, statement: BatchStatement, origin: string, at: Date): ShippedLine {
  const id = statementId(statement);
  const text =
    format === 'cef'
      ? statementCef(statement, origin, at)
      : oneLine(
          statementEvent(
            { id, at, origin },
            {
              activity: 'Batch of records',
              message: 'A batch of records of the log, with the checkpoint that covers it.',
              severity: 'info',
            },
            { batch: statementMembers(statement) },
          ),
        );
  return { id, atMs: at.getTime(), severity: 'info', text };
}
