import type { MigrationInterface, QueryRunner } from 'typeorm';

/** As before, but for a change of name that audit.origin tells. */
const GROW_HEAD = (origin: string) => `
  CREATE OR REPLACE FUNCTION audit.grow_head() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
  BEGIN
    IF NEW.size < OLD.size OR NEW.partitioned_to < OLD.partitioned_to
       OR (NEW.size = OLD.size AND NEW.root <> OLD.root)
       OR (OLD.origin IS NOT NULL AND NEW.origin IS DISTINCT FROM OLD.origin${origin}) THEN
      RAISE EXCEPTION 'UPDATE of audit.head is refused: the audit log only grows' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
  END $$`;

const TOLD = `
           AND NOT EXISTS (SELECT FROM audit.origin WHERE origin.name = NEW.origin AND origin.first = NEW.size)`;

/** The log takes its name once. @returns the name it has. */
const BEGIN = `
  CREATE OR REPLACE FUNCTION audit.begin(name text) RETURNS text
  LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO audit.origin (first, name) SELECT 0, name FROM audit.head WHERE head.origin IS NULL ON CONFLICT DO NOTHING;
    UPDATE audit.head SET origin = name WHERE origin IS NULL;
    SELECT origin FROM audit.head;
  $$`;

/**
 * A note of the log at a size that no kept one reaches; an earlier or a known one is passed over. Whether the note is good is not for the
 * database to say: it holds no key, and whoever reads the note checks it. Notes are numbered without gaps and chained, so that one taken
 * out is missed: records in the log tell the chain from time to time.
 * @returns whether it was kept.
 */
const KEEP_CHECKPOINT = `
  CREATE FUNCTION audit.keep_checkpoint(tree_size bigint, tree_root bytea, signed_note text) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DECLARE
    last audit.checkpoint;
  BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('audit.keep_checkpoint', 0));
    IF NOT EXISTS (SELECT FROM audit.head WHERE head.size >= tree_size AND (head.size > tree_size OR head.root = tree_root)) THEN
      RAISE EXCEPTION 'no checkpoint beyond the head' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- Whose signature it bears the database cannot tell, but whose statement it is.
    IF NOT starts_with(signed_note, (SELECT format(E'%s\\n%s\\n%s\\n\\n— %s ', head.origin, tree_size, encode(tree_root, 'base64'), head.origin)
                                       FROM audit.head)) THEN
      RAISE EXCEPTION 'the note is no statement of this size and root' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT * INTO last FROM audit.checkpoint ORDER BY size DESC LIMIT 1;
    IF tree_size <= last.size THEN RETURN false; END IF;
    INSERT INTO audit.checkpoint (size, n, root, note, chain)
    VALUES (tree_size, coalesce(last.n, 0) + 1, tree_root, signed_note,
            sha256(coalesce(last.chain, ''::bytea) || convert_to(signed_note, 'UTF8')));
    RETURN true;
  END $$`;

/** @returns whether the key was new. */
const KEEP_KEY = `
  CREATE FUNCTION audit.keep_key(key text) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  BEGIN
    INSERT INTO audit.log_key (vkey) VALUES (key) ON CONFLICT (vkey) DO NOTHING;
    RETURN FOUND;
  END $$`;

/** For the owner alone, after a restore: from the next record on the log has another name (DESIGN section 6). */
const BEGIN_ORIGIN = `
  CREATE FUNCTION audit.begin_origin(new_name text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
  BEGIN
    INSERT INTO audit.origin (first, name) SELECT size, new_name FROM audit.head;
    UPDATE audit.head SET origin = new_name;
  END $$`;

const TABLES = ['origin', 'checkpoint', 'log_key'] as const;

/**
 * audit.checkpoint: every signed statement of size and root (C2SP tlog-checkpoint), one a size. audit.log_key: public keys that signed
 * (C2SP vkey). audit.origin: the names of the log and the first record under each; there is a second one only after a restore.
 */
export class Checkpoints1764000012000 implements MigrationInterface {
  name = 'Checkpoints1764000012000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    await runner.query(`
      CREATE TABLE audit.origin (
        first    bigint CONSTRAINT origin_pkey PRIMARY KEY CHECK (first >= 0),
        name     text NOT NULL CONSTRAINT origin_name_key UNIQUE CHECK (length(name) BETWEEN 3 AND 128),
        began_at timestamptz NOT NULL DEFAULT clock_timestamp()
      )`);
    await runner.query(`
      CREATE TABLE audit.checkpoint (
        size      bigint CONSTRAINT checkpoint_pkey PRIMARY KEY CHECK (size > 0),
        n         bigint NOT NULL CONSTRAINT checkpoint_n_key UNIQUE CHECK (n > 0),
        root      bytea NOT NULL CHECK (length(root) = 32),
        note      text NOT NULL CHECK (length(note) <= 4096),
        chain     bytea NOT NULL CHECK (length(chain) = 32),
        signed_at timestamptz NOT NULL DEFAULT clock_timestamp()
      )`);
    await runner.query(`
      CREATE TABLE audit.log_key (
        vkey  text CONSTRAINT log_key_pkey PRIMARY KEY CHECK (length(vkey) <= 256),
        since timestamptz NOT NULL DEFAULT clock_timestamp()
      )`);
    await runner.query(
      'INSERT INTO audit.origin (first, name) SELECT 0, origin FROM audit.head WHERE origin IS NOT NULL',
    );
    for (const body of [GROW_HEAD(TOLD), BEGIN, KEEP_CHECKPOINT, KEEP_KEY, BEGIN_ORIGIN]) await runner.query(body);
    for (const table of TABLES) {
      await runner.query(
        `CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON audit.${table} FOR EACH ROW EXECUTE FUNCTION audit.refuse()`,
      );
      await runner.query(
        `CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.${table} EXECUTE FUNCTION audit.refuse()`,
      );
      await runner.query(`GRANT SELECT ON audit.${table} TO gatehouse_app, gatehouse_auditor, gatehouse_archivist`);
    }
    await runner.query('REVOKE ALL ON ALL FUNCTIONS IN SCHEMA audit FROM PUBLIC');
    await runner.query(
      'GRANT EXECUTE ON FUNCTION audit.keep_checkpoint(bigint, bytea, text), audit.keep_key(text) TO gatehouse_app',
    );
    await runner.query('RESET ROLE');
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of ['begin_origin(text)', 'keep_key(text)', 'keep_checkpoint(bigint, bytea, text)'])
      await runner.query(`DROP FUNCTION audit.${name}`);
    await runner.query(GROW_HEAD(''));
    await runner.query(BEGIN.replace(/INSERT[^;]*;/, ''));
    await runner.query('DROP TABLE audit.log_key, audit.checkpoint, audit.origin');
  }
}
