import { hostname } from 'node:os';
import { type Clock, SystemClock } from '../../../platform/index.js';
import type { Shipment, ShippedLine, Sink } from '../sink.js';
import { type Answer, type HttpOptions, HttpReceiver, mustBeTaken } from './http-receiver.js';
import { ReceiverFailure } from './receiver-failure.js';

/** `url` is the collector's base address, to which `/v1/logs` is added. */
export interface OtlpLogsOptions extends HttpOptions {
  /** `host.name` of the resource. Unset: this machine's name. */
  host?: string | undefined;
}

/** OpenTelemetry's severity numbers (logs data model): INFO, INFO2, WARN, ERROR. */
const SEVERITIES = { info: 9, low: 10, medium: 13, high: 17 } as const;

/**
 * OTLP/HTTP in JSON: `ExportLogsServiceRequest` to `/v1/logs`. The event's text is the body of the log record; `log.record.uid` is its id.
 * A partial success that rejects records is no acknowledgement: the protocol would have them dropped, the log may not.
 */
export function otlpLogs(options: OtlpLogsOptions, clock: Clock = new SystemClock()): Sink {
  const http = new HttpReceiver(options);
  const resource = { attributes: [text('service.name', 'gatehouse'), text('host.name', options.host ?? hostname())] };
  return {
    name: options.name,
    async send({ kind, lines }, signal) {
      const observedTimeUnixNano = nanoseconds(clock.epochMs());
      const encoded = lines.map((line) => ({ text: JSON.stringify({ ...logRecord(line), observedTimeUnixNano }) }));
      for (const request of http.requests(encoded)) {
        const scope = JSON.stringify({ name: scopeOf(kind) });
        const records = request.map((record) => record.text).join(',');
        const body = `{"resourceLogs":[{"resource":${JSON.stringify(resource)},"scopeLogs":[{"scope":${scope},"logRecords":[${records}]}]}]}`;
        const answer = await http.post(
          '/v1/logs',
          body,
          { 'content-type': 'application/json', ...http.bearer() },
          signal,
        );
        mustBeTaken(answer);
        if (rejected(answer) > 0) throw new ReceiverFailure('partial-success');
      }
    },
    close: () => http.close(),
  };
}

function scopeOf(kind: Shipment['kind']): string {
  return kind === 'records' ? 'gatehouse.audit' : 'gatehouse.log';
}

function logRecord({ id, atMs, severity, text: body, seq }: ShippedLine): object {
  return {
    timeUnixNano: nanoseconds(atMs),
    severityNumber: SEVERITIES[severity],
    severityText: severity,
    body: { stringValue: body },
    attributes: [
      text('log.record.uid', id),
      ...(seq === undefined ? [] : [{ key: 'gatehouse.seq', value: { intValue: String(seq) } }]),
    ],
  };
}

function text(key: string, stringValue: string): object {
  return { key, value: { stringValue } };
}

function nanoseconds(ms: number): string {
  return (BigInt(Math.trunc(ms)) * 1_000_000n).toString();
}

/** Protobuf's JSON writes an int64 as a string, and many servers as a number; an empty body is a full success. */
function rejected({ text: body }: Answer): number {
  if (body.trim() === '') return 0;
  try {
    const { partialSuccess } = JSON.parse(body) as { partialSuccess?: { rejectedLogRecords?: string | number } | null };
    const count = Number(partialSuccess?.rejectedLogRecords ?? 0);
    return Number.isNaN(count) ? 1 : count;
  } catch {
    throw new ReceiverFailure('unreadable-answer');
  }
}
