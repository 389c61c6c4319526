import type { AdapterPayload } from 'oidc-provider';
import { type Database, isUuid, type Listener } from '../../platform/index.js';

/** What the issuer knows of a client beside the library's own metadata. */
export interface Registration {
  /** Scopes, or the roles of an administrator. */
  rights: string[];
  /** Digests of the secrets that are good now, base64. */
  secretHashes: string[];
}

/** Name of the client metadata member that holds the registration. */
export const REGISTRATION = 'gatehouse';

/** Callers of an issuer that may have tokens: clients on the public listener, administrators on the internal one. */
const QUERIES: Record<Listener, string> = {
  public: `SELECT c.scopes AS rights, array_remove(array_agg(encode(s.hash, 'base64') ORDER BY s.created_at), NULL) AS hashes
             FROM auth.clients c LEFT JOIN auth.client_secrets s ON s.client_id = c.id AND s.revoked_at IS NULL
            WHERE c.id = $1 AND c.state = 'active' GROUP BY c.id`,
  admin: `SELECT a.roles AS rights, array_remove(array_agg(encode(s.hash, 'base64') ORDER BY s.created_at), NULL) AS hashes
            FROM auth.administrators a LEFT JOIN auth.administrator_secrets s ON s.administrator_id = a.id AND s.revoked_at IS NULL
           WHERE a.id = $1 AND a.state = 'active' GROUP BY a.id`,
};

/** Undefined for one who is unknown, suspended or revoked: the library answers `invalid_client` to all alike. */
export async function findRegistered(
  database: Database,
  listener: Listener,
  id: string,
): Promise<AdapterPayload | undefined> {
  if (!isUuid(id)) return undefined;
  const [row] = await database.query<{ rights: string[]; hashes: string[] }>(QUERIES[listener], [id]);
  if (row === undefined) return undefined;
  const registration: Registration = { rights: row.rights, secretHashes: row.hashes };
  return { client_id: id, [REGISTRATION]: registration };
}
