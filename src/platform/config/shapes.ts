import { z } from 'zod';
import { Secret } from '../crypto/secret.js';

export const text = () => z.string().min(1).max(2048);
export const origin = () =>
  z
    .url({ protocol: /^https?$/, error: 'must be a URL such as https://gateway.example' })
    .transform((url) => url.replace(/\/+$/, ''));
/** One secret, or two while it is rotated: as a list or separated by a comma. */
export const secrets = () =>
  z
    .union([z.string(), z.array(z.string())])
    .transform((value) => (Array.isArray(value) ? value : value.split(',')).map((part) => part.trim()).filter(Boolean))
    .pipe(z.array(z.string()).min(1).max(2, { error: 'takes one value, or two while rotating' }))
    .transform((values) => values.map((value) => new Secret(value)));
export const cidr = () =>
  z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()], { error: 'must be an address or a CIDR range' });
export const list = <T extends z.ZodType>(of: T) => z.array(of).max(10_000).default([]);
