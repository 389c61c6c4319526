import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * incidents.incidents: one row a ticket, with its facts and where they come from, the engine's proposal and the person's decision.
 * incidents.timeline: what happened to it and by whom; it only grows. incidents.numbers: the last reference given out in a year.
 * `cause_key` names what the gateway noticed: until `cause_closed_at` further signs of it join, and a unique index holds that to one
 * incident however many instances notice. incidents.vendor_calls: how many calls each instance made to a vendor in a second.
 */
export class Incidents1764000050000 implements MigrationInterface {
  name = 'Incidents1764000050000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    for (const statement of [...TABLES, ...GRANTS]) await runner.query(statement);
    await runner.query('RESET ROLE');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE incidents.vendor_calls, incidents.timeline, incidents.incidents, incidents.numbers');
  }
}

const TABLES = [
  `CREATE TABLE incidents.numbers (
     year integer CONSTRAINT numbers_pkey PRIMARY KEY,
     last integer NOT NULL
   )`,
  `CREATE TABLE incidents.incidents (
     id                 uuid CONSTRAINT incidents_pkey PRIMARY KEY,
     reference          text NOT NULL CONSTRAINT incidents_reference_key UNIQUE,
     state              text NOT NULL DEFAULT 'assessing',
     title              text NOT NULL,
     description        text,
     opened_by          text NOT NULL,
     cause_key          text,
     cause_closed_at    timestamptz,
     detected_at        timestamptz NOT NULL,
     aware_at           timestamptz,
     occurred_at        timestamptz,
     restored_at        timestamptz,
     resolved_at        timestamptz,
     facts              jsonb NOT NULL,
     maintenance_window jsonb,
     proposal           jsonb NOT NULL,
     decision           jsonb,
     measurements       jsonb,
     version            integer NOT NULL DEFAULT 1,
     created_at         timestamptz NOT NULL,
     updated_at         timestamptz NOT NULL,
     CONSTRAINT incidents_state_known CHECK (state IN ('assessing', 'not-major', 'major', 'reclassified', 'closed')),
     CONSTRAINT incidents_texts_bounded CHECK (length(title) BETWEEN 1 AND 200 AND length(description) <= 10000),
     CONSTRAINT incidents_documents_bounded CHECK (pg_column_size(facts) <= 65536 AND pg_column_size(proposal) <= 131072)
   )`,
  'CREATE INDEX incidents_state_id_idx ON incidents.incidents (state, id)',
  'CREATE UNIQUE INDEX incidents_open_cause_idx ON incidents.incidents (cause_key) WHERE cause_closed_at IS NULL',
  'CREATE INDEX incidents_cause_closed_idx ON incidents.incidents (cause_key, cause_closed_at)',
  `CREATE TABLE incidents.timeline (
     n           bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT timeline_pkey PRIMARY KEY,
     incident_id uuid NOT NULL CONSTRAINT timeline_incident_id_fkey REFERENCES incidents.incidents (id),
     at          timestamptz NOT NULL,
     what        text NOT NULL,
     by          text NOT NULL,
     record_id   uuid NOT NULL,
     detail      jsonb NOT NULL,
     CONSTRAINT timeline_what_bounded CHECK (length(what) BETWEEN 1 AND 64),
     CONSTRAINT timeline_detail_bounded CHECK (pg_column_size(detail) <= 16384)
   )`,
  'CREATE INDEX timeline_incident_id_idx ON incidents.timeline (incident_id, n)',
  `CREATE TABLE incidents.vendor_calls (
     vendor   text NOT NULL,
     second   timestamptz NOT NULL,
     instance text NOT NULL,
     calls    integer NOT NULL,
     CONSTRAINT vendor_calls_pkey PRIMARY KEY (vendor, second, instance)
   )`,
];

const GRANTS = [
  'GRANT SELECT, INSERT, UPDATE ON incidents.numbers, incidents.incidents TO gatehouse_app',
  'GRANT SELECT, INSERT ON incidents.timeline TO gatehouse_app',
  'GRANT SELECT, INSERT, UPDATE, DELETE ON incidents.vendor_calls TO gatehouse_app',
  'GRANT SELECT ON incidents.incidents, incidents.timeline TO gatehouse_auditor',
];
