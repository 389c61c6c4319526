import { randomUUID } from 'node:crypto';
import type { Session } from '../sessions/session.js';
import type { SessionStatus } from '../sessions/transitions.js';
import type { JsonObject } from '../wire/json.js';

const withDecision: readonly SessionStatus[] = ['Approved', 'Declined', 'In Review', 'Abandoned'];

export interface EnvelopeContext {
  readonly applicationId: string;
  readonly environment: 'sandbox' | 'live';
  /** Wall clock, epoch milliseconds. */
  readonly at: number;
  readonly decision: () => JsonObject;
}

/** The body of a `status.updated` notification about the session as it is now. */
export const statusUpdated = (session: Session, context: EnvelopeContext, resubmitInfo?: JsonObject): JsonObject => {
  const seconds = Math.floor(context.at / 1000);
  return {
    event_id: randomUUID(),
    webhook_type: 'status.updated',
    timestamp: seconds,
    created_at: seconds,
    application_id: context.applicationId,
    environment: context.environment,
    session_id: session.id,
    status: session.status,
    workflow_id: session.workflowId,
    workflow_version: session.workflowVersion,
    vendor_data: session.vendorData,
    metadata: session.metadata,
    ...(withDecision.includes(session.status) ? { decision: context.decision() } : {}),
    ...(resubmitInfo === undefined ? {} : { resubmit_info: resubmitInfo }),
  };
};
