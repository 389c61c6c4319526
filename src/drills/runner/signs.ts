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

interface Item {
  record: { at: string; kind: string; detail?: Record<string, unknown> };
}

/** The earliest of them in the books of the gateway; undefined while there is none. Rejects while the books cannot be read. */
export async function firstSign(caller: Caller, since: Date): Promise<Noticed | undefined> {
  const found: Noticed[] = [];
  for (const { of, counts } of SIGNS) {
    const query = new URLSearchParams({ ...of, from: since.toISOString(), limit: '100' });
    const { body } = await caller.admin(`/audit/records?${query.toString()}`);
    for (const { record } of (body['items'] ?? []) as Item[])
      if (counts(record.detail ?? {}))
        found.push({ at: new Date(record.at), by: of['rule'] ?? `record ${record.kind}` });
  }
  const { body } = await caller.admin('/incidents');
  for (const { openedBy, detectedAt } of (body['items'] ?? []) as { openedBy: string; detectedAt: string }[])
    if (openedBy === 'gateway' && new Date(detectedAt) >= since)
      found.push({ at: new Date(detectedAt), by: 'incident' });
  return earliest(found);
}

export function earliest(found: readonly Noticed[]): Noticed | undefined {
  return found.toSorted((one, other) => one.at.getTime() - other.at.getTime())[0];
}
