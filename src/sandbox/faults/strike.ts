import type { FastifyReply, FastifyRequest } from 'fastify';
import { noCredit, tooMany, wrongKey } from '../api/access.js';
import type { Operation } from '../api/operation.js';
import { html, json, type Answer } from '../wire/answers.js';
import type { World } from '../world.js';
import type { ApiFault } from './api-faults.js';

export interface Struck {
  readonly fault: ApiFault;
  readonly world: World;
  /** What the operation needs to be known of; the health check has none of it. */
  readonly operation: Pick<Operation, 'scopes' | 'noCredit'>;
  /** Does the operation's true work. */
  readonly work: () => Promise<Answer>;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** Resets the connection under the request. */
  readonly resetConnection: () => void;
}

/**
 * Lets a fault act on a call: the answer it puts in place of the true one, or null where it took the connection itself.
 * On side `after` the work is done first and its answer is lost.
 */
export const strike = async (struck: Struck): Promise<{ readonly answer: Answer | null; readonly outcome: string }> => {
  const { fault, work } = struck;
  if (fault.kind === 'slow') return slow(struck);
  const done = fault.when === 'after' ? await work() : null;
  const outcome = `${fault.kind} ${fault.when}${done === null ? '' : ` ${done.status}`}`;
  const instead = replaced(struck);
  if (instead !== null) return { answer: instead, outcome };
  await onTheWire(struck, done ?? blank);
  return { answer: null, outcome };
};

/** Stands in for an answer that no work has given, where a fault needs one to spoil. */
const blank: Answer = json(200, { session_id: null, status: null, results: [] });

const slow = async ({ fault, work, request }: Struck) => {
  const early = fault.when === 'after' ? await work() : null;
  await pause(fault.ms ?? 1_000, request);
  if (early === null && request.raw.socket.destroyed) return { answer: null, outcome: 'slow before' };
  const answer = early ?? (await work());
  return { answer, outcome: `slow ${fault.when} ${answer.status}` };
};

const replaced = ({ fault, world, operation }: Struck): Answer | null => {
  switch (fault.kind) {
    case 'down':
      return html(503, '503 Service Temporarily Unavailable', 'nginx');
    case 'error':
      return html(fault.status ?? 500, 'Server Error', 'Something went wrong.');
    case 'malformed':
      return { ...json(200, {}), body: '{"session_id": "11111111-2222-3333-4444-555555555555", "status": Approved,' };
    case 'wrong-schema':
      return json(200, { data: { id: 17, state: ['DONE'] }, version: 'v9', status: 12, results: 'none' });
    case 'bad-credentials':
      return wrongKey(world.settings);
    case 'no-credit':
      return noCredit(operation.noCredit);
    case 'rate-limited':
      return throttled(fault, operation, world);
    default:
      return null;
  }
};

const throttled = (fault: ApiFault, operation: Pick<Operation, 'scopes'>, world: World): Answer => {
  const { rateLimits } = world.settings;
  const scope = operation.scopes[0] ?? 'reads';
  const retryAfter = Math.max(1, Math.ceil((fault.ms ?? 30_000) / 1000));
  return tooMany({
    scope,
    limit: rateLimits === 'off' ? 300 : rateLimits[scope],
    retryAfter,
    resetAt: Math.ceil(Date.now() / 1000) + retryAfter,
  });
};

/** What no HTTP framework would do for us. */
const onTheWire = async (struck: Struck, answer: Answer): Promise<void> => {
  const { fault, request, reply } = struck;
  const { socket } = request.raw;
  reply.hijack();
  if (fault.kind === 'reset') return struck.resetConnection();
  if (fault.kind === 'refuse') return void socket.destroy();
  const headersOnly = fault.kind === 'stall' && fault.part === 'headers';
  if (!headersOnly) await half(reply, answer);
  if (fault.kind === 'stall') await pause(fault.ms ?? Number.POSITIVE_INFINITY, request);
  socket.destroy();
};

/** Sends the head, promising the whole body, and half of the body. */
const half = (reply: FastifyReply, answer: Answer): Promise<void> => {
  const body = Buffer.from(answer.body);
  reply.raw.writeHead(200, { ...answer.headers, 'content-length': body.length });
  return new Promise((resolve) => {
    reply.raw.write(body.subarray(0, Math.ceil(body.length / 2)), () => resolve());
  });
};

/** Waits, at longest until the caller hangs up. */
const pause = (ms: number, request: FastifyRequest): Promise<void> =>
  new Promise((resolve) => {
    const { socket } = request.raw;
    const timer = Number.isFinite(ms) ? setTimeout(done, ms) : undefined;
    function done(): void {
      clearTimeout(timer);
      socket.off('close', done);
      resolve();
    }
    socket.once('close', done);
    if (socket.destroyed) done();
  });
