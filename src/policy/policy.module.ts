import { Module } from '@nestjs/common';
import { ThrottlerModule } from '@nestjs/throttler';
import { type Config, CONFIG, Log } from '../platform/index.js';
import { RateStorage } from './rate-storage.js';
import { RateGuard } from './rates.js';

@Module({
  imports: [
    ThrottlerModule.forRootAsync({
      inject: [CONFIG, Log],
      useFactory: ({ policy: { rates }, redisUrl }: Config, log: Log) => ({
        throttlers: [
          { name: 'client', limit: rates.client.limit, ttl: rates.client.windowMs },
          { name: 'key', limit: rates.key.limit, ttl: rates.key.windowMs },
        ],
        storage: new RateStorage(redisUrl, log),
      }),
    }),
  ],
  providers: [RateGuard],
  exports: [RateGuard],
})
export class PolicyModule {}
