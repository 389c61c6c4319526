import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * incidents.held_calls: how many calls each instance held back in a second because the vendor fails. They are calls that an outage hits,
 * and leave no signal each. A table of its own, since that of the calls comes with a later number.
 */
export class HeldCalls1764000034000 implements MigrationInterface {
  name = 'HeldCalls1764000034000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    await runner.query(`
      CREATE TABLE incidents.held_calls (
        vendor   text NOT NULL,
        second   timestamptz NOT NULL,
        instance text NOT NULL,
        held     integer NOT NULL,
        CONSTRAINT held_calls_pkey PRIMARY KEY (vendor, second, instance)
      )`);
    await runner.query('GRANT SELECT, INSERT, UPDATE, DELETE ON incidents.held_calls TO gatehouse_app');
    await runner.query('RESET ROLE');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE incidents.held_calls');
  }
}
