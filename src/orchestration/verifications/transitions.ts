/** Where a verification stands, in the gateway's own words. */
export const STATUSES = [
  'queued',
  'pending',
  'in-progress',
  'in-review',
  'resubmission',
  'approved',
  'declined',
  'expired',
  'abandoned',
  'cancelled',
  'failed',
] as const;

export type Status = (typeof STATUSES)[number];

/** What the vendor says of a session that somebody has begun. */
const FOLLOWED = [
  'in-progress',
  'in-review',
  'resubmission',
  'approved',
  'declined',
  'expired',
  'abandoned',
] as const satisfies Status[];

type VendorEvent = `vendor.${(typeof FOLLOWED)[number]}`;

/** What can happen to a verification. */
export type VerificationEvent =
  | VendorEvent
  /** A session at the vendor was made for it or found again. */
  | 'session.attached'
  /** Its client deleted the session at the vendor. */
  | 'session.deleted'
  | 'client.cancelled'
  /** The vendor refused to make a session. */
  | 'create.refused'
  /** No session was found after an unknown outcome, and nobody asked again. */
  | 'create.given-up'
  /** Its client asked for the same verification again. */
  | 'create.repeated'
  /** All needed uploads are there. */
  | 'run.started'
  /** They have not come in time. */
  | 'uploads.expired'
  /** All steps of its workflow have ended. */
  | 'run.approved'
  | 'run.declined'
  | 'run.in-review'
  /** A step ended in an error, with no rung left. */
  | 'run.failed'
  /** The person was erased while the gateway ran the workflow. */
  | 'subject.erased'
  /** The vendor failed and it waits for it: the queue's rung. */
  | 'create.queued'
  /** The vendor failed and a person has to decide: the manual rung. */
  | 'review.requested'
  | 'review.approved'
  | 'review.declined';

type Row = Readonly<Partial<Record<VerificationEvent, Status>>>;

const followed = Object.fromEntries(FOLLOWED.map((status) => [`vendor.${status}`, status])) as Readonly<
  Record<VendorEvent, Status>
>;
/** A person's decision, recorded with their name; the vendor's later word does not undo it. */
const review: Row = { 'review.approved': 'approved', 'review.declined': 'declined' };
const open: Row = { ...followed, 'client.cancelled': 'cancelled', 'session.deleted': 'cancelled' };

/**
 * The life of a verification: from, event → to. What stands in no row does not happen. The vendor's word is followed wherever it leads,
 * an approved one too: a reviewer may decline it later and a document may expire. A cancelled one follows nothing any more.
 */
export const TRANSITIONS: Readonly<Record<Status, Row>> = {
  queued: {
    'session.attached': 'pending',
    'client.cancelled': 'cancelled',
    'create.refused': 'failed',
    'create.given-up': 'failed',
    'review.requested': 'in-review',
  },
  pending: {
    ...open,
    'session.attached': 'pending',
    'create.refused': 'failed',
    'create.given-up': 'failed',
    'create.queued': 'queued',
    'review.requested': 'in-review',
    'run.started': 'in-progress',
    'uploads.expired': 'expired',
    'subject.erased': 'cancelled',
  },
  'in-progress': {
    ...open,
    'run.approved': 'approved',
    'run.declined': 'declined',
    'run.in-review': 'in-review',
    'run.failed': 'failed',
    'subject.erased': 'cancelled',
  },
  'in-review': { ...open, ...review },
  resubmission: open,
  approved: followed,
  declined: followed,
  expired: followed,
  abandoned: followed,
  cancelled: {},
  failed: { 'create.repeated': 'pending' },
};

/** Where the event leads; undefined when it does not happen from there. */
export function next(from: Status, event: VerificationEvent): Status | undefined {
  return TRANSITIONS[from][event];
}

/** The event that a status of the vendor's is; undefined for one that moves nothing, such as a session nobody has begun. */
export function vendorEvent(status: Status): VerificationEvent | undefined {
  const event = `vendor.${status}`;
  return event in followed ? (event as VendorEvent) : undefined;
}

/** Where the vendor's last word has been said, as far as one knows: nothing more is asked of its own accord. */
const DECIDED: ReadonlySet<Status> = new Set(['approved', 'declined', 'expired', 'abandoned']);

export function isDecided(status: Status): boolean {
  return DECIDED.has(status);
}

/** Whether the client may still call it off. */
export function isOpen(status: Status): boolean {
  return TRANSITIONS[status]['client.cancelled'] !== undefined;
}
