import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is searched by: a projection of the record's bytes that `audit.project` computes and `verify` recomputes. */
const PROJECTION = `
  at                 timestamptz NOT NULL,
  kind               text NOT NULL CHECK (length(kind) BETWEEN 1 AND 64),
  call               text CHECK (length(call) <= 64),
  trace              text CHECK (length(trace) <= 64),
  client             text CHECK (length(client) <= 256),
  credential         text CHECK (length(credential) <= 256),
  actor              text CHECK (length(actor) <= 256),
  verification       text CHECK (length(verification) <= 64),
  subject            text CHECK (length(subject) <= 256),
  route              text CHECK (length(route) <= 256),
  status             integer,
  duration_us        bigint,
  outcome            text CHECK (length(outcome) <= 64),
  rule               text CHECK (length(rule) <= 256),
  decision           text CHECK (length(decision) <= 64),
  vendor_operation   text CHECK (length(vendor_operation) <= 256),
  vendor_status      integer,
  vendor_duration_us bigint`;

const REFUSE = `
  CREATE FUNCTION audit.refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
  BEGIN
    RAISE EXCEPTION '% of %.% is refused: the audit log only grows', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
      USING ERRCODE = 'insufficient_privilege';
  END $$`;

/** Leaving the intake is allowed to what stands in the log, byte for byte, whoever asks: it is not a matter of who runs the statement. */
const LEAVE_INTAKE = `
  CREATE FUNCTION audit.leave_intake() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
  BEGIN
    IF EXISTS (SELECT FROM gone
                 LEFT JOIN audit.place ON place.id = gone.id
                 LEFT JOIN audit.log ON log.seq = place.seq
                WHERE log.bytes IS DISTINCT FROM gone.bytes) THEN
      RAISE EXCEPTION 'DELETE of audit.intake is refused: a record leaves it for the log alone'
        USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
  END $$`;

const GROW_HEAD = `
  CREATE FUNCTION audit.grow_head() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
  BEGIN
    IF NEW.size < OLD.size OR NEW.partitioned_to < OLD.partitioned_to
       OR (NEW.size = OLD.size AND NEW.root <> OLD.root)
       OR (OLD.origin IS NOT NULL AND NEW.origin IS DISTINCT FROM OLD.origin) THEN
      RAISE EXCEPTION 'UPDATE of audit.head is refused: the audit log only grows' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
  END $$`;

const GROW_TILE = `
  CREATE FUNCTION audit.grow_tile() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
  BEGIN
    IF NEW.level <> OLD.level OR NEW.idx <> OLD.idx OR length(NEW.hashes) < length(OLD.hashes)
       OR substr(NEW.hashes, 1, length(OLD.hashes)) <> OLD.hashes THEN
      RAISE EXCEPTION 'UPDATE of audit.tile is refused: the audit log only grows' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
  END $$`;

/**
 * Made apart and attached: ATTACH takes a lock that readers and writers of the log do not notice, CREATE … PARTITION OF one that waits
 * for them all. Row triggers come with the attaching, that of TRUNCATE does not: it fires for the table named in the statement alone.
 */
const ADD_PARTITION = `
  CREATE FUNCTION audit.add_partition(first bigint, past bigint) RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $$
  DECLARE
    name text := 'log_' || lpad(first::text, 12, '0');
  BEGIN
    EXECUTE format('CREATE TABLE audit.%I (LIKE audit.log INCLUDING ALL) WITH (toast_tuple_target = 8160)', name);
    EXECUTE format('ALTER TABLE audit.log ATTACH PARTITION audit.%I FOR VALUES FROM (%s) TO (%s)', name, first, past);
    EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.%I EXECUTE FUNCTION audit.refuse()', name);
  END $$`;

/** Denials and rare kinds are what people look for; an index of every call by kind would cost each insert and help nobody. */
const INDEXES = [
  'log_at ON audit.log (at)',
  'log_client_at ON audit.log (client, at) WHERE client IS NOT NULL',
  'log_verification_at ON audit.log (verification, at) WHERE verification IS NOT NULL',
  'log_subject_at ON audit.log (subject, at) WHERE subject IS NOT NULL',
  `log_kind_at ON audit.log (kind, at) WHERE kind <> 'call'`,
  `log_denied_at ON audit.log (at) WHERE outcome = 'deny'`,
  'log_decision ON audit.log (decision) WHERE decision IS NOT NULL',
];

const READERS = 'gatehouse_app, gatehouse_auditor, gatehouse_archivist';

/**
 * audit.intake: durable records without a number. audit.log: numbered from 0 without gaps, in partitions by range of number, since a
 * unique number over partitions by time is impossible. audit.place: one record one number, over all partitions; it stays when an old
 * partition goes to the archive. audit.head: size, root and frontier of the tree. audit.tile: its hashes in tiles of height 8 (C2SP
 * tlog-tiles), from which every proof is made. audit.digest_keys: the keys of body digests, the one thing here that may be erased.
 * No role has the right to change any of it: the gateway runs the functions of the next migration.
 */
