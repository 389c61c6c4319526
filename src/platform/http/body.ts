import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Config } from '../config/schema.js';
import { ProblemError } from '../problems/problem-error.js';
import { type Call, callOf } from './call.js';

const OPEN = new Set([0x5b, 0x7b]);
const CLOSE = new Set([0x5d, 0x7d]);
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Deepest nesting of a JSON text, by one pass over its bytes and before any of it is built. */
export function jsonDepth(bytes: Uint8Array): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (inString) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (OPEN.has(byte)) deepest = Math.max(deepest, ++depth);
    else if (CLOSE.has(byte)) depth -= 1;
  }
  return deepest;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** JSON as RFC 8259 has it: UTF-8 without a mark, bounded depth, no `__proto__` that a later merge could trip over. */
export function parseJson(bytes: Buffer, maxDepth: number): unknown {
  if (jsonDepth(bytes) > maxDepth) {
    throw new ProblemError('malformed-request', {
      detail: `The body is nested deeper than ${maxDepth} levels.`,
      rule: 'body.depth',
    });
  }
  try {
    const text = utf8.decode(bytes);
    // A reviver costs several times the parse itself: only a text that could spell the key pays for it.
    return /__proto__|\\u/.test(text) ? JSON.parse(text, refuseProto) : JSON.parse(text);
  } catch {
    throw new ProblemError('malformed-request', { detail: 'The body is not valid JSON.', rule: 'body.json' });
  }
}

function refuseProto(key: string, value: unknown): unknown {
  if (key === '__proto__') throw new SyntaxError('forbidden key');
  return value;
}

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json(?:\s*;\s*charset="?utf-8"?)?\s*$/i;
const MULTIPART_TYPE = /^multipart\/form-data\s*;/i;
const PICTURE_TYPES = ['image/jpeg', 'image/png', 'image/webp', 'application/pdf'] as const;
/** Routes whose body is a picture as it is; it is read by the handler, which knows how large it may be. */
const TAKES_PICTURES = /\/uploads\/:name$/;
/** A vendor's notification with a whole decision in it, with room to spare. */
const WEBHOOK_LIMIT = 8 * 1024 * 1024;

type Done = (error: Error | null, body?: unknown) => void;

/**
 * Media types that a body may have; anything else is 415. JSON is read whole and kept raw, uploads pass as a stream. A webhook is bytes,
 * whatever it calls itself: its signature is judged before anybody reads it, since the vendor never sends again what got a 4xx.
 */
export function registerBodyParsers(fastify: FastifyInstance, limits: Config['policy']['limits']): void {
  fastify.addHook('onRoute', (route) => {
    if (route.url.startsWith('/webhooks/')) route.bodyLimit = WEBHOOK_LIMIT;
  });
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    JSON_TYPE,
    { parseAs: 'buffer', bodyLimit: limits.body },
    (request: FastifyRequest, body: Buffer, done: Done) => {
      try {
        const call = keepRaw(request, body);
        done(null, call.routeClass === 'webhook' || body.length === 0 ? undefined : parseJson(body, limits.jsonDepth));
      } catch (error) {
        done(error as Error);
      }
    },
  );
  fastify.addContentTypeParser(MULTIPART_TYPE, { bodyLimit: limits.upload }, (request, payload, done) => {
    if (callOf(request).routeClass === 'webhook') void collect(request, payload, done);
    else done(null, payload);
  });
  fastify.addContentTypeParser([...PICTURE_TYPES], { bodyLimit: limits.upload }, (request, payload, done) => {
    if (callOf(request).routeClass === 'webhook') void collect(request, payload, done);
    else if (TAKES_PICTURES.test(request.routeOptions.url ?? '')) done(null, payload);
    else done(new ProblemError('unsupported-media-type', { rule: 'body.type' }));
  });
  fastify.addContentTypeParser('*', (request, payload, done) => {
    if (callOf(request).routeClass === 'webhook') void collect(request, payload, done);
    else done(new ProblemError('unsupported-media-type', { rule: 'body.type' }));
  });
}

function keepRaw(request: FastifyRequest, body: Buffer): Call {
  const call = callOf(request);
  call.rawBody = body;
  call.bytesIn = body.length;
  return call;
}

async function collect(request: FastifyRequest, payload: AsyncIterable<Buffer>, done: Done): Promise<void> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of payload) {
      bytes += part.length;
      if (bytes > WEBHOOK_LIMIT) throw new ProblemError('body-too-large', { rule: 'body.size' });
      parts.push(part);
    }
    keepRaw(request, Buffer.concat(parts));
  } catch (error) {
    done(error as Error);
    return;
  }
  done(null, undefined);
}
