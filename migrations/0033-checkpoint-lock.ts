import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * As in the migration of the checkpoints, but for what is locked: an advisory lock anybody who may log in can take and keep, and no checkpoint
 * would be kept any more. The row of the log's first name never changes and only its owner may lock it.
 */
const KEEP_CHECKPOINT = (lock: string): string => `
  CREATE OR REPLACE FUNCTION audit.keep_checkpoint(tree_size bigint, tree_root bytea, signed_note text) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DECLARE
    last audit.checkpoint;
  BEGIN
    ${lock}
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

const BY_ROW = 'PERFORM FROM audit.origin WHERE first = 0 FOR UPDATE;';
const ADVISORY = `PERFORM pg_advisory_xact_lock(hashtextextended('audit.keep_checkpoint', 0));`;

/** No login can hold up the keeping of checkpoints. */
export class CheckpointLock1764000033000 implements MigrationInterface {
  name = 'CheckpointLock1764000033000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    await runner.query(KEEP_CHECKPOINT(BY_ROW));
    await runner.query('RESET ROLE');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    await runner.query(KEEP_CHECKPOINT(ADVISORY));
    await runner.query('RESET ROLE');
  }
}
