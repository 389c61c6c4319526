import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * webhooks.endpoints: where a client's systems (or, without a client, the firm's administrators) are told of what happens, and how well they
 * answer. webhooks.signing_keys: by which they know us; the secret halves are sealed. webhooks.events: what happened, written with the
 * change that it tells, without anything personal. webhooks.deliveries: each event on its way to each endpoint. webhooks.attempts: how often
 * it was tried, and what was answered.
 */
export class WebhooksOut1764000041000 implements MigrationInterface {
  name = 'WebhooksOut1764000041000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    await runner.query(`
      CREATE TABLE webhooks.endpoints (
        id              uuid CONSTRAINT endpoints_pkey PRIMARY KEY,
        client_id       uuid,
        url             text NOT NULL,
        description     text NOT NULL DEFAULT '',
        event_types     text[] NOT NULL,
        payload         text NOT NULL,
        ordered         boolean NOT NULL,
        state           text NOT NULL,
        reason          text,
        failures_in_row integer NOT NULL DEFAULT 0,
        failing_since   timestamptz,
        warned_at       timestamptz,
        resume_at       timestamptz NOT NULL,
        version         integer NOT NULL DEFAULT 1,
        created_at      timestamptz NOT NULL,
        updated_at      timestamptz NOT NULL,
        CONSTRAINT endpoints_texts_bounded CHECK (length(url) BETWEEN 1 AND 2048 AND length(description) <= 256 AND length(reason) <= 64),
        CONSTRAINT endpoints_types_bounded CHECK (cardinality(event_types) BETWEEN 1 AND 50),
        CONSTRAINT endpoints_payload_known CHECK (payload IN ('thin', 'full')),
        CONSTRAINT endpoints_state_known CHECK (state IN ('active', 'paused', 'draining', 'disabled'))
      )`);
    await runner.query('CREATE INDEX endpoints_client ON webhooks.endpoints (client_id)');
    await runner.query(`
      CREATE TABLE webhooks.signing_keys (
        id          uuid CONSTRAINT signing_keys_pkey PRIMARY KEY,
        endpoint_id uuid NOT NULL REFERENCES webhooks.endpoints (id) ON DELETE CASCADE,
        scheme      text NOT NULL,
        sealed      bytea NOT NULL,
        public_key  text,
        created_at  timestamptz NOT NULL,
        expires_at  timestamptz,
        CONSTRAINT signing_keys_scheme_known CHECK (scheme IN ('hmac', 'ed25519')),
        CONSTRAINT signing_keys_bounded CHECK (length(sealed) <= 512 AND length(public_key) <= 128)
      )`);
    await runner.query('CREATE INDEX signing_keys_endpoint ON webhooks.signing_keys (endpoint_id)');
    await runner.query(`
      CREATE TABLE webhooks.events (
        id              uuid CONSTRAINT events_pkey PRIMARY KEY,
        at              timestamptz NOT NULL,
        type            text NOT NULL,
        client_id       uuid,
        verification_id uuid,
        facts           jsonb NOT NULL,
        CONSTRAINT events_bounded CHECK (length(type) BETWEEN 1 AND 64 AND pg_column_size(facts) <= 4096)
      )`);
    await runner.query('CREATE INDEX events_at ON webhooks.events (at)');
    await runner.query(`
      CREATE TABLE webhooks.deliveries (
        n               bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT deliveries_pkey PRIMARY KEY,
        id              uuid NOT NULL CONSTRAINT deliveries_id UNIQUE,
        event_id        uuid NOT NULL REFERENCES webhooks.events (id) ON DELETE CASCADE,
        endpoint_id     uuid NOT NULL REFERENCES webhooks.endpoints (id) ON DELETE CASCADE,
        verification_id uuid,
        state           text NOT NULL,
        attempts        integer NOT NULL DEFAULT 0,
        next_at         timestamptz NOT NULL,
        holder          uuid,
        lease_until     timestamptz,
        created_at      timestamptz NOT NULL,
        ended_at        timestamptz,
        CONSTRAINT deliveries_state_known CHECK (state IN ('waiting', 'delivered', 'dead', 'dropped'))
      )`);
    await runner.query(
      `CREATE INDEX deliveries_due ON webhooks.deliveries (endpoint_id, next_at, n) WHERE state = 'waiting'`,
    );
    await runner.query(
      `CREATE INDEX deliveries_order ON webhooks.deliveries (endpoint_id, verification_id, n) WHERE state = 'waiting'`,
    );
    await runner.query(
      `CREATE INDEX deliveries_holder ON webhooks.deliveries (holder) WHERE state = 'waiting' AND holder IS NOT NULL`,
    );
    await runner.query('CREATE INDEX deliveries_endpoint ON webhooks.deliveries (endpoint_id, n)');
    await runner.query('CREATE INDEX deliveries_event ON webhooks.deliveries (event_id)');
    await runner.query('CREATE INDEX deliveries_verification ON webhooks.deliveries (verification_id, n)');
    await runner.query(`
      CREATE TABLE webhooks.attempts (
        id            uuid CONSTRAINT attempts_pkey PRIMARY KEY,
        delivery_id   uuid NOT NULL REFERENCES webhooks.deliveries (id) ON DELETE CASCADE,
        at            timestamptz NOT NULL,
        duration_ms   integer NOT NULL,
        status        integer NOT NULL,
        outcome       text NOT NULL,
        content_type  text,
        answer_bytes  integer NOT NULL,
        CONSTRAINT attempts_bounded CHECK (length(outcome) <= 64 AND length(content_type) <= 128)
      )`);
    await runner.query('CREATE INDEX attempts_delivery ON webhooks.attempts (delivery_id)');
    await runner.query(`
      GRANT SELECT, INSERT, UPDATE, DELETE ON webhooks.endpoints, webhooks.deliveries TO gatehouse_app`);
    await runner.query(`GRANT SELECT, INSERT, DELETE ON webhooks.events, webhooks.attempts TO gatehouse_app`);
    await runner.query('GRANT SELECT, INSERT, DELETE, UPDATE (expires_at) ON webhooks.signing_keys TO gatehouse_app');
    await runner.query(`
      GRANT SELECT ON webhooks.endpoints, webhooks.events, webhooks.deliveries, webhooks.attempts TO gatehouse_auditor`);
    await runner.query(`
      GRANT SELECT (id, endpoint_id, scheme, public_key, created_at, expires_at) ON webhooks.signing_keys TO gatehouse_auditor`);
    await runner.query('RESET ROLE');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'DROP TABLE webhooks.attempts, webhooks.deliveries, webhooks.events, webhooks.signing_keys, webhooks.endpoints',
    );
  }
}
