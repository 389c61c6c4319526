import type { MigrationInterface, QueryRunner } from 'typeorm';

const FORWARD = `
  CREATE FUNCTION audit.forward_sink_cursor() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
  BEGIN
    IF NEW.name <> OLD.name OR NEW.next_seq < OLD.next_seq THEN
      RAISE EXCEPTION 'UPDATE of audit.sink_cursor is refused: a cursor only moves forwards'
        USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
  END $$`;

/**
 * A receiver that is new begins with the first record that the log still holds, or with the next one to come.
 * @returns the number of its next record, whether it is new or not.
 */
const OPEN_SINK = `
  CREATE FUNCTION audit.open_sink(sink text, from_now boolean) RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
  BEGIN
    INSERT INTO audit.sink_cursor (name, next_seq)
    SELECT sink, CASE WHEN from_now THEN head.size ELSE coalesce((SELECT min(seq) FROM audit.log), head.size) END
      FROM audit.head
        ON CONFLICT (name) DO NOTHING;
    RETURN (SELECT next_seq FROM audit.sink_cursor WHERE name = sink);
  END $$`;

/**
 * Takes or keeps the right to ship to a receiver for a while, by the clock of the database. What troubles the holder stands beside it, for
 * whoever asks another instance, until a batch is acknowledged.
 * @returns the number of the next record; no row while another has the right.
 */
const LEASE_SINK = `
  CREATE FUNCTION audit.lease_sink(sink text, who text, ms integer, what text) RETURNS TABLE (next_seq bigint)
  LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE audit.sink_cursor AS c
       SET holder = who, held_until = clock_timestamp() + make_interval(secs => ms / 1000.0), trouble = coalesce(what, c.trouble)
     WHERE c.name = sink AND (c.holder IS NULL OR c.holder = who OR c.held_until < clock_timestamp())
    RETURNING c.next_seq
  $$`;

/**
 * Everything before \`past\` was acknowledged. Only for the one who has the right, and only as far as a checkpoint covers.
 * @returns false when another has the right by now, or has moved it as far already.
 */
const MOVE_SINK = `
  CREATE FUNCTION audit.move_sink(sink text, who text, past bigint) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  BEGIN
    UPDATE audit.sink_cursor AS c
       SET next_seq = past, trouble = NULL, sent_at = clock_timestamp(), updated_at = clock_timestamp()
     WHERE c.name = sink AND c.holder = who AND c.next_seq < past
       AND past <= (SELECT max(checkpoint.size) FROM audit.checkpoint);
    RETURN FOUND;
  END $$`;

/** An instance that stops leaves its receivers to the others at once. */
const RELEASE_SINK = `
  CREATE FUNCTION audit.release_sink(sink text, who text) RETURNS void
  LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE audit.sink_cursor AS c SET holder = NULL, held_until = NULL WHERE c.name = sink AND c.holder = who
  $$`;

const SIGNATURES = [
  'open_sink(text, boolean)',
  'lease_sink(text, text, integer, text)',
  'move_sink(text, text, bigint)',
  'release_sink(text, text)',
];

/**
 * audit.sink_cursor: how far each receiver (SIEM, collector, file) has acknowledged the log, and which instance ships to it. It only moves
 * forwards, so that nothing that was told can be told of as new, and by functions alone.
 */
export class Sinks1764000016000 implements MigrationInterface {
  name = 'Sinks1764000016000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    // Updated with each batch and each renewal of the right: its versions are to stay on its page.
    await runner.query(`
      CREATE TABLE audit.sink_cursor (
        name       text CONSTRAINT sink_cursor_pkey PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
        next_seq   bigint NOT NULL CHECK (next_seq >= 0),
        holder     text CHECK (length(holder) <= 64),
        held_until timestamptz,
        trouble    text CHECK (length(trouble) <= 64),
        sent_at    timestamptz,
        updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
      ) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500)`);
    for (const body of [FORWARD, OPEN_SINK, LEASE_SINK, MOVE_SINK, RELEASE_SINK]) await runner.query(body);
    await runner.query(
      'CREATE TRIGGER forward BEFORE UPDATE ON audit.sink_cursor FOR EACH ROW EXECUTE FUNCTION audit.forward_sink_cursor()',
    );
    await runner.query(
      'CREATE TRIGGER no_delete BEFORE DELETE ON audit.sink_cursor FOR EACH ROW EXECUTE FUNCTION audit.refuse()',
    );
    await runner.query(
      'CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.sink_cursor EXECUTE FUNCTION audit.refuse()',
    );
    await runner.query('GRANT SELECT ON audit.sink_cursor TO gatehouse_app, gatehouse_auditor, gatehouse_archivist');
    for (const signature of SIGNATURES) {
      await runner.query(`REVOKE ALL ON FUNCTION audit.${signature} FROM PUBLIC`);
      await runner.query(`GRANT EXECUTE ON FUNCTION audit.${signature} TO gatehouse_app`);
    }
    await runner.query('REVOKE ALL ON FUNCTION audit.forward_sink_cursor() FROM PUBLIC');
    await runner.query('RESET ROLE');
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const signature of SIGNATURES) await runner.query(`DROP FUNCTION audit.${signature}`);
    await runner.query('DROP TABLE audit.sink_cursor');
    await runner.query('DROP FUNCTION audit.forward_sink_cursor()');
  }
}
