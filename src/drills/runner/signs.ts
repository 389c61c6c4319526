import { recordsSince } from './books.js';
import type { Caller } from './caller.js';
import type { Noticed } from './stage.js';

/** Records by which the gateway shows that it has seen a disturbance, and which of them count. */
const SIGNS: readonly { of: Record<string, string>; counts: (detail: Record<string, unknown>) => boolean }[] = [
  { of: { kind: 'vendor.call' }, counts: (detail) => detail['problem'] !== undefined },
  { of: { kind: 'vendor.breaker-opened' }, counts: () => true },
  { of: { kind: 'gateway.alarm' }, counts: (detail) => detail['state'] === 'raised' },
  { of: { kind: 'gateway.refusals-journal' }, counts: () => true },
  { of: { rule: 'webhook.signature' }, counts: () => true },
];

/** The earliest of them in the books of the gateway; undefined while there is none. Rejects while the books cannot be read. */
export async function firstSign(caller: Caller, since: Date): Promise<Noticed | undefined> {
  const found: Noticed[] = [];
  for (const { of, counts } of SIGNS) {
    for (const { record, recordedAt } of await recordsSince(caller, since, of)) {
      if (!counts(record.detail ?? {})) continue;
      // Under a clock that was moved ahead it was written before it was made.
      const at = record.at < recordedAt ? record.at : recordedAt;
      found.push({ at: new Date(at), by: of['rule'] ?? `record ${record.kind}` });
    }
  }
  const { body } = await caller.admin('/incidents');
  for (const { openedBy, detectedAt } of (body['items'] ?? []) as { openedBy: string; detectedAt: string }[])
    if (openedBy === 'gateway' && new Date(detectedAt) >= since)
      found.push({ at: new Date(detectedAt), by: 'incident' });
  return earliest(found);
}

/** Of what has been: an instant to come is of a clock that was moved. */
export function earliest(found: readonly Noticed[]): Noticed | undefined {
  const now = new Date();
  return found.filter(({ at }) => at <= now).toSorted((one, other) => one.at.getTime() - other.at.getTime())[0];
}
