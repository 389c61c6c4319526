import { describe, expect, it } from 'vitest';
import { RateLimits } from './rate-limits.js';

const limits = { reads: 4, writes: 2, creates: 3, pdfs: 1, ingests: 600 };

describe('RateLimits', () => {
  it('lets the last minute hold no more than the limit, sliding', () => {
    let now = 1_000_000;
    const rates = new RateLimits(limits, () => now);
    expect(rates.take(['writes'], 'a')).toBeNull();
    now += 30_000;
    expect(rates.take(['writes'], 'a')).toBeNull();
    expect(rates.take(['writes'], 'a')).toEqual({ scope: 'writes', limit: 2, retryAfter: 30, resetAt: 1_060 });
    now += 29_999;
    expect(rates.take(['writes'], 'a')).toMatchObject({ retryAfter: 1 });
    now += 1;
    expect(rates.take(['writes'], 'a')).toBeNull();
    expect(rates.take(['writes'], 'a')).toMatchObject({ retryAfter: 30 });
  });

  it('counts each identifier for itself', () => {
    const rates = new RateLimits(limits, () => 0);
    expect(rates.take(['pdfs'], 'a')).toBeNull();
    expect(rates.take(['pdfs'], 'b')).toBeNull();
    expect(rates.take(['pdfs'], 'a')).not.toBeNull();
  });

  it('names the first scope that is full', () => {
    const rates = new RateLimits(limits, () => 0);
    rates.take(['writes', 'creates'], 'a');
    rates.take(['writes', 'creates'], 'a');
    expect(rates.take(['writes', 'creates'], 'a')?.scope).toBe('writes');
  });

  it('can be turned off and on', () => {
    const rates = new RateLimits('off');
    for (let call = 0; call < 50; call += 1) expect(rates.take(['pdfs'], 'a')).toBeNull();
    rates.configure(limits);
    rates.take(['pdfs'], 'a');
    expect(rates.take(['pdfs'], 'a')).not.toBeNull();
  });
});