export class AuditLog1764000010000 implements MigrationInterface {
  name = 'AuditLog1764000010000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    await this.tables(runner);
    for (const body of [REFUSE, LEAVE_INTAKE, GROW_HEAD, GROW_TILE, ADD_PARTITION]) await runner.query(body);
    await this.triggers(runner);
    await runner.query('REVOKE ALL ON ALL FUNCTIONS IN SCHEMA audit FROM PUBLIC');
    await runner.query(
      'SELECT audit.add_partition(n * partition_size, (n + 1) * partition_size) FROM audit.head, generate_series(0, 1) n',
    );
    await runner.query(`GRANT SELECT ON audit.log, audit.intake, audit.head, audit.tile, audit.place TO ${READERS}`);
    await runner.query('GRANT SELECT, DELETE ON audit.digest_keys TO gatehouse_app');
    await runner.query('RESET ROLE');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE audit.digest_keys, audit.tile, audit.head, audit.place, audit.intake, audit.log');
    for (const name of ['add_partition(bigint, bigint)', 'grow_tile()', 'grow_head()', 'leave_intake()', 'refuse()']) {
      await runner.query(`DROP FUNCTION audit.${name}`);
    }
  }

  private async tables(runner: QueryRunner): Promise<void> {
    // Rows come and go at the rate of calls: vacuum by count, not by share, and without naps.
    await runner.query(`
      CREATE TABLE audit.intake (
        n           bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT intake_pkey PRIMARY KEY,
        id          uuid NOT NULL CONSTRAINT intake_id_key UNIQUE,
        recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        bytes       bytea NOT NULL CONSTRAINT intake_bytes_bounded CHECK (length(bytes) < 65536),
        ${PROJECTION}
      ) WITH (toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
              autovacuum_vacuum_insert_threshold = -1, autovacuum_vacuum_cost_delay = 0)`);
    await runner.query(`
      CREATE TABLE audit.log (
        seq         bigint NOT NULL CONSTRAINT log_pkey PRIMARY KEY,
        id          uuid NOT NULL,
        recorded_at timestamptz NOT NULL,
        bytes       bytea NOT NULL,
        leaf_hash   bytea NOT NULL,
        ${PROJECTION.replaceAll(/ CHECK \(.*\)/g, '')}
      ) PARTITION BY RANGE (seq)`);
    // Compression would cost more than it saves: most records are small, and hashes do not compress at all.
    await runner.query('ALTER TABLE audit.intake ALTER COLUMN bytes SET STORAGE EXTERNAL');
    await runner.query('ALTER TABLE audit.log ALTER COLUMN bytes SET STORAGE EXTERNAL');
    for (const index of INDEXES) await runner.query(`CREATE INDEX ${index}`);
    await runner.query(`
      CREATE TABLE audit.place (
        id  uuid CONSTRAINT place_pkey PRIMARY KEY,
        seq bigint NOT NULL
      )`);
    // A partition is a whole number of tiles of level 1 (65,536 records), so that it can be archived as tiles.
    await runner.query(`
      CREATE TABLE audit.head (
        one            boolean DEFAULT true CONSTRAINT head_pkey PRIMARY KEY CONSTRAINT head_one CHECK (one),
        origin         text CHECK (length(origin) BETWEEN 3 AND 128),
        size           bigint NOT NULL CHECK (size >= 0),
        root           bytea NOT NULL CHECK (length(root) = 32),
        frontier       bytea[] NOT NULL,
        partition_size bigint NOT NULL CHECK (partition_size > 0),
        partitioned_to bigint NOT NULL,
        updated_at     timestamptz NOT NULL,
        CONSTRAINT head_within_partitions CHECK (size <= partitioned_to)
      ) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500)`);
    await runner.query(`
      INSERT INTO audit.head (size, root, frontier, partition_size, partitioned_to, updated_at)
      VALUES (0, sha256(''), '{}', 1048576, 2097152, now())`);
    await runner.query(`
      CREATE TABLE audit.tile (
        level  smallint NOT NULL CHECK (level BETWEEN 0 AND 7),
        idx    bigint NOT NULL CHECK (idx >= 0),
        hashes bytea NOT NULL CONSTRAINT tile_hashes_whole CHECK (length(hashes) BETWEEN 32 AND 8192 AND length(hashes) % 32 = 0),
        CONSTRAINT tile_pkey PRIMARY KEY (level, idx)
      )`);
    await runner.query('ALTER TABLE audit.tile ALTER COLUMN hashes SET STORAGE EXTERNAL');
    await runner.query(`
      CREATE TABLE audit.digest_keys (
        record_id uuid CONSTRAINT digest_keys_pkey PRIMARY KEY,
        key       bytea NOT NULL CHECK (length(key) = 16)
      )`);
  }

  private async triggers(runner: QueryRunner): Promise<void> {
    const refusals: [table: string, events: string][] = [
      ['log', 'UPDATE OR DELETE'],
      ['place', 'UPDATE OR DELETE'],
      ['intake', 'UPDATE'],
      ['head', 'DELETE'],
      ['tile', 'DELETE'],
      ['digest_keys', 'UPDATE'],
    ];
    for (const [table, events] of refusals) {
      await runner.query(
        `CREATE TRIGGER no_change BEFORE ${events} ON audit.${table} FOR EACH ROW EXECUTE FUNCTION audit.refuse()`,
      );
      if (table === 'digest_keys') continue;
      await runner.query(
        `CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.${table} EXECUTE FUNCTION audit.refuse()`,
      );
    }
    await runner.query(`
      CREATE TRIGGER leave_intake AFTER DELETE ON audit.intake REFERENCING OLD TABLE AS gone
      FOR EACH STATEMENT EXECUTE FUNCTION audit.leave_intake()`);
    await runner.query(
      'CREATE TRIGGER grow_head BEFORE UPDATE ON audit.head FOR EACH ROW EXECUTE FUNCTION audit.grow_head()',
    );
    await runner.query(
      'CREATE TRIGGER grow_tile BEFORE UPDATE ON audit.tile FOR EACH ROW EXECUTE FUNCTION audit.grow_tile()',
    );
  }
}
