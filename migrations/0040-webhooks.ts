import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * webhooks.inbox: every webhook that was not refused, once an event and verdict, with its bytes sealed in the vault. The queues are those
 * of the work that follows: tried again for a day, at most five minutes apart, since the vendor may well be what is down.
 */
export class Webhooks1764000040000 implements MigrationInterface {
  name = 'Webhooks1764000040000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    await runner.query(`
      CREATE TABLE webhooks.inbox (
        id          uuid CONSTRAINT inbox_pkey PRIMARY KEY,
        vendor      text NOT NULL,
        event_key   text NOT NULL,
        verdict     text NOT NULL,
        reason      text NOT NULL,
        event_type  text NOT NULL,
        session_id  uuid,
        received_at timestamptz NOT NULL,
        raw         uuid,
        digest      bytea NOT NULL,
        state       text NOT NULL,
        attempts    integer NOT NULL DEFAULT 0,
        settled_at  timestamptz,
        CONSTRAINT inbox_event_key UNIQUE (vendor, event_key, verdict),
        CONSTRAINT inbox_verdict_known CHECK (verdict IN ('trusted', 'ask')),
        CONSTRAINT inbox_state_known CHECK (state IN ('new', 'done', 'kept', 'unmatched', 'failed')),
        CONSTRAINT inbox_texts_bounded CHECK (length(vendor) <= 32 AND length(event_key) <= 256 AND length(reason) <= 64
          AND length(event_type) <= 64),
        CONSTRAINT inbox_digest_sha256 CHECK (length(digest) = 32)
      )`);
    await runner.query('CREATE INDEX inbox_received_at_idx ON webhooks.inbox (received_at)');
    await runner.query('CREATE INDEX inbox_session_id_idx ON webhooks.inbox (session_id)');
    await runner.query('GRANT SELECT, INSERT, UPDATE, DELETE ON webhooks.inbox TO gatehouse_app');
    await runner.query('GRANT SELECT ON webhooks.inbox TO gatehouse_auditor');
    await this.queue(runner, 'webhooks.dead', QUEUE);
    await this.queue(runner, 'webhooks.follow', { ...QUEUE, deadLetter: 'webhooks.dead' });
    await runner.query('RESET ROLE');
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of ['webhooks.follow', 'webhooks.dead'])
      await runner.query('SELECT pgboss.delete_queue($1)', [name]);
    await runner.query('DROP TABLE webhooks.inbox');
  }

  private async queue(runner: QueryRunner, name: string, options: object): Promise<void> {
    await runner.query('SELECT pgboss.create_queue($1, $2)', [name, options]);
  }
}

const QUEUE = {
  policy: 'standard',
  notify: true,
  heartbeatSeconds: 10,
  expireInSeconds: 120,
  deleteAfterSeconds: 3_600,
  retryBackoff: true,
  retryDelay: 2,
  retryDelayMax: 300,
  retryLimit: 300,
};
