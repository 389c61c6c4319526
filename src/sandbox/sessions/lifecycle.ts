import { expirationOf } from '../decision/document-report.js';
import { featureNames, type Feature, type FeatureStatus } from '../decision/features.js';
import { featureStatus, scenarioFor, type Scenario } from '../decision/scenarios.js';
import type { SandboxClock } from '../clock.js';
import type { JsonObject } from '../wire/json.js';
import type { Session } from './session.js';
import type { SessionStore } from './store.js';
import { isUnfinished, mayMove, wayTo, type Mover, type SessionStatus } from './transitions.js';

/** Told of every change of status, after it. */
export type StatusListener = (session: Session, resubmitInfo?: JsonObject) => void;

export interface LifecycleParts {
  readonly clock: SandboxClock;
  readonly store: SessionStore;
  readonly sessionLifetimeMs: number;
  readonly changed: StatusListener;
}

/** Moves sessions from status to status and tells the webhooks. Nothing else writes a status. */
export class Lifecycle {
  readonly #parts: LifecycleParts;

  constructor(parts: LifecycleParts) {
    this.#parts = parts;
  }

  /** The person opened the page. */
  open(session: Session): void {
    if (mayMove(session.status, 'In Progress', 'flow')) this.#move(session, 'In Progress', 'flow');
  }

  /** The person did a step: its checks have data from now on, and no verdict. */
  capture(session: Session, features: readonly Feature[]): void {
    for (const feature of features) this.#check(session, feature, 'Not Finished');
    session.version += 1;
  }

  /**
   * As if the person had gone through the page to that end, passing the statuses on the way.
   * False when the session was finished already (but `Approved` may become `Kyc Expired`).
   */
  finish(session: Session, status: SessionStatus, scenario?: Scenario): boolean {
    const lapse = session.status === 'Approved' && status === 'Kyc Expired';
    if (!isUnfinished(session.status) && !lapse) return false;
    if (!lapse) session.scenario = scenario ?? scenarioFor(status);
    // A person who is midway does not expire but abandon; asked for all the same, it is done in one step.
    for (const next of wayTo(session.status, status) ?? [status]) this.#reach(session, next);
    return true;
  }

  /** A reviewer's decision through the API. */
  review(session: Session, status: SessionStatus, comment: string): void {
    session.reviews.push({ user: 'API Client', newStatus: status, comment, at: this.#parts.clock.wall() });
    if (status === 'Approved') session.lapsesAt = this.#documentEnd(session);
    this.#move(session, status, 'reviewer');
  }

  /** Sends the session back: the captured data of those steps is gone, its time starts anew, its page opens again. */
  resubmit(session: Session, nodes: readonly { nodeId: string; feature: Feature }[], comment: string): void {
    session.reviews.push({ user: 'API Client', newStatus: 'Resubmitted', comment, at: this.#parts.clock.wall() });
    for (const { feature } of nodes) session.checks.delete(feature);
    session.expiresAt = this.#parts.clock.wall() + this.#parts.sessionLifetimeMs;
    session.lapsesAt = this.#parts.clock.now() + this.#parts.sessionLifetimeMs;
    this.#move(session, 'Resubmitted', 'reviewer', {
      nodes_to_resubmit: nodes.map(({ nodeId, feature }) => ({
        node_id: nodeId,
        feature: featureNames[feature].resubmit[0] ?? feature,
      })),
      reasons: Object.fromEntries(nodes.map(({ nodeId }) => [nodeId, comment])),
    });
  }

  /** Ends what has run out on the sandbox clock. */
  sweep(): void {
    const now = this.#parts.clock.now();
    for (const session of this.#parts.store.all()) {
      if (session.lapsesAt > now || session.type === 'API') continue;
      const ended = lapsed[session.status];
      if (ended !== undefined) this.#reach(session, ended);
    }
  }

  #reach(session: Session, status: SessionStatus): void {
    if (status === 'Approved' || status === 'Declined' || status === 'In Review') this.#decide(session, status);
    const document = session.features.includes('ID_VERIFICATION');
    if (status === 'Abandoned' && document) this.#check(session, 'ID_VERIFICATION', 'Not Finished');
    if (status === 'Kyc Expired' && document) this.#check(session, 'ID_VERIFICATION', 'Expired');
    if (status === 'Approved') session.lapsesAt = this.#documentEnd(session);
    this.#move(session, status, mayMove(session.status, status, 'flow') ? 'flow' : 'forced');
  }

  #decide(session: Session, outcome: SessionStatus): void {
    for (const feature of session.features) {
      this.#check(session, feature, featureStatus(feature, session.scenario, outcome));
    }
  }

  #check(session: Session, feature: Feature, status: FeatureStatus): void {
    session.checks.set(feature, { ...session.checks.get(feature), status });
  }

  /**
   * When the document ends on the sandbox clock, which may be years ahead of the one that dated it. One that had expired
   * already does not make its approval lapse at once.
   */
  #documentEnd(session: Session): number {
    const left = Date.parse(expirationOf(session)) - session.createdAt;
    return left > 0 ? this.#parts.clock.now() + left : Number.POSITIVE_INFINITY;
  }

  #move(session: Session, status: SessionStatus, mover: Mover | 'forced', resubmitInfo?: JsonObject): void {
    if (mover !== 'forced' && !mayMove(session.status, status, mover)) {
      throw new Error(`a session does not go from ${session.status} to ${status}`);
    }
    session.status = status;
    session.version += 1;
    this.#parts.changed(session, resubmitInfo);
  }
}

/** What becomes of a session whose time is over. */
const lapsed: Partial<Record<SessionStatus, SessionStatus>> = {
  'Not Started': 'Expired',
  Resubmitted: 'Expired',
  'In Progress': 'Abandoned',
  'Awaiting User': 'Abandoned',
  Approved: 'Kyc Expired',
};
