import type { Answer, DemoClient } from './client.js';

type Tell = (line: string) => void;
type Row = Record<string, unknown>;

/** The story does not go on from a step that did not come out. */
export class StoryFault extends Error {}

function expect(condition: boolean, what: string, answer?: Answer): asserts condition {
  if (!condition)
    throw new StoryFault(answer === undefined ? what : `${what} (${answer.status} ${answer.text.slice(0, 300)})`);
}

const PATIENCE_MS = 75_000;

async function wait<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end) {
    const found = await ask();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new StoryFault(`${what} did not come about within ${PATIENCE_MS / 1_000} s`);
}

function show(tell: Tell, value: unknown): void {
  for (const line of JSON.stringify(value, null, 2).split('\n')) tell(`    ${line}`);
}

/** One bank onboarding and one bad day, told step by step. @throws StoryFault at the first step that did not come out. */
export async function tellStory(client: DemoClient, tell: Tell): Promise<void> {
  tell('1. The bank’s system takes an access token (client credentials); it also holds an API key.');
  const token = await client.takeTokens();
  expect(token.status === 200, 'no token was issued', token);
  tell(
    `   a ${String(token.body['token_type'])} token for ${String(token.body['expires_in'])} s: ${String(token.body['scope'])}`,
  );
  const { id, url, sessionId } = await begin(client, tell);
  await finishPage(client, tell, url);
  await decided(client, tell, id);
  await records(client, tell, id);
  await forged(client, tell, sessionId);
  await stranger(client, tell, sessionId);
  await outage(client, tell);
}

async function begin(client: DemoClient, tell: Tell): Promise<{ id: string; url: string; sessionId: string }> {
  tell('2. It begins a verification of one of its prospects.');
  const created = await client.v1('/verifications', {
    workflow: 'onboarding',
    subject: { reference: `prospect-${crypto.randomUUID()}`, relationship: 'prospect' },
  });
  expect(created.status === 201, 'the verification was not created', created);
  const { sessionId } = created.body['vendor'] as { sessionId: string };
  tell(
    `   verification ${String(created.body['id'])} is ${String(created.body['status'])}; the person is sent to the hosted page ${String(created.body['url'])}`,
  );
  return { id: String(created.body['id']), url: String(created.body['url']), sessionId };
}

/** Clicks through the page as a person would: each form is sent as it stands. */
async function finishPage(client: DemoClient, tell: Tell, url: string): Promise<void> {
  tell('3. The person goes through the hosted page.');
  let page = await client.call(url);
  for (let step = 1; step <= 12; step += 1) {
    const form = /<form([^>]*)>([\s\S]*?)<\/form>/.exec(page.text);
    if (!form) break;
    const fields = new URLSearchParams();
    for (const [, name = '', value = ''] of (form[2] ?? '').matchAll(
      /<(?:input|button)[^>]*name="([^"]+)"[^>]*value="([^"]*)"/g,
    )) {
      if (!fields.has(name)) fields.set(name, value);
    }
    const action = /action="([^"]+)"/.exec(form[1] ?? '')?.[1]?.replaceAll('&amp;', '&') ?? url;
    const target = new URL(action, url).href;
    const sent = await client.call(target, {
      method: 'POST',
      body: fields.toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(sent.status < 400, 'the page refused a step', sent);
    const next = sent.headers['location'];
    page =
      typeof next === 'string' && new URL(next, url).origin === new URL(url).origin
        ? await client.call(new URL(next, url).href)
        : sent;
    tell(`   step ${step} of the page is done`);
  }
}

async function decided(client: DemoClient, tell: Tell, id: string): Promise<void> {
  tell('4. The vendor’s signed webhook tells that there is a decision; the gateway asks for it and applies it.');
  const read = await wait('a decision', async () => {
    const answer = await client.v1(`/verifications/${id}`);
    return ['approved', 'declined', 'in-review'].includes(String(answer.body['status'])) ? answer : undefined;
  });
  tell(
    `   the verification is ${String(read.body['status'])}. What this client may see of the result, personal data masked:`,
  );
  const result = read.body['result'] as Record<string, Row[]> | null;
  show(tell, {
    status: result?.['status'],
    idVerification: result?.['idVerifications']?.[0],
    aml: result?.['amlScreenings']?.[0],
  });
}

