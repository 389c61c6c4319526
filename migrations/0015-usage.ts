import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Log-linear: exact below eight microseconds, then eight buckets a power of two, so that a bucket is at most an eighth of its value wide.
 * In whole numbers only: a figure recomputed from the log is the same figure, on any machine.
 */
const LATENCY_BUCKET = `
  CREATE FUNCTION audit.latency_bucket(us bigint) RETURNS smallint
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (CASE WHEN us IS NULL THEN -1 WHEN us < 8 THEN greatest(us, 0)
      ELSE (bits - 3) * 8 + ((v >> (bits - 4)) & 7) END)::smallint
      FROM (SELECT least(us, 1099511627775) AS v, 65 - position(B'1' in least(us, 1099511627775)::bit(64)) AS bits) AS b
  $$`;

/**
 * Counts the next records of one build. A call names the last vendor call that it made and earlier ones have records of their own; the
 * record of a failure of the vendor within a call tells of one that is counted already, whereas that of work in the background is the
 * only one. Only the live build goes on to the head: another one follows it, so that both can be compared.
 * @returns no row when someone else is at it, or there is no such build.
 */
const ROLL_USAGE = `
  CREATE FUNCTION audit.roll_usage(the_build integer DEFAULT NULL, most integer DEFAULT 4096)
  RETURNS TABLE (rolled bigint, next_seq bigint)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
  #variable_conflict use_column
  DECLARE
    at_work audit.usage_build;
    tip audit.head;
    past bigint;
  BEGIN
    SELECT * INTO at_work FROM audit.usage_build
     WHERE CASE WHEN the_build IS NULL THEN live ELSE build = the_build END FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN RETURN; END IF;
    SELECT * INTO tip FROM audit.head;
    past := least(at_work.next_seq + greatest(least(most, 65536), 1), CASE WHEN at_work.live THEN tip.size
              ELSE (SELECT u.next_seq FROM audit.usage_build u WHERE u.live) END);
    IF past <= at_work.next_seq THEN
      RETURN QUERY SELECT 0::bigint, at_work.next_seq;
      RETURN;
    END IF;

    WITH batch AS MATERIALIZED (
      SELECT log.seq / tip.partition_size * tip.partition_size AS partition, date_trunc('hour', log.at, 'UTC') AS hour, log.kind,
             coalesce(log.client, '') AS client, concat_ws(' ', r.http ->> 'method', log.route) AS route, coalesce(log.status, 0) AS status,
             log.duration_us, coalesce(log.outcome, '') AS outcome, log.vendor_operation, coalesce(log.vendor_status, 0) AS vendor_status,
             log.vendor_duration_us, r.vendor ->> 'rung' AS rung, r.detail
        FROM audit.log, jsonb_to_record(convert_from(log.bytes, 'UTF8')::jsonb) AS r(http jsonb, vendor jsonb, detail jsonb)
       WHERE log.seq >= at_work.next_seq AND log.seq < past
         AND log.kind IN ('call', 'vendor.call', 'auth.failed.counted', 'webhook.received')
    ), entries AS (
      SELECT partition, hour, 'call' AS part, client, route AS operation, outcome, status, audit.latency_bucket(duration_us) AS bucket,
             1::bigint AS count, coalesce(duration_us, 0) AS total_us, coalesce(vendor_duration_us, 0) AS vendor_us
        FROM batch WHERE kind = 'call'
      UNION ALL
      SELECT partition, hour, 'vendor', client, vendor_operation, '', vendor_status, audit.latency_bucket(vendor_duration_us),
             1, coalesce(vendor_duration_us, 0), 0
        FROM batch
       WHERE kind IN ('call', 'vendor.call') AND vendor_operation IS NOT NULL AND rung = 'fresh'
         AND (kind = 'call' OR detail IS NULL OR NOT detail ? 'problem' OR detail ? 'job')
      UNION ALL
      SELECT partition, hour, 'failure', client, coalesce(vendor_operation, ''), detail ->> 'problem', vendor_status, -1, 1, 0, 0
        FROM batch WHERE kind = 'vendor.call' AND detail ? 'problem'
      UNION ALL
      SELECT partition, hour, 'counted', client, '', outcome, 0, -1, coalesce((detail ->> 'count')::bigint, 0), 0, 0
        FROM batch WHERE kind = 'auth.failed.counted'
      UNION ALL
      SELECT partition, hour, 'webhook', client, coalesce(detail ->> 'vendor', ''), coalesce(detail ->> 'verdict', ''), 0, -1, 1, 0, 0
        FROM batch WHERE kind = 'webhook.received'
    )
    INSERT INTO audit.usage AS u (build, partition, hour, part, client, operation, outcome, status, bucket, count, total_us, vendor_us)
    SELECT at_work.build, partition, hour, part, client, operation, outcome, status, bucket, sum(count), sum(total_us), sum(vendor_us)
      FROM entries GROUP BY partition, hour, part, client, operation, outcome, status, bucket
        ON CONFLICT ON CONSTRAINT usage_pkey DO UPDATE SET
           count = u.count + excluded.count, total_us = u.total_us + excluded.total_us, vendor_us = u.vendor_us + excluded.vendor_us;
    UPDATE audit.usage_build u SET next_seq = past, updated_at = clock_timestamp() WHERE u.build = at_work.build;
    RETURN QUERY SELECT past - at_work.next_seq, past;
  END $$`;

/**
 * A new build from the first record that the log still holds. Partitions leave as a whole, so that what was counted of those that are
 * gone can be told apart and is taken over. One that was begun before and never ended is dropped.
 */
