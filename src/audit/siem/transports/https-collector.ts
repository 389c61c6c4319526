import { hash } from 'node:crypto';
import type { Sink } from '../sink.js';
import { type HttpOptions, HttpReceiver, jsonValue, mustBeTaken } from './http-receiver.js';

export interface HttpsCollectorOptions extends HttpOptions {
  /** One JSON value a line, or one JSON array a request. */
  body?: 'ndjson' | 'json' | undefined;
}

/**
 * A collector that takes JSON over HTTPS; any 2xx acknowledges the request. `Gatehouse-Batch` names the first and the last event of a
 * request; `Idempotency-Key` is the digest of its body, so that a request that is repeated as it was can be dropped as a double.
 */
export function httpsCollector(options: HttpsCollectorOptions): Sink {
  const http = new HttpReceiver(options);
  const ndjson = (options.body ?? 'ndjson') === 'ndjson';
  return {
    name: options.name,
    async send({ kind, lines }, signal) {
      for (const request of http.requests(lines.map(({ id, text }) => ({ id, text: jsonValue(text) })))) {
        const values = request.map(({ text }) => text);
        const body = ndjson ? `${values.join('\n')}\n` : `[${values.join(',')}]`;
        const headers = {
          'content-type': ndjson ? 'application/x-ndjson' : 'application/json',
          'gatehouse-kind': kind,
          'gatehouse-batch': `${request[0]?.id}..${request.at(-1)?.id}`,
          'idempotency-key': `"${hash('sha256', body, 'hex')}"`,
          ...http.bearer(),
        };
        mustBeTaken(await http.post('', body, headers, signal));
      }
    },
    close: () => http.close(),
  };
}
