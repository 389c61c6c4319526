import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The record's members that are searched by; the same list as the columns of intake and log, and in their order. */
const COLUMNS = `at, kind, call, trace, client, credential, actor, verification, subject, route, status, duration_us,
  outcome, rule, decision, vendor_operation, vendor_status, vendor_duration_us`;

/** Arbitrary but fixed. Shared by whoever acts on there being no hold, alone by whoever places one: a hold is seen by all that follows it. */
const HOLDS_LOCK = 4_711_202_614;

const TABLES = [
  `CREATE TABLE audit.archived (
     first           bigint CONSTRAINT archived_pkey PRIMARY KEY CHECK (first >= 0),
     past            bigint NOT NULL,
     root            bytea NOT NULL CHECK (length(root) = 32),
     manifest_sha256 bytea NOT NULL CHECK (length(manifest_sha256) = 32),
     keep            jsonb NOT NULL,
     at              timestamptz NOT NULL DEFAULT clock_timestamp(),
     CONSTRAINT archived_not_empty CHECK (past > first)
   )`,
  `CREATE TABLE audit.legal_hold (
     id             uuid CONSTRAINT legal_hold_pkey PRIMARY KEY,
     scope          text NOT NULL,
     value          text,
     from_at        timestamptz,
     to_at          timestamptz,
     reason         text NOT NULL CHECK (length(reason) BETWEEN 1 AND 4000),
     placed_by      text NOT NULL CHECK (length(placed_by) BETWEEN 1 AND 256),
     placed_at      timestamptz NOT NULL,
     released_by    text CHECK (length(released_by) BETWEEN 1 AND 256),
     released_at    timestamptz,
     release_reason text CHECK (length(release_reason) BETWEEN 1 AND 4000),
     CONSTRAINT legal_hold_scope_known CHECK (scope IN ('subject', 'client', 'verification', 'period', 'all')),
     CONSTRAINT legal_hold_names_its_scope CHECK (
       (scope IN ('subject', 'client', 'verification')) = (value IS NOT NULL) AND coalesce(length(value) BETWEEN 1 AND 256, true)),
     CONSTRAINT legal_hold_period CHECK (
       (scope = 'period') = (from_at IS NOT NULL OR to_at IS NOT NULL) AND coalesce(from_at < to_at, true)),
     CONSTRAINT legal_hold_released_whole CHECK (
       num_nulls(released_by, released_at, release_reason) IN (0, 3))
   )`,
];

const RELEASE_ONCE = `
  CREATE FUNCTION audit.release_once() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
  DECLARE
    unreleased audit.legal_hold := NEW;
  BEGIN
    unreleased.released_by := NULL;
    unreleased.released_at := NULL;
    unreleased.release_reason := NULL;
    IF OLD.released_at IS NOT NULL OR unreleased IS DISTINCT FROM OLD THEN
      RAISE EXCEPTION 'UPDATE of audit.legal_hold is refused: a hold is released once and changed never'
        USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
  END $$`;

const PLACE_HOLD = `
  CREATE FUNCTION audit.place_hold(hold_id uuid, hold_scope text, hold_value text, from_instant timestamptz, to_instant timestamptz,
    hold_reason text, by_whom text, at_instant timestamptz) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  BEGIN
    PERFORM pg_advisory_xact_lock(${HOLDS_LOCK});
    INSERT INTO audit.legal_hold (id, scope, value, from_at, to_at, reason, placed_by, placed_at)
    VALUES (hold_id, hold_scope, hold_value, from_instant, to_instant, hold_reason, by_whom, at_instant);
  END $$`;

/** @returns false when it was released before, null when there is none. */
const RELEASE_HOLD = `
  CREATE FUNCTION audit.release_hold(hold_id uuid, release_why text, by_whom text, at_instant timestamptz) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  BEGIN
    UPDATE audit.legal_hold SET released_by = by_whom, released_at = at_instant, release_reason = release_why
     WHERE id = hold_id AND released_at IS NULL;
    IF FOUND THEN RETURN true; END IF;
    RETURN (SELECT false FROM audit.legal_hold WHERE id = hold_id);
  END $$`;

