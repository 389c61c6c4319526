import type { Caller } from './caller.js';
import type { Noticed } from './stage.js';

/** Kinds of records by which the gateway shows that it has seen a disturbance, with which of them count. */
const SIGNS: readonly { kind: string; outcome?: string; counts: (detail: Record<string, unknown>) => boolean }[] = [
  { kind: 'vendor.call', counts: (detail) => detail['problem'] !== undefined },
  { kind: 'gateway.alarm', counts: (detail) => detail['state'] === 'raised' },
  { kind: 'gateway.refusals-journal', counts: () => true },
  { kind: 'webhook.received', outcome: 'deny', counts: () => true },
];

interface Item {
  record: { at: string; kind: string; detail?: Record<string, unknown> };
}

/** The earliest of them in the books of the gateway; undefined while there is none. Rejects while the books cannot be read. */
export async function firstSign(caller: Caller, since: Date): Promise<Noticed | undefined> {
  const found: Noticed[] = [];
  for (const { kind, outcome, counts } of SIGNS) {
    const query = new URLSearchParams({
      kind,
      from: since.toISOString(),
      limit: '100',
      ...(outcome === undefined ? {} : { outcome }),
    });
    const { body } = await caller.admin(`/audit/records?${query.toString()}`);
    for (const { record } of (body['items'] ?? []) as Item[])
      if (counts(record.detail ?? {})) found.push({ at: new Date(record.at), by: `record ${record.kind}` });
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
