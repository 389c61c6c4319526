import { APP_ROLE, type Clock, type Config, type Log } from '../../platform/index.js';
import { LogStore } from '../checkpoints/log-store.js';
import type { NoteVerifier } from '../checkpoints/note.js';
import { Connection } from '../connection.js';
import { makeSink, type SinkSettings } from './make-sink.js';
import { OneAtATime } from './one-at-a-time.js';
import { Shipper } from './shipper.js';
import { SiemMetrics } from './siem-metrics.js';
import type { Sink } from './sink.js';
import { SinkStore, type Standing } from './sink-store.js';

/** A receiver as administrators see it. */
export interface SinkView {
  name: string;
  kind: string;
  format: string;
  /** Number of the next record that it is to have. */
  nextSeq: number;
  lag: number;
  lagSeconds: number;
  /** `idle`: it has all; `unattended`: it lacks records, and no instance ships to it. */
  state: 'idle' | 'shipping' | 'failing' | 'unattended';
  /** Kind of the last error; null when the last batch was acknowledged. */
  lastError: string | null;
  lastSentAt: string | null;
}

export interface SiemParts {
  config: Pick<Config, 'siem'>;
  clock: Clock;
  log: Log;
  url: string;
  instance: string;
  /** Keys of which a checkpoint that goes out must bear a signature; without any, every checkpoint goes. */
  believed?: readonly NoteVerifier[];
}

const TIMEOUT_MS = 10_000;

/** The receivers of the log as an instance serves them. */
export interface Siem {
  /** Those of the receivers that take the operational log, too. */
  sinks: readonly Sink[];
  start(): void;
  /** Ships what is left within a moment and closes the connection. */
  stop(): Promise<void>;
  views(): Promise<SinkView[]>;
}

/** @throws ConfigError on settings that no receiver can be made of */
export async function openSiem({ config, clock, log: report, url, instance, believed }: SiemParts): Promise<Siem> {
  const settings = config.siem.sinks;
  const sinks = settings.map(makeSink);
  const names = settings.map(({ name }) => name);
  const timeouts = { statementTimeoutMs: TIMEOUT_MS, lockTimeoutMs: TIMEOUT_MS };
  // One of its own: what is read for receivers takes nothing from calls, and what waits for a receiver holds nothing.
  const connection = new Connection({ url, role: APP_ROLE, applicationName: 'gatehouse-siem', ...timeouts });
  const queries = new OneAtATime(connection);
  const store = new SinkStore(queries, instance);
  const log = new LogStore(queries, believed);
  try {
    for (const { name, from } of settings) await store.open(name, from === 'now');
  } catch (error) {
    await connection.close();
    throw error;
  }
  const standings = (): Promise<Standing[]> => (names.length === 0 ? Promise.resolve([]) : store.standings(names));
  const metrics = new SiemMetrics(standings);
  const shippers = sinks.map((sink, n) => {
    const { format, batch } = settings[n] as SinkSettings;
    const shipper = new Shipper({ sink, format, batch, store, log, clock, report });
    shipper.onSent = (records) => metrics.sent(sink.name, records);
    shipper.onFailed = (kind) => metrics.failed(sink.name, kind);
    return shipper;
  });
  return {
    sinks: sinks.filter((_, n) => settings[n]?.operational === true),
    start: () => shippers.forEach((shipper) => shipper.start()),
    stop: async () => {
      await Promise.all(shippers.map((shipper) => shipper.stop()));
      metrics.stop();
      await connection.close();
    },
    views: async () => {
      const found = new Map((await standings()).map((standing) => [standing.name, standing]));
      return settings.flatMap((one) => viewOf(one, found.get(one.name)));
    },
  };
}

function viewOf({ name, kind, format }: SinkSettings, standing: Standing | undefined): SinkView[] {
  if (standing === undefined) return [];
  const { nextSeq, lag, lagSeconds, trouble, lastSentAt } = standing;
  return [{ name, kind, format, nextSeq, lag, lagSeconds, state: stateOf(standing), lastError: trouble, lastSentAt }];
}

function stateOf({ trouble, lag, held }: Standing): SinkView['state'] {
  if (trouble !== null) return 'failing';
  if (lag === 0) return 'idle';
  return held ? 'shipping' : 'unattended';
}
