import { Connection } from '../connection.js';
import type { FormatName } from './formats.js';
import { exportBounds, exportLog, type Progress, type Selection } from './log-export.js';

const TIMEOUT_MS = 120_000;

/**
 * The log of a database as text, piece by piece, with a connection of its own under the rights of whoever the address logs in as.
 * @throws when the database cannot be read
 */
export async function* exportUrl(
  url: string,
  format: FormatName,
  selection: Selection,
  onProgress: (progress: Progress) => void,
): AsyncGenerator<string, void, void> {
  const timeouts = { statementTimeoutMs: TIMEOUT_MS, lockTimeoutMs: TIMEOUT_MS };
  const connection = new Connection({ url, applicationName: 'gatehouse-export', ...timeouts });
  try {
    yield* exportLog(connection, format, selection, await exportBounds(connection, selection), onProgress);
  } finally {
    await connection.close();
  }
}
