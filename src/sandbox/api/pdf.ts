import { randomBytes } from 'node:crypto';
import { fullName } from '../decision/people.js';
import { instant } from '../decision/instant.js';
import { warningsOf } from '../decision/render.js';
import type { Session } from '../sessions/session.js';

/** A one-page PDF 1.7 about the session. Its document id is random, as is that of every rendering. */
export const pdfReport = (session: Session, at: number): Buffer => {
  const content = page([
    'Verification report',
    `Session ${session.id}`,
    `Status: ${session.status}`,
    `Name: ${session.checks.has('ID_VERIFICATION') ? fullName(session.person) : '-'}`,
    ...[...session.checks].map(([feature, check]) => `${feature}: ${check.status}`),
    ...warningsOf(session).map((risk) => `Warning: ${risk}`),
    `Generated ${instant(at)}`,
  ]);
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${Buffer.byteLength(content, 'latin1')} >>\nstream\n${content}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>',
  ];
  return Buffer.from(assemble(objects), 'latin1');
};

const assemble = (objects: readonly string[]): string => {
  let file = '%PDF-1.7\n%\xe2\xe3\xcf\xd3\n';
  const offsets = objects.map((object, index) => {
    const offset = file.length;
    file += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(offset).padStart(10, '0')} 00000 n \n`;
  });
  const id = randomBytes(16).toString('hex');
  const size = objects.length + 1;
  const table = `xref\n0 ${size}\n0000000000 65535 f \n${offsets.join('')}`;
  return `${file}${table}trailer\n<< /Size ${size} /Root 1 0 R /ID [<${id}> <${id}>] >>\nstartxref\n${file.length}\n%%EOF\n`;
};

const page = (lines: readonly string[]): string =>
  `BT /F1 12 Tf 18 TL 56 780 Td\n${lines.map((line) => `(${escape(line)}) Tj T*`).join('\n')}\nET`;

/** The font's encoding is Latin-1 here: letters beyond it lose their accents, other scripts become question marks. */
const escape = (text: string): string =>
  Array.from(text)
    .map((letter) => (letter.charCodeAt(0) < 256 ? letter : letter.normalize('NFD').charAt(0)))
    .map((letter) => (letter.charCodeAt(0) < 256 ? letter : '?'))
    .join('')
    .replace(/[\\()]/g, '\\$&');
