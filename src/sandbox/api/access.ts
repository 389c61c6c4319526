import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Settings } from '../settings.js';
import { credentialText, creditText, detail, json, permissionText, type Answer } from '../wire/answers.js';
import type { Operation } from './operation.js';
import type { RateScope, Throttled } from './rate-limits.js';

/** Null when the key is right. Since November 2026 a wrong key is a 401; a missing one has always been a 403. */
export const refuseCredential = (headers: IncomingHttpHeaders, settings: Settings): Answer | null => {
  const key = headers['x-api-key'];
  if (key === undefined || key === '') return detail(403, permissionText);
  return timingSafeEqual(digest(String(key)), digest(settings.apiKey)) ? null : wrongKey(settings);
};

export const wrongKey = (settings: Settings): Answer => detail(settings.behaviour.wrongKeyStatus, credentialText);

export const noCredit = (form: Operation['noCredit']): Answer => {
  if (form === 'error 403') return json(403, { error: creditText });
  return detail(form === 'detail 400' ? 400 : 403, creditText);
};

/** Whose counter a call falls under: all who share a key share it. */
export const identifierOf = (headers: IncomingHttpHeaders, peer: string): string => {
  const key = headers['x-api-key'];
  if (key !== undefined && key !== '') return `key ${digest(String(key)).toString('base64')}`;
  const [hop = ''] = String(headers['x-forwarded-for'] ?? '').split(',');
  return `address ${hop.trim().slice(0, 64) || peer}`;
};

const sentences: Record<RateScope, string> = {
  creates: 'Session creation rate limit exceeded. You can make up to N requests per minute.',
  writes: 'Write request rate limit exceeded. You can make up to N requests per minute.',
  reads: 'Read request rate limit exceeded. You can make up to N requests per minute.',
  ingests: 'Ingest rate limit exceeded. You can make up to N requests per minute.',
  pdfs: 'Session PDF generation rate limit exceeded. You can make up to N requests per minute.',
};

/** The only answer that tells of limits: X-RateLimit-* stand on a 429 and never on a success. */
export const tooMany = ({ scope, limit, retryAfter, resetAt }: Throttled): Answer =>
  detail(429, sentences[scope].replace('N', String(limit)), {
    'retry-after': String(retryAfter),
    'x-ratelimit-limit': String(limit),
    'x-ratelimit-remaining': '0',
    'x-ratelimit-reset': String(resetAt),
  });

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
