import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * orchestration.workflows: every version of every workflow as it was written; at most one of a name is published, and what was published
 * once changes no more. The two that ship are put in as published.
 */
export class Workflows1764000035000 implements MigrationInterface {
  name = 'Workflows1764000035000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    await runner.query(`
      CREATE TABLE orchestration.workflows (
        name         text NOT NULL,
        version      integer NOT NULL,
        state        text NOT NULL,
        revision     integer NOT NULL DEFAULT 1,
        source       text NOT NULL,
        definition   json NOT NULL,
        created_at   timestamptz NOT NULL,
        updated_at   timestamptz NOT NULL,
        published_at timestamptz,
        retired_at   timestamptz,
        CONSTRAINT workflows_pkey PRIMARY KEY (name, version),
        CONSTRAINT workflows_name_bounded CHECK (name ~ '^[a-z][a-z0-9-]{0,63}$'),
        CONSTRAINT workflows_version_positive CHECK (version > 0 AND revision > 0),
        CONSTRAINT workflows_state_known CHECK (state IN ('draft', 'published', 'retired')),
        CONSTRAINT workflows_source_known CHECK (source IN ('seed', 'file', 'admin')),
        CONSTRAINT workflows_definition_bounded CHECK (pg_column_size(definition) <= 65536),
        CONSTRAINT workflows_instants CHECK ((state <> 'published' OR published_at IS NOT NULL)
          AND (state = 'retired') = (retired_at IS NOT NULL))
      )`);
    await runner.query(
      `CREATE UNIQUE INDEX workflows_published ON orchestration.workflows (name) WHERE state = 'published'`,
    );
    await runner.query(`
      CREATE FUNCTION orchestration.keep_published_definition() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF OLD.state <> 'draft' AND (NEW.definition::text IS DISTINCT FROM OLD.definition::text OR NEW.state = 'draft') THEN
          RAISE EXCEPTION 'a published workflow changes no more';
        END IF;
        RETURN NEW;
      END $$`);
    await runner.query(`
      CREATE TRIGGER keep_published_definition BEFORE UPDATE ON orchestration.workflows
        FOR EACH ROW EXECUTE FUNCTION orchestration.keep_published_definition()`);
    for (const [name, definition] of Object.entries({ onboarding: ONBOARDING, 'onboarding-api': ONBOARDING_API }))
      await runner.query(
        `INSERT INTO orchestration.workflows (name, version, state, source, definition, created_at, updated_at, published_at)
         VALUES ($1, 1, 'published', 'seed', $2, now(), now(), now())`,
        [name, JSON.stringify(definition)],
      );
    await runner.query('GRANT SELECT, INSERT, UPDATE ON orchestration.workflows TO gatehouse_app');
    await runner.query('GRANT SELECT ON orchestration.workflows TO gatehouse_auditor');
    await runner.query('RESET ROLE');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE orchestration.workflows');
    await runner.query('DROP FUNCTION orchestration.keep_published_definition()');
  }
}

const ONBOARDING = {
  title: 'Onboarding on the vendor’s own page',
  steps: [{ name: 'session', operation: 'session.create' }],
  outcome: [{ is: 'as-vendor' }],
};

const goesOn = (step: string) => ({ step, is: ['passed', 'review'] });

/** In order, and nothing more after the first that declines. */
const ONBOARDING_API = {
  title: 'Onboarding from pictures that the caller uploads',
  uploads: {
    'document-front': { maxBytes: 5_242_880 },
    'document-back': {
      mediaTypes: ['image/jpeg', 'image/png', 'image/webp', 'application/pdf'],
      maxBytes: 10_485_760,
      required: false,
    },
    selfie: { maxBytes: 5_242_880 },
  },
  uploadWithin: '24h',
  timeout: '4h',
  fallback: ['queued', 'manual'],
  steps: [
    {
      name: 'id-verification',
      operation: 'id-verification',
      input: { front_image: { upload: 'document-front' }, back_image: { upload: 'document-back' } },
    },
    {
      name: 'passive-liveness',
      operation: 'passive-liveness',
      after: ['id-verification'],
      when: goesOn('id-verification'),
      input: { user_image: { upload: 'selfie' } },
    },
    {
      name: 'face-match',
      operation: 'face-match',
      after: ['passive-liveness'],
      when: goesOn('passive-liveness'),
      input: { user_image: { upload: 'selfie' }, ref_image: { upload: 'document-front' } },
    },
    {
      name: 'aml-screening',
      operation: 'aml',
      after: ['face-match'],
      when: goesOn('face-match'),
      input: {
        full_name: {
          firstOf: [
            { step: 'id-verification', field: 'full_name' },
            {
              join: [
                { step: 'id-verification', field: 'first_name' },
                { step: 'id-verification', field: 'last_name' },
              ],
              with: ' ',
            },
            { join: [{ expected: 'firstName' }, { expected: 'lastName' }], with: ' ' },
          ],
        },
        date_of_birth: {
          firstOf: [{ step: 'id-verification', field: 'date_of_birth' }, { expected: 'dateOfBirth' }],
        },
      },
    },
  ],
  outcome: [
    {
      when: {
        any: ['id-verification', 'passive-liveness', 'face-match', 'aml-screening'].map((step) => ({
          step,
          is: 'failed',
        })),
      },
      is: 'declined',
    },
    {
      when: {
        all: ['id-verification', 'passive-liveness', 'face-match', 'aml-screening'].map((step) => ({
          step,
          is: 'passed',
        })),
      },
      is: 'approved',
    },
    { is: 'in-review' },
  ],
};
