import type { MigrationInterface, QueryRunner } from 'typeorm';

/** vendors.purges: when the truth about a resource last changed, so that no answer which was asked for before is kept afterwards. */
export class CachePurges1764000071000 implements MigrationInterface {
  name = 'CachePurges1764000071000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    await runner.query(`
      CREATE TABLE vendors.purges (
        resource  text CONSTRAINT purges_pkey PRIMARY KEY CHECK (length(resource) <= 128),
        purged_at timestamptz NOT NULL
      )`);
    await runner.query('CREATE INDEX purges_purged_at ON vendors.purges (purged_at)');
    await runner.query('GRANT SELECT, INSERT, UPDATE, DELETE ON vendors.purges TO gatehouse_app');
    await runner.query('GRANT SELECT ON vendors.purges TO gatehouse_auditor');
    await runner.query('RESET ROLE');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE vendors.purges');
  }
}