/** Until the transaction ends nobody places a hold: what was found not to be held stays so. */
const READ_HOLDS = `
  CREATE FUNCTION audit.read_holds() RETURNS SETOF audit.legal_hold
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  BEGIN
    PERFORM pg_advisory_xact_lock_shared(${HOLDS_LOCK});
    RETURN QUERY SELECT * FROM audit.legal_hold WHERE released_at IS NULL ORDER BY placed_at, id;
  END $$`;

const NAME = (first: string): string => `'log_' || lpad((${first})::text, 12, '0')`;

/** What is attached, and what the archive has and the database has not at present: a restored partition is in the first alone. */
const VIEWS = [
  `CREATE VIEW audit.partition AS
     SELECT bounds[1]::bigint AS first, bounds[2]::bigint AS past
       FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid,
            regexp_match(pg_get_expr(relpartbound, pg_class.oid), 'FROM \\(''(\\d+)''\\) TO \\(''(\\d+)''\\)') AS bounds
      WHERE inhparent = 'audit.log'::regclass`,
  `CREATE VIEW audit.away AS
     SELECT archived.*, to_regclass('audit.' || ${NAME('archived.first')}) IS NOT NULL AS undropped
       FROM audit.archived WHERE NOT EXISTS (SELECT FROM audit.partition WHERE partition.first = archived.first)`,
];

/**
 * Why a partition may not leave; null when it may. \`keep\` says for how many seconds the records of each kind stay, every kind in it: a
 * kind nobody thought of keeps its partition. Each question is answered by an index, so that the whole takes milliseconds.
 */
const KEPT_BECAUSE = `
  CREATE FUNCTION audit.kept_because(of_first bigint, keep jsonb) RETURNS text
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
  DECLARE
    part audit.partition;
    name text := ${NAME('of_first')};
    restored boolean := EXISTS (SELECT FROM audit.archived WHERE archived.first = of_first);
    hold audit.legal_hold;
    touched boolean;
    of_kind text := '';
    latest timestamptz;
  BEGIN
    SELECT * INTO part FROM audit.partition WHERE partition.first = of_first;
    IF NOT FOUND THEN RETURN 'they are no attached partition'; END IF;
    IF part.first % 256 <> 0 OR part.past % 256 <> 0 THEN RETURN 'they are no whole number of tiles'; END IF;
    IF part.past > coalesce((SELECT max(size) FROM audit.checkpoint), 0) THEN RETURN 'no checkpoint covers them all yet'; END IF;
    IF part.past > (SELECT next_seq FROM audit.usage_build WHERE live) THEN RETURN 'usage has not counted them all'; END IF;
    -- What a receiver of the SIEM has not had yet could not be sent from the archive. One that takes nothing any more holds nothing back for ever.
    IF EXISTS (SELECT FROM audit.sink_cursor WHERE next_seq < part.past AND updated_at > clock_timestamp() - interval '90 days') THEN
      RETURN (SELECT format('the receiver %s has not had them all', sink_cursor.name)
                FROM audit.sink_cursor
               WHERE next_seq < part.past AND updated_at > clock_timestamp() - interval '90 days' ORDER BY next_seq LIMIT 1);
    END IF;
    FOR hold IN SELECT * FROM audit.read_holds() LOOP
      IF hold.scope = 'all' THEN
        touched := true;
      ELSIF hold.scope = 'period' THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM audit.%I WHERE at >= $1 AND at < $2)', name)
          INTO touched USING coalesce(hold.from_at, '-infinity'), coalesce(hold.to_at, 'infinity');
      ELSE
        EXECUTE format('SELECT EXISTS (SELECT FROM audit.%I WHERE %I = $1)', name, hold.scope) INTO touched USING hold.value;
      END IF;
      IF touched THEN RETURN format('the legal hold %s touches them', hold.id); END IF;
    END LOOP;
    IF restored THEN RETURN NULL; END IF;
    -- Nearly all are calls, and no index finds those by kind: the last instant of all answers for them as long as it is old enough.
    EXECUTE format('SELECT max(at) FROM audit.%I', name) INTO latest;
    IF (latest > clock_timestamp() - make_interval(secs => (keep ->> 'call')::float8)) IS NOT FALSE THEN
      EXECUTE format('SELECT max(at) FROM audit.%I WHERE kind = ''call''', name) INTO latest;
      IF latest IS NOT NULL
         AND (latest > clock_timestamp() - make_interval(secs => (keep ->> 'call')::float8)) IS NOT FALSE THEN
        RETURN 'the retention of call is not over';
      END IF;
    END IF;
    LOOP
      EXECUTE format('SELECT min(kind) FROM audit.%I WHERE kind <> ''call'' AND kind > $1', name) INTO of_kind USING of_kind;
      EXIT WHEN of_kind IS NULL;
      EXECUTE format('SELECT max(at) FROM audit.%I WHERE kind <> ''call'' AND kind = $1', name) INTO latest USING of_kind;
      IF (latest > clock_timestamp() - make_interval(secs => (keep ->> of_kind)::float8)) IS NOT FALSE THEN
        RETURN format('the retention of %s is not over', of_kind);
      END IF;
    END LOOP;
    RETURN NULL;
  END $$`;

