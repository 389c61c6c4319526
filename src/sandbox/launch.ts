import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { z } from 'zod';
import { identityOf } from './identity.js';
import { readSettings, type SandboxSettings, type Settings } from './settings.js';
import { readState, removeState, writeWhole, type SandboxState } from './state-file.js';

export interface LaunchOptions {
  readonly settings: SandboxSettings;
  /** Written here for the process to read, mode 0600. */
  readonly settingsFile: string;
  /** Written by the process once it listens; by it a later start finds the process again. */
  readonly stateFile: string;
  /** The executable; `main.js` beside this file. */
  readonly entry?: string;
  readonly execArgv?: readonly string[];
  readonly timeoutMs?: number;
}

export interface LaunchedSandbox {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Whether it was running already. */
  readonly adopted: boolean;
  /** An orderly stop; nothing when it has gone already. */
  stop(): Promise<void>;
}

const healthSchema = z.object({ service: z.literal('didit-sandbox'), pid: z.number(), identity: z.string() });
type Health = z.output<typeof healthSchema>;

/**
 * The sandbox as a detached process that outlives this one: the running one of that state file, with its webhooks turned to
 * the new address, or a new one. A running one with other secrets, or
 * at another port than the one asked for, is stopped first.
 */
export const launchSandbox = async (options: LaunchOptions): Promise<LaunchedSandbox> => {
  const settings = readSettings({ ...options.settings, stateFile: options.stateFile });
  const caller = new Caller(readFileSync(settings.tls.caFile, 'utf8'));
  try {
    const found = await findRunning(options.stateFile, caller);
    if (found !== null && isWanted(found, settings)) {
      await caller.configure(found.state.url, settings.webhookUrl);
      return handle(found.state, true, options, settings.tls.caFile);
    }
    if (found !== null) await stopRunning(found.state, options.stateFile, caller);
    await writeWhole(
      options.settingsFile,
      `${JSON.stringify({ ...options.settings, stateFile: options.stateFile }, null, 2)}\n`,
    );
    const state = await spawnDetached(options, caller);
    return handle(state, false, options, settings.tls.caFile);
  } finally {
    await caller.close();
  }
};

const handle = (state: SandboxState, adopted: boolean, options: LaunchOptions, caFile: string): LaunchedSandbox => ({
  url: state.url,
  port: state.port,
  pid: state.pid,
  adopted,
  stop: async () => {
    const caller = new Caller(readFileSync(caFile, 'utf8'));
    try {
      await stopRunning(state, options.stateFile, caller);
    } finally {
      await caller.close();
    }
  },
});

/** The same secrets, and at the port that was asked for. */
const isWanted = (found: Found, settings: Settings): boolean =>
  found.health.identity === identityOf(settings) && (settings.port === 0 || settings.port === found.state.port);

interface Found {
  readonly state: SandboxState;
  readonly health: Health;
}

/** A live pid is not enough, since the system gives pids out again: the process must answer as a sandbox of that pid. */
const findRunning = async (stateFile: string, caller: Caller): Promise<Found | null> => {
  const state = await readState(stateFile);
  if (state === null || !isAlive(state.pid)) return null;
  const health = await caller.health(state.url);
  return health?.pid === state.pid ? { state, health } : null;
};

const spawnDetached = async (options: LaunchOptions, caller: Caller): Promise<SandboxState> => {
  const logFile = `${options.stateFile}.log`;
  const log = openSync(logFile, 'w', 0o600);
  const entry = options.entry ?? join(import.meta.dirname, 'main.js');
  const child = spawn(process.execPath, [...(options.execArgv ?? []), entry, options.settingsFile], {
    detached: true,
    stdio: ['ignore', 'ignore', log],
  });
  closeSync(log);
  const failed = new Promise<never>((_resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) =>
      reject(new Error(`the sandbox did not start (exit ${code ?? 'by signal'}): ${tail(logFile)}`)),
    );
  });
  try {
    return await Promise.race([failed, untilReady(child, options, caller)]);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    failed.catch(() => undefined);
    child.unref();
  }
};

const untilReady = async (child: ChildProcess, options: LaunchOptions, caller: Caller): Promise<SandboxState> => {
  const limit = Date.now() + (options.timeoutMs ?? 20_000);
  while (Date.now() < limit) {
    const state = await readState(options.stateFile);
    if (state?.pid === child.pid && state !== null && (await caller.health(state.url)) !== null) return state;
    if (child.exitCode !== null) break;
    await sleep(25);
  }
  throw new Error(`the sandbox did not become ready: ${tail(`${options.stateFile}.log`)}`);
};

const stopRunning = async (state: SandboxState, stateFile: string, caller: Caller): Promise<void> => {
  for (const [signal, patienceMs] of [
    ['SIGTERM', 5_000],
    ['SIGKILL', 2_000],
  ] as const) {
    if ((await caller.health(state.url))?.pid !== state.pid) break;
    process.kill(state.pid, signal);
    const limit = Date.now() + patienceMs;
    while (Date.now() < limit && (await caller.health(state.url)) !== null) await sleep(25);
  }
  await removeState(stateFile, state.pid);
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};

const tail = (file: string): string => readFileSync(file, 'utf8').trim().slice(-500) || 'it said nothing';

/** Calls the controls of a sandbox, trusting only the given authority. */
class Caller {
  readonly #agent: Agent;

  constructor(ca: string) {
    this.#agent = new Agent({
      connect: { ca, timeout: 1_000 },
      headersTimeout: 2_000,
      bodyTimeout: 2_000,
      pipelining: 0,
    });
  }

  /** Null when nobody, or somebody else, answers there. */
  async health(url: string): Promise<Health | null> {
    try {
      const answer = await request(`${url}/_sandbox/health`, { dispatcher: this.#agent });
      return healthSchema.parse(await answer.body.json());
    } catch {
      return null;
    }
  }

  async configure(url: string, webhookUrl: string | null): Promise<void> {
    const body = JSON.stringify({ webhookUrl });
    const answer = await request(`${url}/_sandbox/configure`, { method: 'POST', body, dispatcher: this.#agent });
    await answer.body.dump();
    if (answer.statusCode !== 200)
      throw new Error(`the running sandbox took no new webhook address (${answer.statusCode})`);
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }
}
