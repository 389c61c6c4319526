import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Whom a record's body digests are about: the subject, or else the verification, or else the vendor's session that the record names. The
 * record may have gone to the archive when its keys are asked for, so it is noted when they come. Once a batch, for all its keys; most
 * records name no session, and are not parsed for it.
 */
const ABOUT = `
  coalesce(record.subject, record.verification, CASE WHEN position('"sessionId"'::bytea IN record.bytes) > 0 THEN
    left(convert_from(record.bytes, 'UTF8')::jsonb #>> '{detail,sessionId}', 64) END)`;

const NOTE_DIGESTS = `
  CREATE FUNCTION audit.note_digests() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
  BEGIN
    INSERT INTO audit.digest_about (about, record_id)
    SELECT about, record_id
      FROM (SELECT made.record_id, ${ABOUT} AS about
              FROM made CROSS JOIN LATERAL (
                SELECT subject, verification, bytes FROM audit.intake WHERE intake.id = made.record_id
                UNION ALL
                SELECT log.subject, log.verification, log.bytes
                  FROM audit.place JOIN audit.log ON log.seq = place.seq WHERE place.id = made.record_id
                 LIMIT 1) AS record) AS noted
     WHERE about IS NOT NULL
        ON CONFLICT DO NOTHING;
    RETURN NULL;
  END $$`;

/** audit.digest_about: which body digests are about whom, so that their keys are erased with the person, wherever the records lie. */
export class Erasure1764000017000 implements MigrationInterface {
  name = 'Erasure1764000017000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    await runner.query(`
      CREATE TABLE audit.digest_about (
        about     text NOT NULL,
        record_id uuid NOT NULL,
        CONSTRAINT digest_about_pkey PRIMARY KEY (about, record_id)
      )`);
    await runner.query(`
      INSERT INTO audit.digest_about (about, record_id)
      SELECT about, record_id
        FROM (SELECT digest_keys.record_id, ${ABOUT} AS about
                FROM audit.digest_keys JOIN (
                  SELECT id, subject, verification, bytes FROM audit.log
                  UNION ALL SELECT id, subject, verification, bytes FROM audit.intake) AS record ON record.id = digest_keys.record_id) AS noted
       WHERE about IS NOT NULL`);
    await runner.query(NOTE_DIGESTS);
    await runner.query('REVOKE ALL ON FUNCTION audit.note_digests() FROM PUBLIC');
    await runner.query(`
      CREATE TRIGGER note_digests AFTER INSERT ON audit.digest_keys REFERENCING NEW TABLE AS made
      FOR EACH STATEMENT EXECUTE FUNCTION audit.note_digests()`);
    await runner.query(
      'CREATE TRIGGER no_change BEFORE UPDATE ON audit.digest_about FOR EACH ROW EXECUTE FUNCTION audit.refuse()',
    );
    await runner.query('GRANT SELECT, DELETE ON audit.digest_about TO gatehouse_app');
    await runner.query('RESET ROLE');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TRIGGER note_digests ON audit.digest_keys');
    await runner.query('DROP FUNCTION audit.note_digests()');
    await runner.query('DROP TABLE audit.digest_about');
  }
}
