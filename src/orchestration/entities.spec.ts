import { describe, expect, it } from 'vitest';
import { startTestDatabase } from '../../test/support/database.js';
import { dataSource } from '../platform/index.js';
import { orchestrationEntities } from './index.js';

describe('the entities of this module', () => {
  it('are what the migrations made', async () => {
    const test = await startTestDatabase();
    const source = await dataSource({
      url: test.superuserUrl,
      entities: orchestrationEntities,
      poolSize: 2,
      statementTimeoutMs: 10_000,
      applicationName: 'gatehouse-spec',
    }).initialize();
    try {
      const { upQueries } = await source.driver.createSchemaBuilder().log();
      expect(upQueries.map(({ query }) => query)).toEqual([]);
    } finally {
      await source.destroy();
      await test.stop();
    }
  });
});