/** The archivist tells what it does, and can tell nothing else. */
const TELL = `
  CREATE FUNCTION audit.tell_archiving(of_kind text, of_first bigint, manifest bytea, record_id uuid, record bytea) RETURNS jsonb
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
  DECLARE
    detail jsonb := convert_from(record, 'UTF8')::jsonb -> 'detail';
  BEGIN
    IF (SELECT kind FROM audit.project(record)) IS DISTINCT FROM of_kind OR detail -> 'first' IS DISTINCT FROM to_jsonb(of_first)
       OR detail ->> 'manifest' IS DISTINCT FROM encode(manifest, 'hex') THEN
      RAISE EXCEPTION 'the record does not tell what is done' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM audit.append(ARRAY[record_id], ARRAY[record]);
    RETURN detail;
  END $$`;

/**
 * Takes a partition off the log, in the transaction of its record. The head comes first, as in audit.sequence, which passes over while we
 * have it; the log itself is then locked for as long as the catalogue takes. Writers of records need neither. What does not come at
 * once is given up: whoever waits for a lock on the log keeps all behind it waiting.
 */
const DETACH = `
  CREATE FUNCTION audit.detach(of_first bigint, manifest bytea, keep jsonb, record_id uuid, record bytea) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' AS $$
  DECLARE
    name text := ${NAME('of_first')};
    reason text;
    detail jsonb;
    known bytea;
  BEGIN
    reason := audit.kept_because(of_first, keep);
    IF EXISTS (SELECT FROM audit.partition LEFT JOIN audit.archived USING (first)
                WHERE partition.first < of_first AND archived.first IS NULL) THEN
      reason := coalesce(reason, 'older ones that never left are attached');
    END IF;
    IF reason IS NOT NULL THEN
      RAISE EXCEPTION 'records from % on stay: %', of_first, reason USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    detail := audit.tell_archiving('log.archived', of_first, manifest, record_id, record);
    PERFORM FROM audit.head FOR UPDATE;
    INSERT INTO audit.archived (first, past, root, manifest_sha256, keep)
    SELECT partition.first, partition.past, decode(detail ->> 'root', 'hex'), manifest, keep
      FROM audit.partition WHERE partition.first = of_first
        ON CONFLICT (first) DO NOTHING;
    SELECT manifest_sha256 INTO known FROM audit.archived WHERE archived.first = of_first;
    IF known <> manifest THEN
      RAISE EXCEPTION 'records from % on stand in another archive', of_first USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    EXECUTE format('ALTER TABLE audit.log DETACH PARTITION audit.%I', name);
    -- Row triggers of the log left with it.
    EXECUTE format('CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON audit.%I FOR EACH ROW EXECUTE FUNCTION audit.refuse()', name);
  END $$`;

const DROP_DETACHED = `
  CREATE FUNCTION audit.drop_detached(of_first bigint, manifest bytea) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' AS $$
  BEGIN
    IF NOT EXISTS (SELECT FROM audit.away WHERE away.first = of_first AND away.manifest_sha256 = manifest AND away.undropped) THEN
      RAISE EXCEPTION 'records from % on are not detached under this manifest', of_first
        USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    EXECUTE format('DROP TABLE audit.%I', ${NAME('of_first')});
  END $$`;

