import type { FastifyReply } from 'fastify';
import { ProblemError } from '../problems/problem-error.js';

const ENTITY_TAG = /^"(\d{1,9})"$/;

/** The version of what is answered as a strong entity tag, so that the next change can name it (RFC 9110 section 8.8.3). */
export function tagged<T>(reply: FastifyReply, view: T, version: number): T {
  void reply.header('etag', `"${version}"`);
  return view;
}

/** @returns undefined for a tag that no version of ours has. @throws ProblemError `invalid-request` when there is none */
export function versionOf(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined)
    throw new ProblemError('invalid-request', {
      errors: [{ pointer: '', message: 'the header If-Match must name the version that is changed, such as "1"' }],
      rule: 'input.if-match',
    });
  const [, version] = ENTITY_TAG.exec(ifMatch.trim()) ?? [];
  return version === undefined ? undefined : Number(version);
}
