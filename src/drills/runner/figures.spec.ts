import { describe, expect, it } from 'vitest';
import { fellBack, recoveredMs, timeline } from './figures.js';
import { interleaved, type Outcome, rungOf } from './load.js';

const outcome = (dueMs: number, members: Partial<Outcome> = {}): Outcome => ({
  kind: 'reads',
  dueMs,
  answeredMs: dueMs + 20,
  status: 200,
  rung: 'fresh',
  ...members,
});

describe('what is made of the answers', () => {
  it('falls back at the first labelled rung or fast refusal after the fault began', () => {
    const slowRefusal = outcome(2_000, { status: 503, rung: 'none', answeredMs: 3_900 });
    const fastRefusal = outcome(2_500, { status: 503, rung: 'none', answeredMs: 2_510 });
    expect(fellBack([outcome(1_000, { rung: 'cached' }), slowRefusal, fastRefusal], 2_000)).toEqual({
      ms: 510,
      to: 'refusal 503',
    });
    expect(fellBack([slowRefusal, outcome(2_100, { rung: 'cached', answeredMs: 2_130 })], 2_000)).toEqual({
      ms: 130,
      to: 'rung cached',
    });
    expect(fellBack([slowRefusal], 2_000)).toBeUndefined();
  });

  it('recovers with the last answer that was not fresh, and not while the end is bad', () => {
    const bad = outcome(6_200, { status: 502, rung: 'none', answeredMs: 6_250 });
    const good = [6_300, 6_400, 6_500].map((due) => outcome(due));
    expect(recoveredMs([outcome(1_000), bad, ...good], 6_000)).toBe(250);
    expect(recoveredMs(good, 6_000)).toBe(0);
    expect(recoveredMs([...good, outcome(6_600, { status: 0, rung: 'none' })], 6_000)).toBeUndefined();
  });

  it('is shown by the second in which calls were due', () => {
    expect(
      timeline([outcome(100), outcome(900, { status: 202, rung: 'queued' }), outcome(1_100, { status: 504 })]),
    ).toEqual([
      { second: 0, fresh: 1, fallback: 1, refused: 0, failed: 0, slowestMs: 20 },
      { second: 1, fresh: 0, fallback: 0, refused: 0, failed: 1, slowestMs: 20 },
    ]);
  });

  it('takes the rung of a verification wherever it is read, and that of the answer where there is none', () => {
    const kept = { status: 200, headers: { 'gatehouse-rung': 'cached' }, text: '' };
    expect(rungOf('reads', { ...kept, body: { rung: 'fresh' } })).toBe('fresh');
    expect(rungOf('finishes', { ...kept, body: { rung: 'fresh' } })).toBe('fresh');
    expect(rungOf('finishes', { ...kept, body: { rung: 'queued' } })).toBe('queued');
    expect(rungOf('dropInReads', { ...kept, body: {} })).toBe('cached');
    expect(rungOf('creates', { ...kept, headers: {}, status: 503, body: {} })).toBe('none');
  });

  it('comes of a mix that spreads each kind over the whole', () => {
    expect(interleaved({ creates: 1, reads: 3, dropInReads: 0, finishes: 0 })).toEqual([
      'reads',
      'creates',
      'reads',
      'reads',
    ]);
  });
});