const BEGIN_USAGE = `
  CREATE FUNCTION audit.begin_usage_build() RETURNS TABLE (build integer, first bigint, past bigint)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  #variable_conflict use_column
  DECLARE
    old audit.usage_build;
    next integer;
    first bigint;
  BEGIN
    SELECT * INTO old FROM audit.usage_build WHERE live FOR UPDATE;
    DELETE FROM audit.usage u USING audit.usage_build b WHERE u.build = b.build AND NOT b.live;
    DELETE FROM audit.usage_build WHERE NOT live;
    next := old.build + 1;
    first := least(coalesce((SELECT min(seq) FROM audit.log), old.next_seq), old.next_seq);
    INSERT INTO audit.usage_build (build, live, next_seq) VALUES (next, false, first);
    INSERT INTO audit.usage (build, partition, hour, part, client, operation, outcome, status, bucket, count, total_us, vendor_us)
    SELECT next, partition, hour, part, client, operation, outcome, status, bucket, count, total_us, vendor_us
      FROM audit.usage WHERE build = old.build AND partition < first;
    RETURN QUERY SELECT next, first, old.next_seq;
  END $$`;

/** Puts a build in the place of the live one once it tells of the same records. @returns how many of the figures differed. */
const FINISH_USAGE = `
  CREATE FUNCTION audit.finish_usage_build(the_build integer) RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DECLARE
    old audit.usage_build;
    differing bigint;
  BEGIN
    SELECT * INTO old FROM audit.usage_build WHERE live FOR UPDATE;
    IF NOT EXISTS (SELECT FROM audit.usage_build b WHERE b.build = the_build AND NOT b.live) THEN
      RAISE EXCEPTION 'there is no such build' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    WHILE (SELECT b.next_seq FROM audit.usage_build b WHERE b.build = the_build) < old.next_seq LOOP
      PERFORM audit.roll_usage(the_build, 65536);
    END LOOP;
    SELECT count(*) INTO differing FROM (
      SELECT partition, hour, part, client, operation, outcome, status, bucket, sum(count), sum(total_us), sum(vendor_us)
        FROM audit.usage WHERE build IN (old.build, the_build)
       GROUP BY partition, hour, part, client, operation, outcome, status, bucket
      HAVING count(*) <> 2 OR min(count) <> max(count) OR min(total_us) <> max(total_us) OR min(vendor_us) <> max(vendor_us)) AS d;
    DELETE FROM audit.usage WHERE build = old.build;
    DELETE FROM audit.usage_build b WHERE b.build = old.build;
    UPDATE audit.usage_build b SET live = true WHERE b.build = the_build;
    RETURN differing;
  END $$`;

/**
 * audit.usage: how often and how long, by hour of the record; derived from the log and worth nothing as evidence, so that it may be
 * dropped and made again. \`partition\` is the first number of the log's partition that the records stand in. audit.usage_build: how far
 * the log has been counted.
 * log_call finds what a call did where the record itself names no verification.
 */
export class Usage1764000015000 implements MigrationInterface {
  name = 'Usage1764000015000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    await runner.query(`
      CREATE TABLE audit.usage_build (
        build      integer CONSTRAINT usage_build_pkey PRIMARY KEY,
        live       boolean NOT NULL,
        next_seq   bigint NOT NULL CHECK (next_seq >= 0),
        updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
      ) WITH (fillfactor = 20)`);
    await runner.query('CREATE UNIQUE INDEX usage_build_one_live ON audit.usage_build (live) WHERE live');
    await runner.query(`
      CREATE TABLE audit.usage (
        build     integer NOT NULL,
        hour      timestamptz NOT NULL,
        part      text NOT NULL CONSTRAINT usage_part_known CHECK (part IN ('call', 'vendor', 'failure', 'counted', 'webhook')),
        client    text NOT NULL,
        operation text NOT NULL,
        outcome   text NOT NULL,
        status    integer NOT NULL,
        bucket    smallint NOT NULL,
        partition bigint NOT NULL,
        count     bigint NOT NULL,
        total_us  bigint NOT NULL,
        vendor_us bigint NOT NULL,
        CONSTRAINT usage_pkey PRIMARY KEY (build, hour, part, client, operation, outcome, status, bucket, partition)
      ) WITH (fillfactor = 70)`);
    await runner.query(`
      INSERT INTO audit.usage_build (build, live, next_seq)
      SELECT 0, true, coalesce((SELECT min(seq) FROM audit.log), size) FROM audit.head`);
    await runner.query('CREATE INDEX log_call ON audit.log (call) WHERE call IS NOT NULL AND verification IS NULL');
    for (const body of [LATENCY_BUCKET, ROLL_USAGE, BEGIN_USAGE, FINISH_USAGE]) await runner.query(body);
    await runner.query('REVOKE ALL ON ALL FUNCTIONS IN SCHEMA audit FROM PUBLIC');
    await runner.query('GRANT SELECT ON audit.usage, audit.usage_build TO gatehouse_app, gatehouse_auditor');
    await runner.query(`
      GRANT EXECUTE ON FUNCTION audit.roll_usage(integer, integer), audit.begin_usage_build(), audit.finish_usage_build(integer)
      TO gatehouse_app`);
    await runner.query('RESET ROLE');
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of [
      'finish_usage_build(integer)',
      'begin_usage_build()',
      'roll_usage(integer, integer)',
      'latency_bucket(bigint)',
    ])
      await runner.query(`DROP FUNCTION audit.${name}`);
    await runner.query('DROP INDEX audit.log_call');
    await runner.query('DROP TABLE audit.usage, audit.usage_build');
  }
}
