import { type Clock, makeAuthority, makeServerCertificate, type Pair } from '../../platform/index.js';

const HOUR_MS = 3_600_000;
const LIFE_MS = 24 * HOUR_MS;

/** What a drill's proxy answers TLS with. */
export interface DrillCertificates {
  /** PEM of the authority: only the drill's own dispatcher trusts it. */
  authority: string;
  server: Pair;
  expired: Pair;
}

/**
 * Certificates for the vendor's host of an authority that lives for a day, in memory, and is known to nobody but the drill.
 * @param authority another one to sign by, for a system whose only authority is the drill's to use
 */
export async function drillCertificates(clock: Clock, host: string, authority?: Pair): Promise<DrillCertificates> {
  const now = clock.epochMs();
  const holding = { notBefore: new Date(now - HOUR_MS), notAfter: new Date(now + LIFE_MS) };
  const past = { notBefore: new Date(now - 2 * LIFE_MS), notAfter: new Date(now - HOUR_MS) };
  const ca = authority ?? (await makeAuthority('Gatehouse drill', { ...holding, notBefore: past.notBefore }));
  return {
    authority: ca.certificate,
    server: await makeServerCertificate(ca, [host], holding),
    expired: await makeServerCertificate(ca, [host], past),
  };
}
