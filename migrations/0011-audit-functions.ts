import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The record's members that are searched by; the same list as the columns of intake and log, and in their order. */
const COLUMNS = `at, kind, call, trace, client, credential, actor, verification, subject, route, status, duration_us,
  outcome, rule, decision, vendor_operation, vendor_status, vendor_duration_us`;

/** Raises on bytes that are no UTF-8, no JSON object, or hold a NUL: jsonb takes none. */
const PROJECT = `
  CREATE FUNCTION audit.project(bytes bytea) RETURNS TABLE (
    v integer, id uuid, at timestamptz, kind text, call text, trace text, client text, credential text, actor text,
    verification text, subject text, route text, status integer, duration_us bigint, outcome text, rule text, decision text,
    vendor_operation text, vendor_status integer, vendor_duration_us bigint)
  LANGUAGE sql STABLE BEGIN ATOMIC
    SELECT r.v, r.id, r.at, r.kind, r.call, r.trace, r.client, r.credential, r.actor, r.verification, r.subject,
           r.http ->> 'route', (r.http ->> 'status')::integer, (r.http ->> 'durationUs')::bigint,
           r.decision ->> 'outcome', r.decision ->> 'rule', r.decision ->> 'id',
           r.vendor ->> 'operation', (r.vendor ->> 'status')::integer, (r.vendor ->> 'durationUs')::bigint
      FROM jsonb_to_record(convert_from(bytes, 'UTF8')::jsonb) AS r(
           v integer, id uuid, at timestamptz, kind text, call text, trace text, client text, credential text, actor text,
           verification text, subject text, http jsonb, decision jsonb, vendor jsonb);
  END`;

/**
 * Harmless to repeat: a record already in intake or log is passed over, and refused when its bytes are others. The second look, at
 * audit.place after the insert, is needed because the sequencer may move a record while our insert waits for the outcome of its delete.
 */
const APPEND = `
  CREATE FUNCTION audit.append(ids uuid[], records bytea[], keys bytea[] DEFAULT NULL) RETURNS integer
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
  DECLARE
    added integer;
  BEGIN
    IF cardinality(ids) <> cardinality(records) OR cardinality(ids) <> cardinality(keys) THEN
      RAISE EXCEPTION 'audit.append takes as many records as ids' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- A null id, where version or id are not what they should be, is refused by the column.
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

/** New nodes of one level of tiles: \`hashes\` begins with node number \`first\` of that level. */
const GROW_TILES = `
  CREATE FUNCTION audit.grow_tiles(tile_level integer, first bigint, hashes bytea) RETURNS void
  LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO audit.tile (level, idx, hashes)
    SELECT tile_level, t, substr(hashes, (greatest(t << 8, first) - first)::integer * 32 + 1,
             (least((t + 1) << 8, first + length(hashes) / 32) - greatest(t << 8, first))::integer * 32)
      FROM generate_series(first >> 8, (first + length(hashes) / 32 - 1) >> 8) t
        ON CONFLICT (level, idx) DO UPDATE SET hashes = tile.hashes || excluded.hashes
  $$`;

/**
 * Moves the oldest records from intake into the log. One at a time over all instances, by the lock on the one row of audit.head, which
 * no other role can take; no row comes back when someone else has it. Everything happens in this one statement, without a round trip,
 * and a caller that stalls inside a transaction of its own is thrown out after five seconds.
 * The tree grows a level at a time (RFC 6962 section 2.1): the new nodes of a level, behind the one that waited for its right sibling
 * in the frontier, give those of the next; every eighth level goes into tiles.
 */
const SEQUENCE = `
  CREATE FUNCTION audit.sequence(most integer DEFAULT 4096) RETURNS TABLE (moved integer, size bigint)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
  #variable_conflict use_column
  DECLARE
    tip audit.head;
    level integer := 0;
    first bigint;
    nodes bytea;
    width integer;
  BEGIN
    SELECT * INTO tip FROM audit.head FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN RETURN; END IF;
    PERFORM set_config('idle_in_transaction_session_timeout', '5000', true);
    most := greatest(least(most, tip.partition_size), 1);
    WHILE tip.partitioned_to - tip.size < tip.partition_size + most LOOP
      PERFORM audit.add_partition(tip.partitioned_to, tip.partitioned_to + tip.partition_size);
      tip.partitioned_to := tip.partitioned_to + tip.partition_size;
      UPDATE audit.head SET partitioned_to = tip.partitioned_to;
    END LOOP;

    WITH taken AS (
      INSERT INTO audit.log (seq, id, recorded_at, bytes, leaf_hash, ${COLUMNS})
      SELECT tip.size + row_number() OVER (ORDER BY n) - 1, id, recorded_at, bytes, sha256('\\x00'::bytea || bytes), ${COLUMNS}
        FROM (SELECT * FROM audit.intake ORDER BY n LIMIT most) AS oldest
      RETURNING log.seq, log.id, log.leaf_hash
    ), placed AS (
      INSERT INTO audit.place (id, seq) SELECT id, seq FROM taken
    )
    SELECT count(*), string_agg(leaf_hash, ''::bytea ORDER BY seq) INTO moved, nodes FROM taken;
    IF moved = 0 THEN
      RETURN QUERY SELECT 0, tip.size;
      RETURN;
    END IF;
    DELETE FROM audit.intake USING audit.log
     WHERE log.seq >= tip.size AND log.seq < tip.size + moved AND intake.id = log.id;

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
    UPDATE audit.head SET size = tip.size, root = tip.root, frontier = tip.frontier, updated_at = clock_timestamp();
    RETURN QUERY SELECT moved, tip.size;
  END $$`;

/** The log takes its name once. @returns the name it has. */
const BEGIN = `
  CREATE FUNCTION audit.begin(name text) RETURNS text
  LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE audit.head SET origin = name WHERE origin IS NULL;
    SELECT origin FROM audit.head;
  $$`;

/** The only ways into the log: what the gateway's role may run, as the owner of the tables. */
export class AuditFunctions1764000011000 implements MigrationInterface {
  name = 'AuditFunctions1764000011000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    for (const body of [PROJECT, APPEND, GROW_TILES, SEQUENCE, BEGIN]) await runner.query(body);
    await runner.query('REVOKE ALL ON ALL FUNCTIONS IN SCHEMA audit FROM PUBLIC');
    await runner.query(
      `GRANT EXECUTE ON FUNCTION audit.append(uuid[], bytea[], bytea[]), audit.sequence(integer), audit.begin(text) TO gatehouse_app`,
    );
    await runner.query('GRANT EXECUTE ON FUNCTION audit.project(bytea) TO gatehouse_auditor');
    await runner.query('RESET ROLE');
  }

  async down(runner: QueryRunner): Promise<void> {
    const signatures = [
      'begin(text)',
      'sequence(integer)',
      'grow_tiles(integer, bigint, bytea)',
      'append(uuid[], bytea[], bytea[])',
      'project(bytea)',
    ];
    for (const signature of signatures) await runner.query(`DROP FUNCTION audit.${signature}`);
  }
}
