import { randomUUID } from 'node:crypto';
import { subscribe } from 'node:diagnostics_channel';
import { ATTEMPT_HEADER, type AttemptTold } from './attempt-told.js';

/**
 * Loaded before a gateway that a drill starts, and by nothing else: tells what the gateway hands to its HTTP client for the vendor, when it
 * does. A proxy sees it later or never, and cannot always tell what it is.
 */
interface ClientRequest {
  origin: string | URL;
  method: string;
  path: string;
  addHeader(name: string, value: string): void;
}

const vendor = process.env['DIDIT_BASE_URL'];
const ids = new WeakMap<ClientRequest, string>();
// The machine's own, whatever clock this gateway is given later.
const nowMs = Date.now.bind(Date);
const tell = (told: AttemptTold): void => void process.send?.({ gatehouseAttempt: told });

subscribe('undici:request:create', (message) => {
  const { request } = message as { request: ClientRequest };
  if (String(request.origin) !== vendor) return;
  const id = randomUUID();
  ids.set(request, id);
  request.addHeader(ATTEMPT_HEADER, id);
  tell({ id, leftMs: nowMs(), method: request.method, path: request.path });
});
subscribe('undici:request:trailers', (message) => {
  const id = ids.get((message as { request: ClientRequest }).request);
  if (id !== undefined) tell({ id, answeredMs: nowMs() });
});
