import type { MigrationInterface, QueryRunner } from 'typeorm';

const GROW = `
  CREATE FUNCTION audit.grow_completeness() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
  BEGIN
    IF NEW.next < OLD.next THEN
      RAISE EXCEPTION 'UPDATE of audit.completeness is refused: it only goes forward' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
  END $$`;

/**
 * audit.completeness: up to which number every intent in the log has been seen to have its completion, or was closed as of unknown outcome.
 * Its one row is also the lock by which one instance looks at a time. The index holds intents alone: walking them in the order of their
 * numbers passes by every other record.
 */
export class Completeness1764000018000 implements MigrationInterface {
  name = 'Completeness1764000018000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    await runner.query(`
      CREATE TABLE audit.completeness (
        one  boolean DEFAULT true CONSTRAINT completeness_pkey PRIMARY KEY CONSTRAINT completeness_one CHECK (one),
        next bigint NOT NULL DEFAULT 0 CHECK (next >= 0)
      )`);
    await runner.query('INSERT INTO audit.completeness DEFAULT VALUES');
    await runner.query(
      `CREATE INDEX log_intent_seq ON audit.log (seq) WHERE kind = 'call.intent' OR kind = 'vendor.intent'`,
    );
    await runner.query(GROW);
    await runner.query(
      'CREATE TRIGGER forward_only BEFORE UPDATE ON audit.completeness FOR EACH ROW EXECUTE FUNCTION audit.grow_completeness()',
    );
    for (const [name, events] of [
      ['no_delete', 'DELETE'],
      ['no_truncate', 'TRUNCATE'],
    ]) {
      await runner.query(
        `CREATE TRIGGER ${name} BEFORE ${events} ON audit.completeness EXECUTE FUNCTION audit.refuse()`,
      );
    }
    await runner.query('REVOKE ALL ON FUNCTION audit.grow_completeness() FROM PUBLIC');
    await runner.query('GRANT SELECT, UPDATE (next) ON audit.completeness TO gatehouse_app');
    await runner.query('GRANT SELECT ON audit.completeness TO gatehouse_auditor');
    await runner.query('RESET ROLE');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX audit.log_intent_seq');
    await runner.query('DROP TABLE audit.completeness');
    await runner.query('DROP FUNCTION audit.grow_completeness()');
  }
}
