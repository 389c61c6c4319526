import { Detector } from '../../src/incidents/detector.js';
import { EntitySettings } from '../../src/incidents/entity-settings.js';
import { IncidentStore } from '../../src/incidents/incident-store.js';
import { IncidentWriter } from '../../src/incidents/incident-writer.js';
import { incidentsEntities } from '../../src/incidents/index.js';
import { Incidents } from '../../src/incidents/incidents.js';
import { type NewIncident, newIncidentSchema } from '../../src/incidents/schemas.js';
import { VendorCallCounts } from '../../src/incidents/vendor-call-counts.js';
import { type Call, type Database, loadConfig, Log, ManualClock, Outbox, uuidv7 } from '../../src/platform/index.js';
import type { DiditVendor } from '../../src/vendors/index.js';
import { openTestLog } from './audit.js';
import { startTestDatabase } from './database.js';

export const OFFICER = '0190a7b2-1111-7000-8000-00000000000a';

/** Facts by which an incident is major under Article 8(1)(b). */
export const MAJOR = {
  critical: { cif: true },
  clients: { affected: 20, usingService: 100 },
  reputation: { media: true },
};

/** The module's services on one connection pool, as an instance of the gateway has them. */
export interface IncidentInstance {
  incidents: Incidents;
  detector: Detector;
  counts: VendorCallCounts;
  outbox: Outbox;
}

export interface IncidentHouse {
  clock: ManualClock;
  database: Database;
  instance(): IncidentInstance;
  anotherInstance(): Promise<IncidentInstance>;
  /** Records about an incident, in the order in which they were written. */
  records(incident: string): Promise<Record<string, unknown>[]>;
  /** Lets nothing of an earlier spec play a part in the detection. */
  forget(): Promise<void>;
  stop(): Promise<void>;
}

/** Incidents on a database of their own, with a clock that stands still. */
export async function openIncidentHouse(): Promise<IncidentHouse> {
  const test = await startTestDatabase(incidentsEntities);
  const log = await openTestLog(test.superuserUrl);
  const clock = new ManualClock();
  const settings = EntitySettings.of(loadConfig({}));
  const instance = (database: Database): IncidentInstance => {
    const store = new IncidentStore(database);
    const writer = new IncidentWriter(store, log.auditLog, clock, settings);
    const outbox = new Outbox(database);
    const vendor = { observe: () => {} } as unknown as DiditVendor;
    const counts = new VendorCallCounts(database, clock, vendor, new Log('silent'));
    return {
      incidents: new Incidents(database, store, writer, clock, settings),
      detector: new Detector(database, clock, outbox, counts, store, writer),
      counts,
      outbox,
    };
  };
  return {
    clock,
    database: test.database,
    instance: () => instance(test.database),
    anotherInstance: async () => instance(await test.another()),
    records: (incident) => recordsOf(test.database, incident),
    forget: async () => {
      await test.database.query('DELETE FROM platform.signals');
      await test.database.query('DELETE FROM incidents.vendor_calls');
      await test.database.query('DELETE FROM incidents.held_calls');
      await test.database.query('UPDATE incidents.incidents SET cause_key = NULL, measurements = NULL');
    },
    stop: async () => {
      await log.stop();
      await test.stop();
    },
  };
}

async function recordsOf(database: Database, incident: string): Promise<Record<string, unknown>[]> {
  const rows = await database.query<{ bytes: Buffer }>(
    'SELECT bytes FROM (SELECT id, bytes FROM audit.intake UNION SELECT id, bytes FROM audit.log) r ORDER BY id',
  );
  return rows
    .map(({ bytes }) => JSON.parse(bytes.toString()) as Record<string, unknown>)
    .filter(({ detail }) => (detail as { incident?: string } | undefined)?.incident === incident);
}

/** A call of the incident manager. */
export function officerCall(): Call {
  return {
    id: uuidv7(),
    traceId: '0af7651916cd43dd8448eb211c80319c',
    caller: { kind: 'administrator', id: OFFICER, name: 'ana', roles: new Set(['incident-manager']), tokenId: 'tok' },
  } as unknown as Call;
}

export function newIncident(clock: ManualClock, members: object = {}): NewIncident {
  return newIncidentSchema.parse({ title: 'Slow logins', detectedAt: clock.now().toISOString(), ...members });
}
