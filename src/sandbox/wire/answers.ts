import { answerText, type Json } from './json.js';

/** What goes back over the wire. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

export const json = (status: number, body: Json, headers: Record<string, string> = {}): Answer =>
  jsonText(status, answerText(body), headers);

export const jsonText = (status: number, body: string | Buffer, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body,
});

/** Didit has no single error envelope; this is its commonest form. */
export const detail = (status: number, text: string, headers: Record<string, string> = {}): Answer =>
  json(status, { detail: text }, headers);

export const empty = (status: number): Answer => ({ status, headers: {}, body: '' });

export const html = (status: number, title: string, text: string, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { 'content-type': 'text/html; charset=utf-8', ...headers },
  body: `<!doctype html>\n<html lang="en">\n<head>\n  <title>${title}</title>\n</head>\n<body>\n  <h1>${title}</h1><p>${text}</p>\n</body>\n</html>\n`,
});

/** What the router answers before any code of the API runs: no JSON. */
export const htmlNotFound = (): Answer =>
  html(404, 'Not Found', 'The requested resource was not found on this server.');

export const notFound = (): Answer => detail(404, 'Not found.');

export const creditText =
  "You don't have enough credits to perform this request. Please top up at https://business.didit.me";
export const credentialText = 'Authentication credentials were not provided or are invalid.';
export const permissionText = 'You do not have permission to perform this action.';
