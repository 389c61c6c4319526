import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy';
import { ProblemError } from '../../platform/index.js';
import { Parts } from './parts.js';

const LIMITS = {
  fieldNameSize: 100,
  fieldSize: 16_384,
  fields: 40,
  files: 8,
  parts: 48,
  headerPairs: 32,
  headerSize: 4_096,
};

export interface FormRules {
  /** Largest body in bytes, the form's own text included. */
  maxBytes: number;
  /** Fields whose text is replaced on the way, by name. */
  change: ReadonlyMap<string, (value: string) => string>;
  /** Told of bytes as they come in. */
  count?: (bytes: number) => void;
}

export interface Form {
  /** The new body: read only as fast as it is taken, and so is the caller's. Fails with a ProblemError. */
  stream: Readable;
  contentType: string;
}

/**
 * Reads a multipart body (RFC 7578) and writes it anew under a boundary of ours, with some fields changed and the bytes of files as they
 * were. What is checked here is what leaves: a part that is named in two ways, or is no form-data, cannot mean one thing to us and
 * another to the vendor.
 * @throws ProblemError `malformed-request` when the content type names no boundary
 */
export function reencode(source: Readable, contentType: string, rules: FormRules): Form {
  const boundary = `gatehouse-${randomBytes(18).toString('hex')}`;
  const parts = new Parts<Part>();
  const files = new Set<BusboyFileStream>();
  const busboy = parser(contentType);
  const fail = (problem: ProblemError): void => {
    parts.fail(problem);
    for (const file of files) file.destroy(problem);
    // What is left of the body runs out unread: the answer needs the caller's connection.
    source.unpipe(busboy);
    source.resume();
  };
  busboy.on('field', (name, value, _, truncated) => {
    if (truncated) return fail(tooLarge('a field'));
    parts.push({ name, value: rules.change.get(name)?.(value) ?? value });
  });
  busboy.on('file', (name, file, filename, encoding, type) => {
    files.add(file);
    file.on('error', (error) => fail(malformed('part', error)));
    file.on('close', () => files.delete(file));
    // A field that we change would pass unchanged as a file of that name.
    if (rules.change.has(name)) return fail(malformed('field-as-file'));
    parts.push({ name, file, filename, encoding, type });
  });
  for (const limit of ['partsLimit', 'fieldsLimit', 'filesLimit'] as const)
    busboy.on(limit, () => fail(tooLarge('the number of parts')));
  busboy.on('error', (error) => fail(malformed('form', error)));
  busboy.on('finish', () => parts.end());
  feed(source, busboy, rules, fail);
  const stream = Readable.from(written(parts, boundary), { objectMode: false });
  // Whoever reads it sees the error; once nobody does any more it must not end the process.
  stream.on('error', () => undefined);
  return { stream, contentType: `multipart/form-data; boundary=${boundary}` };
}

type Part =
  | { name: string; value: string }
  | { name: string; file: BusboyFileStream; filename: string; encoding: string; type: string };

function parser(contentType: string): BusboyInstance {
  try {
    return new Busboy({ headers: { 'content-type': contentType }, preservePath: true, limits: LIMITS });
  } catch (error) {
    throw malformed('boundary', error);
  }
}

function feed(source: Readable, busboy: BusboyInstance, rules: FormRules, fail: (problem: ProblemError) => void): void {
  let bytes = 0;
  source.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    rules.count?.(chunk.length);
    if (bytes > rules.maxBytes) fail(tooLarge('the form'));
  });
  source.once('error', (error) => fail(malformed('ended', error)));
  source.once('close', () => {
    if (!source.readableEnded) fail(malformed('ended'));
  });
  source.pipe(busboy);
}

async function* written(parts: Parts<Part>, boundary: string): AsyncGenerator<Buffer> {
  for await (const part of parts) {
    yield Buffer.from(`--${boundary}\r\n${headersOf(part)}\r\n\r\n${'value' in part ? part.value : ''}`);
    if ('file' in part) yield* bytesOf(part.file, parts);
    yield Buffer.from('\r\n');
  }
  yield Buffer.from(`--${boundary}--\r\n`);
}

async function* bytesOf(file: BusboyFileStream, parts: Parts<Part>): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of file) yield chunk as Buffer;
  } catch (error) {
    throw parts.error ?? error;
  }
}

function headersOf(part: Part): string {
  const disposition = `Content-Disposition: form-data; name="${quoted(part.name)}"`;
  if ('value' in part) return disposition;
  const lines = [`${disposition}; filename="${quoted(part.filename)}"`, `Content-Type: ${bare(part.type)}`];
  if (part.encoding !== '7bit') lines.push(`Content-Transfer-Encoding: ${bare(part.encoding)}`);
  return lines.join('\r\n');
}

/** As browsers write names (HTML, multipart form data): the three characters that could end the header, and no others. */
function quoted(text: string | undefined): string {
  return (text ?? '').replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function bare(text: string): string {
  return text.replace(/[^\x21-\x7e]/g, '');
}

function tooLarge(what: string): ProblemError {
  return new ProblemError('body-too-large', {
    rule: 'form.size',
    reason: `${what} is larger than this operation takes`,
  });
}

function malformed(reason: string, cause?: unknown): ProblemError {
  return new ProblemError('malformed-request', {
    detail: 'The body is not a readable form.',
    rule: `form.${reason}`,
    ...(cause === undefined ? {} : { cause }),
  });
}
