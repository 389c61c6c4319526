import type { Config } from '../../platform/index.js';
import { FileSink } from './file-sink.js';
import type { Sink } from './sink.js';
import { httpsCollector } from './transports/https-collector.js';
import { otlpLogs } from './transports/otlp-logs.js';
import { splunkHec } from './transports/splunk-hec.js';
import { syslog } from './transports/syslog.js';

export type SinkSettings = Config['siem']['sinks'][number];
type Makers = { readonly [K in SinkSettings['kind']]: (settings: Extract<SinkSettings, { kind: K }>) => Sink };

/** Each kind of receiver and what makes it. */
const MAKERS: Makers = {
  file: ({ name, path, rotate }) => new FileSink({ name, path, rotateAt: rotate.size, keep: rotate.keep }),
  'splunk-hec': (settings) => splunkHec(settings),
  https: (settings) => httpsCollector(settings),
  syslog: ({ maxMessage, ...settings }) => syslog({ ...settings, mostBytes: maxMessage }),
  otlp: (settings) => otlpLogs(settings),
};

/** @throws ConfigError on settings that no receiver can be made of: a file that cannot be read, an address that may not be */
export function makeSink(settings: SinkSettings): Sink {
  return (MAKERS[settings.kind] as (settings: SinkSettings) => Sink)(settings);
}
