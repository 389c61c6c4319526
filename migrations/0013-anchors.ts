import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A time stamp of the checkpoint of this size; whether it is good is for whoever reads the token, as with the checkpoint itself.
 * @returns whether it was kept; the first one of a size stays.
 */
const KEEP_ANCHOR = `
  CREATE FUNCTION audit.keep_anchor(checkpoint_size bigint, authority_name text, stamped_at timestamptz, stamp bytea)
  RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  BEGIN
    INSERT INTO audit.anchor (size, authority, gen_time, token)
    VALUES (checkpoint_size, authority_name, stamped_at, stamp) ON CONFLICT (size) DO NOTHING;
    RETURN FOUND;
  END $$`;

/** audit.anchor: time stamps (RFC 3161) of checkpoints by an authority that is not ours, with the whole token. */
export class Anchors1764000013000 implements MigrationInterface {
  name = 'Anchors1764000013000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    await runner.query(`
      CREATE TABLE audit.anchor (
        size      bigint CONSTRAINT anchor_pkey PRIMARY KEY CONSTRAINT anchor_size_fkey REFERENCES audit.checkpoint (size),
        authority text NOT NULL CHECK (length(authority) BETWEEN 1 AND 512),
        gen_time  timestamptz NOT NULL,
        token     bytea NOT NULL CONSTRAINT anchor_token_bounded CHECK (length(token) BETWEEN 1 AND 65536),
        kept_at   timestamptz NOT NULL DEFAULT clock_timestamp()
      )`);
    await runner.query(KEEP_ANCHOR);
    await runner.query(
      'CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON audit.anchor FOR EACH ROW EXECUTE FUNCTION audit.refuse()',
    );
    await runner.query('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.anchor EXECUTE FUNCTION audit.refuse()');
    await runner.query('GRANT SELECT ON audit.anchor TO gatehouse_app, gatehouse_auditor, gatehouse_archivist');
    await runner.query('REVOKE ALL ON FUNCTION audit.keep_anchor(bigint, text, timestamptz, bytea) FROM PUBLIC');
    await runner.query(
      'GRANT EXECUTE ON FUNCTION audit.keep_anchor(bigint, text, timestamptz, bytea) TO gatehouse_app',
    );
    await runner.query('RESET ROLE');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION audit.keep_anchor(bigint, text, timestamptz, bytea)');
    await runner.query('DROP TABLE audit.anchor');
  }
}
