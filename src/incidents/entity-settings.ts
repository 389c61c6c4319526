import { type Config, ConfigError } from '../platform/index.js';
import type { ClockEntity } from './engine/clocks.js';
import { type Entity, entitySchema } from './engine/schemas.js';

/** The entity of the settings, in the engine's words. */
export class EntitySettings {
  private constructor(
    readonly entity: Entity,
    readonly clocks: ClockEntity,
  ) {}

  /** @throws ConfigError naming the setting that the engine does not know */
  static of(config: Config): EntitySettings {
    const { type, homeState, nis2, systemicNotice, timeZone } = config.entity;
    const entity = entitySchema.safeParse({ home: homeState, type });
    if (!entity.success) {
      const { path, message } = entity.error.issues[0] ?? { path: [], message: 'cannot be used' };
      throw new ConfigError(message, path[0] === 'home' ? 'entity.homeState' : 'entity.type');
    }
    return new EntitySettings(entity.data, {
      homeState: entity.data.home,
      type: entity.data.type,
      nis2,
      systemicNotice,
      timeZone,
    });
  }
}
