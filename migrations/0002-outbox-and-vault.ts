import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * platform.signals: the outbox by which modules tell what they noticed, in the transaction of what they tell (readers keep a cursor).
 * platform.vault: the one place for what must be kept encrypted (rule 4), under a key a subject or client, with a time to live.
 */
export class OutboxAndVault1764000002000 implements MigrationInterface {
  name = 'OutboxAndVault1764000002000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    await runner.query(`
      CREATE TABLE platform.signals (
        n          bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT signals_pkey PRIMARY KEY,
        at         timestamptz NOT NULL,
        kind       text NOT NULL CHECK (length(kind) BETWEEN 1 AND 64),
        subject    text NOT NULL CHECK (length(subject) BETWEEN 1 AND 128),
        record_id  uuid,
        detail     jsonb NOT NULL DEFAULT '{}' CHECK (pg_column_size(detail) <= 4096)
      )`);
    await runner.query('CREATE INDEX signals_kind_at ON platform.signals (kind, at)');
    await runner.query(`
      CREATE TABLE platform.vault_keys (
        owner       text CONSTRAINT vault_keys_pkey PRIMARY KEY,
        wrapped_key bytea NOT NULL,
        created_at  timestamptz NOT NULL
      )`);
    await runner.query(`
      CREATE TABLE platform.vault (
        id         uuid CONSTRAINT vault_pkey PRIMARY KEY,
        owner      text NOT NULL REFERENCES platform.vault_keys (owner) ON DELETE CASCADE,
        purpose    text NOT NULL CHECK (length(purpose) BETWEEN 1 AND 64),
        sealed     bytea NOT NULL,
        expires_at timestamptz NOT NULL,
        CONSTRAINT vault_sealed_bounded CHECK (length(sealed) <= 34603008)
      )`);
    await runner.query('CREATE INDEX vault_expires_at ON platform.vault (expires_at)');
    await runner.query('CREATE INDEX vault_owner ON platform.vault (owner)');
    await runner.query('GRANT SELECT, INSERT, DELETE ON platform.signals TO gatehouse_app');
    await runner.query('GRANT SELECT, INSERT, UPDATE, DELETE ON platform.vault, platform.vault_keys TO gatehouse_app');
    await runner.query('GRANT SELECT ON platform.signals TO gatehouse_auditor');
    await runner.query('RESET ROLE');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE platform.vault, platform.vault_keys, platform.signals');
  }
}
