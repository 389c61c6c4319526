import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The record's members that are searched by, as in the migration of the functions. */
const COLUMNS = `at, kind, call, trace, client, credential, actor, verification, subject, route, status, duration_us,
  outcome, rule, decision, vendor_operation, vendor_status, vendor_duration_us`;

/**
 * Longest transaction that may hold the head, milliseconds. `idle_in_transaction_session_timeout` is not enough: it does not count while a
 * client stalls between Execute and Sync, nor while the statement itself waits for a lock.
 */
const HOLD_MS = 1_000;

/** @param numbered SQL that comes before a number of the intake is drawn */
const APPEND = (numbered: string): string => `
  CREATE OR REPLACE FUNCTION audit.append(ids uuid[], records bytea[], keys bytea[] DEFAULT NULL) RETURNS integer
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
  DECLARE
    added integer;
  BEGIN
    IF cardinality(ids) <> cardinality(records) OR cardinality(ids) <> cardinality(keys) THEN
      RAISE EXCEPTION 'audit.append takes as many records as ids' USING ERRCODE = 'invalid_parameter_value';
    END IF;
${numbered}    -- A null id, where version or id are not what they should be, is refused by the column.
    INSERT INTO audit.intake (id, bytes, ${COLUMNS})
    SELECT CASE WHEN p.v = 1 AND p.id = given.id THEN given.id END, given.bytes,
           ${COLUMNS.replaceAll(/\w+/g, 'p.$&')}
      FROM unnest(ids, records) WITH ORDINALITY AS given(id, bytes, n), audit.project(given.bytes) AS p
     ORDER BY given.n
        ON CONFLICT (id) DO NOTHING;
    GET DIAGNOSTICS added = ROW_COUNT;
    IF added < cardinality(ids) AND EXISTS (
      SELECT FROM unnest(ids, records) AS given(id, bytes) JOIN audit.intake ON intake.id = given.id
       WHERE intake.bytes <> given.bytes) THEN
      RAISE EXCEPTION 'another record has this id' USING ERRCODE = 'unique_violation';
    END IF;
    IF EXISTS (SELECT FROM audit.place WHERE place.id = ANY (ids)) THEN
      IF EXISTS (
        SELECT FROM unnest(ids, records) AS given(id, bytes)
          JOIN audit.place ON place.id = given.id JOIN audit.log ON log.seq = place.seq
         WHERE log.bytes <> given.bytes) THEN
        RAISE EXCEPTION 'another record has this id' USING ERRCODE = 'unique_violation';
      END IF;
      DELETE FROM audit.intake USING audit.place WHERE place.id = ANY (ids) AND intake.id = place.id;
    END IF;
    IF keys IS NOT NULL THEN
      INSERT INTO audit.digest_keys (record_id, key)
      SELECT given.id, given.key FROM unnest(ids, keys) AS given(id, key) WHERE given.key IS NOT NULL
          ON CONFLICT (record_id) DO NOTHING;
    END IF;
    RETURN added;
  END $$`;

/** As before, but for what differs. */
const SEQUENCE = (steps: Steps): string => `
  CREATE OR REPLACE FUNCTION audit.sequence(most integer DEFAULT 4096) RETURNS TABLE (moved integer, size bigint)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
  #variable_conflict use_column
  DECLARE
    tip audit.head;
    level integer := 0;
    first bigint;
    nodes bytea;
    width integer;
${steps.take}    most := greatest(least(most, tip.partition_size), 1);
    WHILE tip.partitioned_to - tip.size < tip.partition_size + most LOOP
      PERFORM audit.add_partition(tip.partitioned_to, tip.partitioned_to + tip.partition_size);
      tip.partitioned_to := tip.partitioned_to + tip.partition_size;
      UPDATE audit.head SET partitioned_to = tip.partitioned_to WHERE head.size = tip.size;
    END LOOP;

    WITH taken AS (
      INSERT INTO audit.log (seq, id, recorded_at, bytes, leaf_hash, ${COLUMNS})
      SELECT tip.size + row_number() OVER (ORDER BY n) - 1, id, recorded_at, bytes, sha256('\\x00'::bytea || bytes), ${COLUMNS}
        FROM (SELECT * FROM audit.intake${steps.where} ORDER BY n LIMIT most) AS oldest
      RETURNING log.seq, log.id, log.leaf_hash
    ), placed AS (
      INSERT INTO audit.place (id, seq) SELECT id, seq FROM taken
    )
    SELECT count(*), string_agg(leaf_hash, ''::bytea ORDER BY seq) INTO moved, nodes FROM taken;
    IF moved = 0 THEN
      RETURN QUERY SELECT 0, tip.size;
      RETURN;
    END IF;
${steps.leave}
    first := tip.size;
    WHILE nodes IS NOT NULL LOOP
      IF level % 8 = 0 THEN PERFORM audit.grow_tiles(level / 8, first, nodes); END IF;
      IF first % 2 = 1 THEN
        nodes := tip.frontier[level + 1] || nodes;
        first := first - 1;
      END IF;
      width := length(nodes) / 32;
      tip.frontier[level + 1] := CASE WHEN width % 2 = 1 THEN substr(nodes, width * 32 - 31) ELSE ''::bytea END;
      nodes := (SELECT string_agg(sha256('\\x01'::bytea || substr(nodes, pair * 64 + 1, 64)), ''::bytea ORDER BY pair)
                  FROM generate_series(0, width / 2 - 1) pair);
      first := first / 2;
      level := level + 1;
    END LOOP;

    tip.size := tip.size + moved;
    tip.root := NULL;
    FOREACH nodes IN ARRAY tip.frontier LOOP
      CONTINUE WHEN nodes = '';
      tip.root := CASE WHEN tip.root IS NULL THEN nodes ELSE sha256('\\x01'::bytea || nodes || tip.root) END;
    END LOOP;
    UPDATE audit.head SET size = tip.size, root = tip.root, frontier = tip.frontier, updated_at = clock_timestamp()${steps.keep};
    RETURN QUERY SELECT moved, tip.size;
  END $$`;

