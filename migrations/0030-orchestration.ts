import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * orchestration.idempotency: one row a client, method, path and Idempotency-Key, with a lease while its first call runs.
 * orchestration.ownership: which client made what stands at the vendor (rule 2); a row never changes.
 * orchestration.verifications: the verifications and where each stands; what names a person is sealed under the subject's key.
 */
export class Orchestration1764000030000 implements MigrationInterface {
  name = 'Orchestration1764000030000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    await runner.query(`
      CREATE TABLE orchestration.idempotency (
        id          uuid CONSTRAINT idempotency_pkey PRIMARY KEY,
        client_id   uuid NOT NULL,
        method      text NOT NULL,
        path        text NOT NULL,
        key         text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
        body_digest bytea NOT NULL CHECK (length(body_digest) = 32),
        state       text NOT NULL CHECK (state IN ('running', 'done')),
        holder      uuid NOT NULL,
        lease_until timestamptz NOT NULL,
        answer      uuid,
        created_at  timestamptz NOT NULL,
        expires_at  timestamptz NOT NULL,
        CONSTRAINT idempotency_scope UNIQUE (client_id, method, path, key)
      )`);
    await runner.query('CREATE INDEX idempotency_expires_at ON orchestration.idempotency (expires_at)');
    await runner.query(`
      CREATE TABLE orchestration.ownership (
        vendor     text NOT NULL,
        kind       text NOT NULL CHECK (length(kind) BETWEEN 1 AND 32),
        vendor_ref text NOT NULL CHECK (length(vendor_ref) BETWEEN 1 AND 128),
        client_id  uuid NOT NULL,
        created_at timestamptz NOT NULL,
        CONSTRAINT ownership_pkey PRIMARY KEY (vendor, kind, vendor_ref)
      )`);
    await runner.query('CREATE SEQUENCE orchestration.looks');
    await runner.query(`
      CREATE TABLE orchestration.verifications (
        id               uuid CONSTRAINT verifications_pkey PRIMARY KEY,
        client_id        uuid NOT NULL,
        idempotency_id   uuid NOT NULL,
        workflow         text NOT NULL,
        workflow_version integer NOT NULL,
        subject          text NOT NULL,
        relationship     text NOT NULL,
        status           text NOT NULL DEFAULT 'pending',
        vendor           text NOT NULL,
        vendor_status    text,
        session_id       uuid,
        unsure           boolean NOT NULL DEFAULT false,
        searches         integer NOT NULL DEFAULT 0,
        sealed_subject   bytea NOT NULL,
        sealed_link      bytea,
        steps            jsonb NOT NULL,
        decision         uuid,
        look             bigint NOT NULL DEFAULT 0,
        looked_at        timestamptz NOT NULL,
        created_at       timestamptz NOT NULL,
        updated_at       timestamptz NOT NULL,
        expires_at       timestamptz NOT NULL,
        CONSTRAINT verifications_idempotency UNIQUE (idempotency_id),
        CONSTRAINT verifications_status_known CHECK (status IN ('pending', 'in-progress', 'approved', 'declined',
          'in-review', 'resubmission', 'expired', 'abandoned', 'cancelled', 'queued', 'failed')),
        CONSTRAINT verifications_relationship_known CHECK (relationship IN ('customer', 'prospect', 'unknown')),
        CONSTRAINT verifications_sealed_bounded CHECK (length(sealed_subject) <= 4096 AND length(sealed_link) <= 16384),
        CONSTRAINT verifications_steps_bounded CHECK (pg_column_size(steps) <= 16384)
      )`);
    await runner.query('CREATE INDEX verifications_client ON orchestration.verifications (client_id, id)');
    await runner.query(
      'CREATE INDEX verifications_client_subject ON orchestration.verifications (client_id, subject, id)',
    );
    await runner.query(
      'CREATE INDEX verifications_client_status ON orchestration.verifications (client_id, status, id)',
    );
    await runner.query('CREATE INDEX verifications_session ON orchestration.verifications (session_id)');
    await runner.query(
      `CREATE INDEX verifications_without_session ON orchestration.verifications (looked_at)
        WHERE session_id IS NULL AND status IN ('pending', 'queued')`,
    );
    await runner.query('GRANT SELECT, INSERT, UPDATE, DELETE ON orchestration.idempotency TO gatehouse_app');
    await runner.query('GRANT SELECT, INSERT ON orchestration.ownership TO gatehouse_app');
    await runner.query('GRANT SELECT, INSERT, UPDATE ON orchestration.verifications TO gatehouse_app');
    await runner.query('GRANT USAGE ON SEQUENCE orchestration.looks TO gatehouse_app');
    await runner.query('GRANT SELECT ON orchestration.ownership TO gatehouse_auditor');
    await runner.query(`
      GRANT SELECT (id, client_id, workflow, workflow_version, subject, relationship, status, vendor, vendor_status, session_id,
        steps, created_at, updated_at, expires_at) ON orchestration.verifications TO gatehouse_auditor`);
    await runner.query('RESET ROLE');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE orchestration.verifications, orchestration.ownership, orchestration.idempotency');
    await runner.query('DROP SEQUENCE orchestration.looks');
  }
}
