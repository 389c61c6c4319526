import type { Answer } from '../../platform/index.js';

/** An answer as it is kept to be given again. */
export interface StoredAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Headers that belong to the answer itself; the others are made anew for each call. */
const KEPT_HEADERS = ['content-type'];

export function encodeAnswer(answer: Answer): Buffer {
  const headers = KEPT_HEADERS.flatMap((name) => {
    const value = answer.headers[name];
    return value === undefined ? [] : [[name, String(value)] as const];
  });
  const kept: StoredAnswer = {
    status: answer.status,
    headers: Object.fromEntries(headers),
    body: answer.body?.toString() ?? '',
  };
  return Buffer.from(JSON.stringify(kept));
}

export function decodeAnswer(plain: Buffer): StoredAnswer {
  return JSON.parse(plain.toString()) as StoredAnswer;
}

/** What becomes of a key once its first call has answered. */
export type Fate =
  /** The answer is given again to a repeat. */
  | 'keep'
  /** A repeat goes on where this call ended, with the same id and body. */
  | 'release'
  /** The key was never used: a repeat may bring another body. */
  | 'forget';

const NEVER_LOOKED_AT = new Set([400, 406, 413, 414, 415, 431]);

/** Answers 4xx of validation and all 5xx are not stored; nor is a 429, which is over before the key is. */
export function fateOf(status: number): Fate {
  if (NEVER_LOOKED_AT.has(status)) return 'forget';
  return status >= 500 || status === 429 ? 'release' : 'keep';
}
