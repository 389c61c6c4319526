import { type Config, ConfigError } from '../../platform/index.js';
import { FileSink } from './file-sink.js';
import type { Sink } from './sink.js';

export type SinkSettings = Config['siem']['sinks'][number];
type Makers = { readonly [K in SinkSettings['kind']]?: (settings: Extract<SinkSettings, { kind: K }>) => Sink };

/** Each kind of receiver and what makes it. */
const MAKERS: Makers = {
  file: ({ name, path, rotate }) => new FileSink({ name, path, rotateAt: rotate.size, keep: rotate.keep }),
};

/** @throws ConfigError on settings that no receiver can be made of */
export function makeSink(settings: SinkSettings): Sink {
  const make = MAKERS[settings.kind] as ((settings: SinkSettings) => Sink) | undefined;
  if (make === undefined)
    throw new ConfigError(`has a receiver of kind ${settings.kind}, which is not built in`, 'siem.sinks');
  return make(settings);
}
