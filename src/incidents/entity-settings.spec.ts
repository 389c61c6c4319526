import { describe, expect, it } from 'vitest';
import { loadConfig } from '../platform/index.js';
import { EntitySettings } from './entity-settings.js';

const config = loadConfig({});
const withEntity = (members: object) => ({ ...config, entity: { ...config.entity, ...members } });

describe('EntitySettings', () => {
  it('takes the defaults', () => {
    expect(EntitySettings.of(config)).toMatchObject({
      entity: { home: 'ES', type: 'credit_institution' },
      clocks: {
        homeState: 'ES',
        type: 'credit_institution',
        timeZone: 'Europe/Madrid',
        nis2: false,
        systemicNotice: null,
      },
    });
  });

  it.each([
    [{ type: 'bank' }, 'entity.type'],
    [{ homeState: 'US' }, 'entity.homeState'],
  ])('refuses %j by the name of its setting', (members, setting) => {
    expect(() => EntitySettings.of(withEntity(members))).toThrow(setting);
  });
});
