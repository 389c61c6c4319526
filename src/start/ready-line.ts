/** What a start tells on standard output, as one line of JSON. */
export interface Ready {
  event: 'ready';
  pid: number;
  publicUrl: string;
  adminUrl: string;
  sandboxUrl: string | null;
}

export function sayReady(ready: Ready, hint: string | undefined): void {
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  if (hint !== undefined) process.stdout.write(hint);
}

/** How to make the first call, for a person at a development start. Shell quoting keeps the secrets out of the process list's reach no better than any example. */
export function firstCall(credentialsFile: string, sandbox: boolean): string {
  return `
Gatehouse is up${sandbox ? ', with a Didit sandbox behind it' : ''}. The first call:

  cred() { node -p "require('${credentialsFile}').$1"; }
  token=$(curl -s --cacert "$(cred caFile)" -u "$(cred clientId):$(cred clientSecret)" -d grant_type=client_credentials "$(cred tokenUrl)" | node -p 'JSON.parse(require("fs").readFileSync(0)).access_token')
  curl -s --cacert "$(cred caFile)" -H "x-api-key: $(cred apiKey)" -H "authorization: Bearer $token" -H "idempotency-key: $(node -p 'crypto.randomUUID()')" \\
    -H 'content-type: application/json' -d '{"workflow":"onboarding","subject":{"reference":"cust-42","relationship":"prospect"}}' "$(cred publicUrl)/v1/verifications"

`;
}
