/** Rights that a client can hold; an operation's marker names the ones it needs. Others are added with their operations. */
export const CLIENT_SCOPES = [
  'verifications:read',
  'verifications:write',
  'verifications:link',
  'webhooks:manage',
  'pii:read',
  'didit:sessions:read',
  'didit:sessions:write',
  'didit:standalone',
  'didit:otp',
  'didit:business:read',
  'didit:business:write',
  'didit:transactions:read',
  'didit:transactions:write',
  'didit:media',
  'didit:delete',
] as const;

/** Roles of administrators; a token's `scope` names those it carries. */
export const ADMIN_ROLES = ['operator', 'security', 'incident-manager', 'auditor', 'admin'] as const;