const NUMBERED = `    -- Before the first number is drawn: audit.sequence counts on it.
    PERFORM pg_current_xact_id();
`;

interface Steps {
  take: string;
  where: string;
  leave: string;
  keep: string;
}

/** As in the migration of the functions. */
const BEFORE: Steps = {
  take: `  BEGIN
    SELECT * INTO tip FROM audit.head FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN RETURN; END IF;
    PERFORM set_config('idle_in_transaction_session_timeout', '5000', true);
`,
  where: '',
  leave: `    DELETE FROM audit.intake USING audit.log
     WHERE log.seq >= tip.size AND log.seq < tip.size + moved AND intake.id = log.id;
`,
  keep: '',
};

/**
 * The head is freed after a second, and the head keeps a number below which nothing waits. While someone reads in a long snapshot, what has
 * left the intake stays in its index, and each run would walk over all of it. A number is drawn by a transaction that has its id already;
 * hence all that were drawn when a run began, before it had an id of its own, are there or never will be as soon as every transaction
 * with an older id is over.
 */
const BOUNDED: Steps = {
  take: `    drawn bigint;
    settled boolean;
    low bigint;
    past bigint;
  BEGIN
    IF pg_current_xact_id_if_assigned() IS NULL THEN
      SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO drawn FROM audit.intake_n_seq;
    END IF;
    -- By the index the newest version comes first, however many older ones a long snapshot keeps.
    SELECT * INTO tip FROM audit.head WHERE head.size >= 0 ORDER BY head.size DESC LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN RETURN; END IF;
    PERFORM set_config('transaction_timeout', '${HOLD_MS}', true);
    settled := coalesce(pg_snapshot_xmin(pg_current_snapshot()) >= tip.drawn_before, false);
    low := tip.intake_from;
    -- Nothing that waits is left behind for good, whatever was done to the numbers of the intake.
    IF NOT EXISTS (SELECT FROM audit.intake WHERE n >= low) THEN low := 0; END IF;
`,
  where: ' WHERE n >= low',
  leave: `    WITH gone AS (
      DELETE FROM audit.intake USING audit.log
       WHERE log.seq >= tip.size AND log.seq < tip.size + moved AND intake.id = log.id
      RETURNING intake.n
    )
    SELECT max(n) + 1 INTO past FROM gone;
    IF settled THEN
      IF moved < most OR past > tip.drawn THEN past := tip.drawn + 1; END IF;
      tip.intake_from := greatest(tip.intake_from, past);
    END IF;
    IF drawn IS NOT NULL AND (tip.drawn IS NULL OR tip.intake_from > tip.drawn) THEN
      tip.drawn := drawn;
      tip.drawn_before := pg_current_xact_id();
    END IF;
`,
  keep: `,
           intake_from = tip.intake_from, drawn = tip.drawn, drawn_before = tip.drawn_before
     WHERE head.size = tip.size - moved`,
};

/** A stalled holder of the head, and a long reader, no longer slow those who write. */
export class Sequence1764000019000 implements MigrationInterface {
  name = 'Sequence1764000019000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    await runner.query(
      'ALTER TABLE audit.head ADD COLUMN intake_from bigint NOT NULL DEFAULT 0, ADD COLUMN drawn bigint, ADD COLUMN drawn_before xid8',
    );
    await runner.query('CREATE INDEX head_size ON audit.head (size)');
    await runner.query(APPEND(NUMBERED));
    await runner.query(SEQUENCE(BOUNDED));
    await runner.query('RESET ROLE');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    await runner.query(APPEND(''));
    await runner.query(SEQUENCE(BEFORE));
    await runner.query('DROP INDEX audit.head_size');
    await runner.query('ALTER TABLE audit.head DROP COLUMN intake_from, DROP COLUMN drawn, DROP COLUMN drawn_before');
    await runner.query('RESET ROLE');
  }
}
