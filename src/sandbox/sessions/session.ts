import type { Feature, FeatureStatus } from '../decision/features.js';
import type { Person } from '../decision/people.js';
import type { Scenario } from '../decision/scenarios.js';
import type { Json, JsonObject } from '../wire/json.js';
import type { SessionStatus } from './transitions.js';

export interface Review {
  readonly user: string;
  readonly newStatus: SessionStatus;
  readonly comment: string;
  readonly at: number;
}

/** One check of a session that has run: what it found follows from the scenario, its verdict stands here. */
export interface Check {
  status: FeatureStatus;
  /** 0 to 100, where the check gives one that is not the scenario's own. */
  readonly score?: number;
}

/** What an AML screening was asked about, where it was not the person of the document. */
export interface ScreenedData {
  readonly fullName: string;
  readonly dateOfBirth: string | null;
  readonly nationality: string | null;
  readonly documentNumber: string | null;
  readonly entityType: 'person' | 'company';
}

/** A verification session of the one application that the sandbox plays. Instants are epoch milliseconds. */
export interface Session {
  readonly id: string;
  readonly number: number;
  /** Twelve characters that open the hosted page: a secret. */
  readonly token: string;
  /** Made by hand through the page, or kept from a standalone call. */
  readonly type: 'HOSTED' | 'API';
  readonly features: readonly Feature[];
  readonly person: Person;
  readonly vendorData: string | null;
  /** Null for a stored standalone call: it ran on none. */
  readonly workflowId: string | null;
  readonly workflowVersion: number;
  readonly language: string | null;
  readonly contactDetails: JsonObject | null;
  readonly expectedDetails: JsonObject | null;
  /** On the wall clock. */
  readonly createdAt: number;
  metadata: Json;
  callback: string | null;
  status: SessionStatus;
  scenario: Scenario;
  screened: ScreenedData | null;
  readonly checks: Map<Feature, Check>;
  reviews: Review[];
  /** Whether the person agreed, on the page, to being checked. */
  consented: boolean;
  /** Wall clock, as the decision tells it. */
  expiresAt: number;
  /** Sandbox clock: when the session, or what it approved, lapses. */
  lapsesAt: number;
  /** Counts every change, for whoever keeps a rendering. */
  version: number;
}
