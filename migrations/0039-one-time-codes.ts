import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * orchestration.one_time_codes: which client awaits a code at a number or an address. Didit keeps codes by number or address alone, so that
 * of two clients that share its application only one may have one there at a time. The address is a pseudonym.
 */
export class OneTimeCodes1764000039000 implements MigrationInterface {
  name = 'OneTimeCodes1764000039000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    await runner.query(`
      CREATE TABLE orchestration.one_time_codes (
        vendor     text NOT NULL,
        channel    text NOT NULL CHECK (channel IN ('phone', 'email')),
        address    text NOT NULL CHECK (length(address) = 32),
        client_id  uuid NOT NULL,
        expires_at timestamptz NOT NULL,
        CONSTRAINT one_time_codes_pkey PRIMARY KEY (vendor, channel, address)
      )`);
    await runner.query('CREATE INDEX one_time_codes_expires_at ON orchestration.one_time_codes (expires_at)');
    await runner.query('GRANT SELECT, INSERT, UPDATE, DELETE ON orchestration.one_time_codes TO gatehouse_app');
    await runner.query('RESET ROLE');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE orchestration.one_time_codes');
  }
}