async function records(client: DemoClient, tell: Tell, id: string): Promise<void> {
  tell('5. Every step left a record in the audit log:');
  const found = await wait('the records', async () => {
    const answer = await client.admin(`/audit/records?verification=${id}&limit=50`);
    const items = (answer.body['items'] ?? []) as { seq: number | null; record: Row }[];
    return items.length >= 4 && items.every((item) => item.seq !== null) ? items : undefined;
  });
  for (const { seq, record } of found.toReversed())
    tell(`   ${String(seq).padStart(6)}  ${String(record['at'])}  ${String(record['kind'])}`);
}

async function forged(client: DemoClient, tell: Tell, sessionId: string): Promise<void> {
  tell('6. Somebody sends a forged webhook that says the person was declined.');
  const seconds = Math.floor(Date.now() / 1_000);
  const answer = await client.call(`${client.credentials.publicUrl}/webhooks/didit`, {
    body: {
      event_id: crypto.randomUUID(),
      webhook_type: 'status.updated',
      session_id: sessionId,
      status: 'Declined',
      timestamp: seconds,
      created_at: seconds,
    },
    headers: {
      'x-timestamp': String(seconds),
      'x-signature': '0'.repeat(64),
      'x-signature-v2': '0'.repeat(64),
      'x-signature-simple': '0'.repeat(64),
    },
  });
  expect(answer.status === 401, 'the forged webhook was not refused', answer);
  tell(`   refused: ${answer.status} ${String(answer.body['code'])}, decision ${String(answer.body['decisionId'])}`);
}

async function stranger(client: DemoClient, tell: Tell, sessionId: string): Promise<void> {
  tell('7. Another client, through the drop-in, asks for that session.');
  const answer = await client.call(`${client.credentials.publicUrl}/didit/v3/session/${sessionId}/decision/`, {
    headers: { 'x-api-key': client.credentials.otherClient.apiKey },
  });
  expect(answer.status === 404, 'a foreign session was found', answer);
  tell(`   ${answer.status} ${String(answer.body['code'])}: for others it does not exist`);
}

async function outage(client: DemoClient, tell: Tell): Promise<void> {
  tell('8. The vendor goes down. New customers are accepted all the same, and wait for it:');
  const fault = await client.sandbox('faults', { body: { kind: 'error', status: 503 } });
  expect(fault.status === 201, 'the fault could not be set', fault);
  const waiting: string[] = [];
  try {
    for (let call = 1; call <= 6; call += 1) {
      const answer = await client.v1('/verifications', {
        workflow: 'onboarding',
        subject: { reference: `prospect-${crypto.randomUUID()}`, relationship: 'prospect' },
      });
      expect(answer.status === 202 && answer.body['status'] === 'queued', 'a customer was turned away', answer);
      waiting.push(String(answer.body['id']));
      if (call === 1) tell(`   ${answer.status} ${answer.body['status']}: sent when the vendor is back`);
    }
    await ticket(client, tell);
  } finally {
    await client.sandbox('faults', { method: 'DELETE' });
  }
  await wait('the queue', async () => {
    const answer = await client.v1(`/verifications/${waiting.at(-1)}`);
    return answer.body['status'] === 'pending' ? answer : undefined;
  });
  tell(`   the vendor is back, and each of the ${waiting.length} has its session`);
}

async function ticket(client: DemoClient, tell: Tell): Promise<void> {
  tell('9. The gateway opens an incident by itself, proposes its class and starts the clocks of DORA:');
  const incident = await wait('an incident', async () => {
    const answer = await client.admin('/incidents');
    return ((answer.body['items'] ?? []) as Row[]).find((item) => item['openedBy'] === 'gateway');
  });
  const proposal = incident['proposal'] as { major: boolean; limb: string | null; otherThresholds: number };
  tell(`   ${String(incident['reference'])} (${String(incident['state'])}): ${String(incident['title'])}`);
  tell(
    `   proposal so far: ${proposal.major ? 'major' : 'not major'}, ${proposal.otherThresholds} thresholds met; a named person decides`,
  );
  for (const clock of incident['clocks'] as Row[]) {
    tell(
      `   clock: ${String(clock['report'])} report, ${String(clock['limb'])}, due ${String(clock['dueLocal'])} (${String(clock['state'])})`,
    );
  }
}
