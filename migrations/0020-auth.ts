import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Who calls: clients with their API keys and secrets, administrators with theirs, the embedded issuers' signing keys (sealed) and what the
 * issuer library keeps. Credentials are SHA-256 digests of 256 random bits: there is nothing to guess, so a slow hash would buy nothing.
 * No row is ever deleted but the library's own expired state: a revoked credential goes on explaining old records.
 */
export class Auth1764000020000 implements MigrationInterface {
  name = 'Auth1764000020000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    for (const statement of [...TABLES, ...GRANTS]) await runner.query(statement);
    await runner.query('RESET ROLE');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `DROP TABLE auth.oidc_payloads, auth.issuer_keys, auth.administrator_secrets, auth.administrators, auth.client_secrets,
                  auth.api_keys, auth.clients`,
    );
  }
}

const TABLES = [
  `CREATE TABLE auth.clients (
     id         uuid CONSTRAINT clients_pkey PRIMARY KEY,
     name       text NOT NULL CONSTRAINT clients_name_key UNIQUE,
     scopes     text[] NOT NULL,
     factors    jsonb NOT NULL,
     state      text NOT NULL DEFAULT 'active',
     addresses  cidr[] NOT NULL DEFAULT '{}',
     version    integer NOT NULL DEFAULT 1,
     created_at timestamptz NOT NULL,
     updated_at timestamptz NOT NULL,
     CONSTRAINT clients_name_bounded CHECK (length(name) BETWEEN 1 AND 64),
     CONSTRAINT clients_state_known CHECK (state IN ('active', 'suspended', 'revoked'))
   )`,
  `CREATE TABLE auth.api_keys (
     id           uuid CONSTRAINT api_keys_pkey PRIMARY KEY,
     client_id    uuid NOT NULL CONSTRAINT api_keys_client_id_fkey REFERENCES auth.clients (id),
     prefix       text NOT NULL,
     hash         bytea NOT NULL CONSTRAINT api_keys_hash_key UNIQUE,
     scopes       text[] NOT NULL,
     created_at   timestamptz NOT NULL,
     expires_at   timestamptz NOT NULL,
     revoked_at   timestamptz,
     last_used_at timestamptz,
     CONSTRAINT api_keys_hash_sha256 CHECK (length(hash) = 32)
   )`,
  'CREATE INDEX api_keys_client_id_idx ON auth.api_keys (client_id)',
  `CREATE TABLE auth.client_secrets (
     id         uuid CONSTRAINT client_secrets_pkey PRIMARY KEY,
     client_id  uuid NOT NULL CONSTRAINT client_secrets_client_id_fkey REFERENCES auth.clients (id),
     hash       bytea NOT NULL CONSTRAINT client_secrets_hash_key UNIQUE,
     created_at timestamptz NOT NULL,
     revoked_at timestamptz,
     CONSTRAINT client_secrets_hash_sha256 CHECK (length(hash) = 32)
   )`,
  'CREATE INDEX client_secrets_client_id_idx ON auth.client_secrets (client_id)',
  `CREATE TABLE auth.administrators (
     id         uuid CONSTRAINT administrators_pkey PRIMARY KEY,
     name       text NOT NULL CONSTRAINT administrators_name_key UNIQUE,
     roles      text[] NOT NULL,
     state      text NOT NULL DEFAULT 'active',
     version    integer NOT NULL DEFAULT 1,
     created_at timestamptz NOT NULL,
     updated_at timestamptz NOT NULL,
     CONSTRAINT administrators_name_bounded CHECK (length(name) BETWEEN 1 AND 64),
     CONSTRAINT administrators_state_known CHECK (state IN ('active', 'suspended', 'revoked'))
   )`,
  `CREATE TABLE auth.administrator_secrets (
     id               uuid CONSTRAINT administrator_secrets_pkey PRIMARY KEY,
     administrator_id uuid NOT NULL CONSTRAINT administrator_secrets_administrator_id_fkey REFERENCES auth.administrators (id),
     hash             bytea NOT NULL CONSTRAINT administrator_secrets_hash_key UNIQUE,
     created_at       timestamptz NOT NULL,
     revoked_at       timestamptz,
     CONSTRAINT administrator_secrets_hash_sha256 CHECK (length(hash) = 32)
   )`,
  'CREATE INDEX administrator_secrets_administrator_id_idx ON auth.administrator_secrets (administrator_id)',
  `CREATE TABLE auth.issuer_keys (
     kid        text CONSTRAINT issuer_keys_pkey PRIMARY KEY,
     listener   text NOT NULL,
     public_jwk jsonb NOT NULL,
     sealed     bytea NOT NULL,
     created_at timestamptz NOT NULL,
     signs_from timestamptz NOT NULL,
     retires_at timestamptz,
     CONSTRAINT issuer_keys_listener_known CHECK (listener IN ('public', 'admin'))
   )`,
  `CREATE TABLE auth.oidc_payloads (
     model       text NOT NULL,
     id_hash     bytea NOT NULL,
     payload     jsonb NOT NULL,
     consumed_at timestamptz,
     expires_at  timestamptz NOT NULL,
     CONSTRAINT oidc_payloads_pkey PRIMARY KEY (model, id_hash)
   )`,
  'CREATE INDEX oidc_payloads_expires_at_idx ON auth.oidc_payloads (expires_at)',
];

const GRANTS = [
  'GRANT SELECT, INSERT, UPDATE ON auth.clients, auth.administrators TO gatehouse_app',
  'GRANT SELECT, INSERT, UPDATE (revoked_at, last_used_at) ON auth.api_keys TO gatehouse_app',
  'GRANT SELECT, INSERT, UPDATE (revoked_at) ON auth.client_secrets, auth.administrator_secrets TO gatehouse_app',
  'GRANT SELECT, INSERT, UPDATE (retires_at) ON auth.issuer_keys TO gatehouse_app',
  'GRANT SELECT, INSERT, UPDATE, DELETE ON auth.oidc_payloads TO gatehouse_app',
  'GRANT SELECT ON auth.clients, auth.administrators TO gatehouse_auditor',
  `GRANT SELECT (id, client_id, prefix, scopes, created_at, expires_at, revoked_at, last_used_at) ON auth.api_keys TO gatehouse_auditor`,
  'GRANT SELECT (id, client_id, created_at, revoked_at) ON auth.client_secrets TO gatehouse_auditor',
  'GRANT SELECT (id, administrator_id, created_at, revoked_at) ON auth.administrator_secrets TO gatehouse_auditor',
  'GRANT SELECT (kid, listener, public_jwk, created_at, signs_from, retires_at) ON auth.issuer_keys TO gatehouse_auditor',
];