/** A table apart, which an attempt before may have left. */
const BEGIN_RESTORE = `
  CREATE FUNCTION audit.begin_restore(of_first bigint, manifest bytea) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' AS $$
  DECLARE
    gone audit.away;
    name text := 'restored_' || lpad(of_first::text, 12, '0');
  BEGIN
    SELECT * INTO gone FROM audit.away WHERE away.first = of_first AND away.manifest_sha256 = manifest AND NOT away.undropped;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'records from % on are not away under this manifest', of_first
        USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    EXECUTE format('DROP TABLE IF EXISTS audit.%I', name);
    -- The bounds are told beforehand, so that attaching need not look for them in every row.
    EXECUTE format('CREATE TABLE audit.%I (LIKE audit.log INCLUDING ALL, CONSTRAINT within CHECK (seq >= %s AND seq < %s))
                      WITH (toast_tuple_target = 8160)', name, gone.first, gone.past);
  END $$`;

/** The next records, from number \`from_seq\` on: none that is not, byte for byte, the one in the tree, and under the id it had. */
const RESTORE = `
  CREATE FUNCTION audit.restore(of_first bigint, from_seq bigint, records bytea[], recorded timestamptz[]) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
  DECLARE
    name text := 'restored_' || lpad(of_first::text, 12, '0');
    strange bigint;
  BEGIN
    EXECUTE format($insert$
      INSERT INTO audit.%I (seq, id, recorded_at, bytes, leaf_hash, ${COLUMNS})
      SELECT $1 + given.n - 1, p.id, given.recorded_at, given.bytes, sha256('\\x00'::bytea || given.bytes), ${COLUMNS.replaceAll(/\w+/g, 'p.$&')}
        FROM unnest($2, $3) WITH ORDINALITY AS given(bytes, recorded_at, n), audit.project(given.bytes) AS p $insert$, name)
      USING from_seq, records, recorded;
    EXECUTE format($check$
      SELECT min(r.seq) FROM audit.%I AS r
        LEFT JOIN audit.tile ON tile.level = 0 AND tile.idx = r.seq >> 8
        LEFT JOIN audit.place ON place.id = r.id
       WHERE r.seq >= $1 AND (place.seq IS DISTINCT FROM r.seq
             OR r.leaf_hash IS DISTINCT FROM substr(tile.hashes, (r.seq & 255)::integer * 32 + 1, 32)) $check$, name)
      INTO strange USING from_seq;
    IF strange IS NOT NULL THEN
      RAISE EXCEPTION 'record % is not the one in the tree', strange USING ERRCODE = 'check_violation';
    END IF;
  END $$`;

const END_RESTORE = `
  CREATE FUNCTION audit.end_restore(of_first bigint, manifest bytea, record_id uuid, record bytea) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' AS $$
  DECLARE
    gone audit.away;
    staged text := 'restored_' || lpad(of_first::text, 12, '0');
    name text := ${NAME('of_first')};
    present bigint;
  BEGIN
    SELECT * INTO gone FROM audit.away WHERE away.first = of_first AND away.manifest_sha256 = manifest;
    EXECUTE format('SELECT count(*) FROM audit.%I', staged) INTO present;
    IF present IS DISTINCT FROM gone.past - gone.first THEN
      RAISE EXCEPTION 'not all records from % on were restored', of_first USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    PERFORM audit.tell_archiving('log.restored', of_first, manifest, record_id, record);
    EXECUTE format('ALTER TABLE audit.%I RENAME TO %I', staged, name);
    EXECUTE format('ALTER TABLE audit.log ATTACH PARTITION audit.%I FOR VALUES FROM (%s) TO (%s)', name, gone.first, gone.past);
    EXECUTE format('ALTER TABLE audit.%I DROP CONSTRAINT within', name);
    EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.%I EXECUTE FUNCTION audit.refuse()', name);
  END $$`;

/** As before, and what stands in the archive is known by its leaf: a record sent again years later is no other record. */
const LEAVE_INTAKE = (archived: string) => `
  CREATE OR REPLACE FUNCTION audit.leave_intake() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
  BEGIN
    IF EXISTS (SELECT FROM gone
                 LEFT JOIN audit.place ON place.id = gone.id
                 LEFT JOIN audit.log ON log.seq = place.seq
                WHERE log.bytes IS DISTINCT FROM gone.bytes${archived}) THEN
      RAISE EXCEPTION 'DELETE of audit.intake is refused: a record leaves it for the log alone'
        USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
  END $$`;

