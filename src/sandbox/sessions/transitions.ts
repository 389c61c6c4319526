export const sessionStatuses = [
  'Not Started',
  'In Progress',
  'Awaiting User',
  'In Review',
  'Approved',
  'Declined',
  'Resubmitted',
  'Expired',
  'Abandoned',
  'Kyc Expired',
] as const;
export type SessionStatus = (typeof sessionStatuses)[number];

/** Who moves a session: the person in the flow and the passing of time, or a reviewer through the API. */
export type Mover = 'flow' | 'reviewer';

const moves: Record<SessionStatus, Record<Mover, readonly SessionStatus[]>> = {
  'Not Started': { flow: ['In Progress', 'Expired'], reviewer: [] },
  'In Progress': { flow: ['Approved', 'Declined', 'In Review', 'Abandoned', 'Awaiting User'], reviewer: [] },
  'Awaiting User': { flow: ['Approved', 'Declined', 'In Review'], reviewer: [] },
  'In Review': { flow: [], reviewer: ['Approved', 'Declined', 'Resubmitted'] },
  Approved: { flow: ['Kyc Expired'], reviewer: ['Declined', 'Resubmitted'] },
  Declined: { flow: [], reviewer: ['Approved', 'Resubmitted'] },
  Resubmitted: { flow: ['In Progress', 'Expired'], reviewer: ['Approved', 'Declined'] },
  Expired: { flow: [], reviewer: [] },
  Abandoned: { flow: [], reviewer: ['Approved', 'Declined', 'Resubmitted'] },
  'Kyc Expired': { flow: [], reviewer: ['Approved', 'Declined', 'Resubmitted'] },
};

const unfinished: readonly SessionStatus[] = ['Not Started', 'In Progress', 'Resubmitted', 'Awaiting User'];

/** A person can still go on with it, and a create for the same vendor_data gets it again. */
export const isUnfinished = (status: SessionStatus): boolean => unfinished.includes(status);

/** Statuses that `update-status` takes a session from; the order is that of its error text. */
export const reviewable: readonly SessionStatus[] = [
  'Approved',
  'Declined',
  'In Review',
  'Kyc Expired',
  'Abandoned',
  'Resubmitted',
];

export const mayMove = (from: SessionStatus, to: SessionStatus, mover: Mover): boolean =>
  moves[from][mover].includes(to);

export const isSessionStatus = (value: unknown): value is SessionStatus =>
  sessionStatuses.some((status) => status === value);

/**
 * The statuses a session passes on its way through the flow, the last being `to`. Null when no way leads there.
 * Breadth first, so the shortest.
 */
export const wayTo = (from: SessionStatus, to: SessionStatus): readonly SessionStatus[] | null => {
  const queue: (readonly SessionStatus[])[] = [[from]];
  const seen = new Set<SessionStatus>([from]);
  for (const way of queue) {
    const last = way.at(-1) ?? from;
    for (const next of moves[last].flow) {
      if (next === to) return [...way.slice(1), next];
      if (seen.has(next)) continue;
      seen.add(next);
      queue.push([...way, next]);
    }
  }
  return null;
};
