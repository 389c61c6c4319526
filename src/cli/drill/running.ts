import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Caller,
  type Credentials,
  type DrillReport,
  planOf,
  type ReadScenario,
  reportSchema,
} from '../../drills/index.js';
import { ConfigError } from '../../platform/index.js';

const ASK_EVERY_MS = 500;
/** How long another administrator may take to approve. */
const APPROVAL_MS = 3_600_000;

/** The administrator that a drill in a running gateway is made by; a second one approves it meanwhile, as they approve anything. */
export function runningGateway(adminUrl: string, env: NodeJS.ProcessEnv): Caller {
  const needed = (name: string): string => {
    const value = env[name];
    if (value === undefined || value === '') throw new ConfigError('must be given with --url', name);
    return value;
  };
  const credentials: Credentials = {
    publicUrl: '',
    adminUrl: adminUrl.replace(/\/+$/, ''),
    ca: readFileSync(needed('GATEHOUSE_CA_FILE'), 'utf8'),
    apiKey: '',
    clientId: '',
    clientSecret: '',
    adminClientId: needed('GATEHOUSE_ADMIN_CLIENT_ID'),
    adminClientSecret: needed('GATEHOUSE_ADMIN_CLIENT_SECRET'),
  };
  return new Caller(credentials);
}

interface DrillState {
  id: string;
  state: string;
  why: string | null;
}

/** Proposes the vendor faults of a scenario, waits for the approval, starts, and waits for the end. @returns what the gateway saw */
export async function runThere(
  caller: Caller,
  { scenario }: ReadScenario,
  clients: readonly string[] | undefined,
  tell: (line: string) => void,
): Promise<DrillReport> {
  const { name, purpose } = scenario;
  const proposed = await asked(caller, '', { name, purpose, plan: planOf(scenario, clients) });
  const { id } = proposed;
  tell(`drill ${id} is proposed`);
  let started = await caller.admin(`/drills/${id}/start`, { method: 'POST' });
  if (started.body['code'] === 'approval-required') {
    tell(`another administrator must approve it: POST /admin/v1/drills/${id}/approve`);
    await until(caller, id, (drill) => drill.state !== 'proposed', APPROVAL_MS);
    started = await caller.admin(`/drills/${id}/start`, { method: 'POST' });
  }
  if (started.status !== 200)
    throw new Error(`the drill did not start: ${started.status} ${String(started.body['detail'])}`);
  tell('it is running; stop it with: gatehouse drill stop --url …');
  const over = await until(caller, id, ({ why }) => why !== null, scenario.load.for + 60_000);
  tell(`it is over: ${over.state}, ${over.why}`);
  return reportSchema.parse((await caller.admin(`/drills/${id}/report`)).body);
}

/** The kill switch. @returns ids of what was stopped */
export async function stopThere(caller: Caller): Promise<string[]> {
  const { status, body } = await caller.admin('/drills/stop', { method: 'POST' });
  if (status !== 200) throw new Error(`the drills were not stopped: ${status} ${String(body['detail'])}`);
  return body['stopped'] as string[];
}

async function asked(caller: Caller, path: string, body: object): Promise<DrillState> {
  const answer = await caller.admin(`/drills${path}`, { body });
  if (answer.status >= 300)
    throw new Error(`the gateway does not take the drill: ${answer.status} ${answer.text.slice(0, 500)}`);
  return answer.body as unknown as DrillState;
}

async function until(
  caller: Caller,
  id: string,
  holds: (drill: DrillState) => boolean,
  withinMs: number,
): Promise<DrillState> {
  const end = performance.now() + withinMs;
  for (;;) {
    const drill = (await caller.admin(`/drills/${id}`)).body as unknown as DrillState;
    if (holds(drill)) return drill;
    if (performance.now() > end) throw new Error(`drill ${id} is still ${drill.state}`);
    await sleep(ASK_EVERY_MS);
  }
}