const BY_ITS_LEAF = `
                  AND NOT (log.seq IS NULL AND EXISTS (
                    SELECT FROM audit.tile WHERE tile.level = 0 AND tile.idx = place.seq >> 8
                       AND substr(tile.hashes, (place.seq & 255)::integer * 32 + 1, 32) = sha256('\\x00'::bytea || gone.bytes)))`;

/** In the order in which they need one another, with who may run them beside the owner. */
const FUNCTIONS: [body: string, signature: string, role?: string][] = [
  [RELEASE_ONCE, 'release_once()'],
  [PLACE_HOLD, 'place_hold(uuid, text, text, timestamptz, timestamptz, text, text, timestamptz)', 'gatehouse_app'],
  [RELEASE_HOLD, 'release_hold(uuid, text, text, timestamptz)', 'gatehouse_app'],
  [READ_HOLDS, 'read_holds()', 'gatehouse_app'],
  [KEPT_BECAUSE, 'kept_because(bigint, jsonb)', 'gatehouse_archivist'],
  [TELL, 'tell_archiving(text, bigint, bytea, uuid, bytea)'],
  [DETACH, 'detach(bigint, bytea, jsonb, uuid, bytea)', 'gatehouse_archivist'],
  [DROP_DETACHED, 'drop_detached(bigint, bytea)', 'gatehouse_archivist'],
  [BEGIN_RESTORE, 'begin_restore(bigint, bytea)', 'gatehouse_archivist'],
  [RESTORE, 'restore(bigint, bigint, bytea[], timestamptz[])', 'gatehouse_archivist'],
  [END_RESTORE, 'end_restore(bigint, bytea, uuid, bytea)', 'gatehouse_archivist'],
];

/**
 * audit.archived: partitions that went to the archive, once each, with the root of the log at their end. audit.legal_hold: what may not
 * leave the database, nor be erased. Tiles, places and checkpoints stay for good, so that every receipt ever given still verifies.
 */
export class Archive1764000014000 implements MigrationInterface {
  name = 'Archive1764000014000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    for (const statement of [...TABLES, ...VIEWS]) await runner.query(statement);
    for (const [body] of FUNCTIONS) await runner.query(body);
    await runner.query(LEAVE_INTAKE(BY_ITS_LEAF));
    await this.triggers(runner);
    await runner.query(
      'GRANT SELECT ON audit.archived, audit.partition, audit.away, audit.legal_hold TO gatehouse_app, gatehouse_auditor, gatehouse_archivist',
    );
    await runner.query('REVOKE ALL ON ALL FUNCTIONS IN SCHEMA audit FROM PUBLIC');
    for (const [, signature, role] of FUNCTIONS) {
      if (role !== undefined) await runner.query(`GRANT EXECUTE ON FUNCTION audit.${signature} TO ${role}`);
    }
    await runner.query('RESET ROLE');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(LEAVE_INTAKE(''));
    await runner.query('DROP TRIGGER release_once ON audit.legal_hold');
    for (const [, signature] of FUNCTIONS.toReversed()) await runner.query(`DROP FUNCTION audit.${signature}`);
    await runner.query('DROP VIEW audit.away, audit.partition');
    await runner.query('DROP TABLE audit.legal_hold, audit.archived');
  }

  private async triggers(runner: QueryRunner): Promise<void> {
    const events = { archived: 'UPDATE OR DELETE', legal_hold: 'DELETE' };
    for (const [table, refused] of Object.entries(events)) {
      await runner.query(
        `CREATE TRIGGER no_change BEFORE ${refused} ON audit.${table} FOR EACH ROW EXECUTE FUNCTION audit.refuse()`,
      );
      await runner.query(
        `CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.${table} EXECUTE FUNCTION audit.refuse()`,
      );
    }
    await runner.query(
      'CREATE TRIGGER release_once BEFORE UPDATE ON audit.legal_hold FOR EACH ROW EXECUTE FUNCTION audit.release_once()',
    );
  }
}
