import { Injectable } from '@nestjs/common';
import { Clock, Database, Outbox, type Tx } from '../platform/index.js';
import { isOutage, suspectWindows, type Window } from './detection.js';
import type { Incident, Measurements } from './entities/incident.entity.js';
import { IncidentStore } from './incident-store.js';
import { GATEWAY, IncidentWriter, proposalDetail } from './incident-writer.js';
import { TELL_EVERY_MS, VendorCallCounts } from './vendor-call-counts.js';

/** Signal of one failed call to a vendor; its subject is the vendor's name. */
const FAILED = 'vendor.failed';
/** Arbitrary but fixed: one instance looks at a time. */
const LOCK = 4_711_202_602;
/** A second is judged when every instance has had the time to tell its calls. */
const LAG_MS = 2 * TELL_EVERY_MS;
/** How far back failures are read: a window, the lag, and slack for looks that came late. */
const LOOK_BACK_MS = 120_000;
const MOST_FAILURES = 5_000;
const MOST_WINDOWS = 10;
/** Without a failure for so long, the next one is another incident. */
const CEASED_MS = 30 * 60_000;
/** Joins come often at first and rarer as an incident grows old, so that its timeline stays readable. */
const FIRST_JOIN_MS = 15_000;
const JOIN_SHARE_OF_AGE = 0.05;
const MOST_OVERRUN = 20;

/** Vendors that are watched, with what a ticket calls them. */
const VENDORS: readonly { name: string; title: string }[] = [{ name: 'didit', title: 'Calls to Didit fail' }];

/** Notices by itself that a vendor fails, and opens or feeds the one incident of that cause. */
@Injectable()
export class Detector {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly outbox: Outbox,
    private readonly calls: VendorCallCounts,
    private readonly store: IncidentStore,
    private readonly writer: IncidentWriter,
  ) {}

  /** One look, on whichever instance comes first. */
  async look(): Promise<void> {
    await this.database.transaction(async (tx) => {
      const [lock] = await tx.query<{ held: boolean }[]>('SELECT pg_try_advisory_xact_lock($1) AS held', [LOCK]);
      if (lock?.held !== true) return;
      for (const { name, title } of VENDORS) await this.lookAt(tx, name, title);
      await this.reassessOverrun(tx);
    });
  }

  private async lookAt(tx: Tx, vendor: string, title: string): Promise<void> {
    const causeKey = `vendor:${vendor}`;
    const incident = await this.store.holdByCause(tx, causeKey);
    if (incident !== undefined) return this.feed(tx, vendor, incident);
    const window = await this.outage(tx, vendor, await this.store.causeClosedAt(tx, causeKey));
    if (window !== undefined) await this.open(tx, causeKey, title, window);
  }

  private async outage(tx: Tx, vendor: string, after: Date | undefined): Promise<Outage | undefined> {
    const now = this.clock.epochMs();
    const signals = await this.outbox.since(FAILED, new Date(now - LOOK_BACK_MS), MOST_FAILURES);
    const held = await this.calls.heldSince(tx, vendor, new Date(now - LOOK_BACK_MS));
    const failures = [
      ...signals.filter(({ subject }) => subject === vendor).map(({ at }) => at),
      // Held back by an open breaker: no signal each, and yet calls that failed.
      ...held.flatMap(({ at, calls }) => Array.from({ length: Math.min(calls, MOST_FAILURES) }, () => at)),
    ]
      .filter((at) => at.getTime() <= now - LAG_MS && !(after && at <= after))
      .sort((one, other) => one.getTime() - other.getTime());
    for (const window of suspectWindows(failures).slice(0, MOST_WINDOWS)) {
      const calls = Math.max(window.failed, await this.calls.within(tx, vendor, window));
      if (isOutage(window.failed, calls)) return { ...window, calls, failures: failures.filter(isWithin(window)) };
    }
    return undefined;
  }

  private async open(tx: Tx, causeKey: string, title: string, outage: Outage): Promise<void> {
    const { failed, calls } = outage;
    const [first, last] = [outage.failures[0], outage.failures.at(-1)];
    if (first === undefined || last === undefined) return;
    await this.writer.open(tx, GATEWAY, {
      title,
      description: `${failed} of ${calls} calls failed between ${first.toISOString()} and ${last.toISOString()}.`,
      detectedAt: this.clock.now(),
      awareAt: null,
      occurredAt: first,
      restoredAt: null,
      resolvedAt: null,
      // How long it lasts, whom it hits and what it supports is not known to the gateway yet: unknown is not zero.
      facts: { ictRelatedIncident: { value: true, provenance: 'measured', method: 'failed calls to a vendor' } },
      maintenanceWindow: null,
      causeKey,
      measurements: {
        failedCalls: failed,
        firstFailureAt: first.toISOString(),
        lastFailureAt: last.toISOString(),
      },
    });
  }

  private async feed(tx: Tx, vendor: string, incident: Incident): Promise<void> {
    const { measurements } = incident;
    if (measurements === null) return;
    const now = this.clock.now();
    const { count, lastAt } = await this.outbox.tally(FAILED, vendor, new Date(measurements.firstFailureAt));
    const held = await this.calls.heldSince(tx, vendor, new Date(measurements.firstFailureAt));
    const last = Math.max(lastAt?.getTime() ?? 0, held.at(-1)?.at.getTime() ?? 0);
    const fresh: Measurements = {
      ...measurements,
      failedCalls: Math.max(count + held.reduce((sum, { calls }) => sum + calls, 0), measurements.failedCalls),
      lastFailureAt: new Date(Math.max(last, Date.parse(measurements.lastFailureAt))).toISOString(),
    };
    const grown = { ...incident, measurements: fresh };
    if (now.getTime() - Date.parse(fresh.lastFailureAt) > CEASED_MS) {
      const ended = { ...grown, causeClosedAt: new Date(fresh.lastFailureAt) };
      await this.writer.measure(tx, ended, { what: 'ceased', detail: { ...fresh } });
    } else if (fresh.failedCalls > measurements.failedCalls && isDue(incident, now)) {
      const further = fresh.failedCalls - measurements.failedCalls;
      await this.writer.measure(tx, { ...grown, updatedAt: now }, { what: 'joined', detail: { ...fresh, further } });
    }
  }

  /** A maintenance that has gone beyond its window without ending is an incident after all. */
  private async reassessOverrun(tx: Tx): Promise<void> {
    for (const id of await this.store.overrun(this.clock.now(), MOST_OVERRUN)) {
      const incident = this.writer.reassessed(await this.store.hold(tx, id));
      await this.writer.measure(tx, incident, { what: 'reassessed', detail: proposalDetail(incident) });
    }
  }
}

interface Outage extends Window {
  calls: number;
  /** Instants of the failed calls in the window, in order. */
  failures: Date[];
}

function isWithin({ from, to }: Window): (at: Date) => boolean {
  return (at) => {
    const second = Math.floor(at.getTime() / 1_000);
    return second >= from && second <= to;
  };
}

function isDue({ createdAt, updatedAt }: Incident, now: Date): boolean {
  const age = now.getTime() - createdAt.getTime();
  return now.getTime() - updatedAt.getTime() >= Math.max(FIRST_JOIN_MS, age * JOIN_SHARE_OF_AGE);
}
