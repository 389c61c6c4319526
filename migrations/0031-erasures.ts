import type { MigrationInterface, QueryRunner } from 'typeorm';

/** orchestration.erasures: who was erased, when, why and by whom; the person stands in it under the pseudonym that the log has. */
export class Erasures1764000031000 implements MigrationInterface {
  name = 'Erasures1764000031000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    await runner.query('ALTER TABLE orchestration.verifications ADD COLUMN erased_at timestamptz');
    await runner.query('GRANT SELECT (erased_at) ON orchestration.verifications TO gatehouse_auditor');
    await runner.query(`
      CREATE TABLE orchestration.erasures (
        id          uuid CONSTRAINT erasures_pkey PRIMARY KEY,
        client_id   uuid NOT NULL,
        subject     text NOT NULL CHECK (length(subject) BETWEEN 1 AND 256),
        ground      text NOT NULL,
        reason      text CHECK (length(reason) BETWEEN 1 AND 512),
        erased_by   text NOT NULL CHECK (length(erased_by) BETWEEN 1 AND 256),
        record_id   uuid NOT NULL,
        at          timestamptz NOT NULL,
        erased      jsonb NOT NULL,
        replayed_at timestamptz,
        CONSTRAINT erasures_ground_known CHECK (ground IN ('request', 'retention-over', 'court-order'))
      )`);
    await runner.query('CREATE INDEX erasures_subject ON orchestration.erasures (client_id, subject, id)');
    await runner.query('CREATE INDEX erasures_at ON orchestration.erasures (at)');
    await runner.query('GRANT SELECT, INSERT ON orchestration.erasures TO gatehouse_app');
    await runner.query('GRANT SELECT ON orchestration.erasures TO gatehouse_auditor');
    await runner.query('RESET ROLE');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE orchestration.erasures');
    await runner.query('ALTER TABLE orchestration.verifications DROP COLUMN erased_at');
  }
}
