import { afterEach, describe, expect, it } from 'vitest';
import { answerTo, type Reply, timeServer, type TimeServer } from '../../../test/support/time-server.js';
import { Clock, SystemClock } from '../../platform/index.js';
import { askTime, measure, NoTime, timeSource } from './sntp.js';

const servers: TimeServer[] = [];
afterEach(async () => {
  for (const made of servers.splice(0)) await made.stop();
});

/** A time server of this spec. */
async function server(reply: Reply): Promise<number> {
  const made = await timeServer(reply);
  servers.push(made);
  return made.port;
}

const clock = new SystemClock();
const ask = (port: number, by: Clock = clock) => askTime({ host: '127.0.0.1', port }, by, 500);
const spoilt = (spoil: (answer: Buffer) => void) =>
  server((question) => {
    const answer = answerTo(question, Date.now());
    spoil(answer);
    return [answer];
  });

it('reads addresses', () => {
  expect(timeSource('ntp://time.example')).toEqual({ host: 'time.example', port: 123 });
  expect(timeSource('ntp://192.0.2.1:1123')).toEqual({ host: '192.0.2.1', port: 1123 });
});

describe('one question', () => {
  for (const aheadMs of [0, 4_321, -98_765, 400 * 86_400_000]) {
    it(`finds a server that is ${aheadMs} ms ahead`, async () => {
      const sample = await ask(await server((question) => [answerTo(question, Date.now() + aheadMs)]));
      expect(Math.abs(sample.offsetUs - aheadMs * 1_000)).toBeLessThan(sample.delayUs / 2 + 2_000);
      expect(sample.delayUs).toBeGreaterThanOrEqual(0);
    });
  }

  it('is in client mode and gives away neither our time nor the same number twice', async () => {
    const questions: Buffer[] = [];
    const port = await server((question) => {
      questions.push(question);
      return [answerTo(question, Date.now())];
    });
    await ask(port);
    await ask(port);
    expect(questions.map((question) => question.subarray(0, 40).toString('hex'))).toEqual([
      `23${'00'.repeat(39)}`,
      `23${'00'.repeat(39)}`,
    ]);
    expect(questions[0]!.subarray(40)).not.toEqual(questions[1]!.subarray(40));
  });

  it('goes on through the turn of the era in 2036', async () => {
    class Later extends Clock {
      now = () => new Date(this.epochMs());
      monotonic = () => process.hrtime.bigint();
      override epochMs = () => Date.UTC(2036, 1, 7, 6, 28, 15, 500);
    }
    const sample = await ask(
      await server((question) => [answerTo(question, Date.UTC(2036, 1, 7, 6, 28, 17))]),
      new Later(),
    );
    expect(Math.abs(sample.offsetUs - 1_500_000)).toBeLessThan(sample.delayUs + 2_000);
  });

  it('passes over what was not an answer to it', async () => {
    const port = await server((question) => {
      const forged = answerTo(question, Date.now() + 3_600_000);
      forged.writeUInt32BE(0x0badc0de, 24);
      return [forged, Buffer.from('short'), answerTo(question, Date.now())];
    });
    expect(Math.abs((await ask(port)).offsetUs)).toBeLessThan(1_000_000);
  });

  const bad: [string, (answer: Buffer) => void, RegExp][] = [
    ['a broadcast', (answer) => (answer[0] = 0x25), /none of a server/],
    ['an unsynchronised server', (answer) => (answer[0] = 0xe4), /no time itself/],
    ['a stratum beyond the last', (answer) => (answer[1] = 16), /no time itself/],
    ['no time of sending', (answer) => answer.fill(0, 40), /tells no time/],
    ['one sent before it was received', (answer) => answer.writeUInt32BE(answer.readUInt32BE(40) - 9, 40), /no time/],
  ];
  for (const [what, spoil, reason] of bad) {
    it(`refuses ${what}`, async () => {
      await expect(ask(await spoilt(spoil))).rejects.toThrow(reason);
    });
  }

  it('hears a kiss of death', async () => {
    const port = await spoilt((answer) => {
      answer[1] = 0;
      answer.write('DENY', 12, 'latin1');
    });
    await expect(ask(port)).rejects.toMatchObject({ name: 'NoTime', kiss: 'DENY' });
  });

  it('gives up on silence and on a closed port', async () => {
    await expect(ask(await server(() => []))).rejects.toThrow(NoTime);
    const closed = await server(() => []);
    await servers.pop()?.stop();
    await expect(ask(closed)).rejects.toThrow(NoTime);
  });
});

describe('a measurement', () => {
  const source = (port: number) => ({ host: '127.0.0.1', port });
  const quick = { samples: 3, timeoutMs: 400, gapMs: 1 };

  it('believes the answer that was least on the way', async () => {
    const port = await server(async (question, n) => {
      const answer = answerTo(question, Date.now() + (n === 1 ? 1_000 : 60_000));
      if (n !== 1) await new Promise((resolve) => setTimeout(resolve, 150));
      return [answer];
    });
    const { offsetUs } = await measure(source(port), clock, quick);
    expect(Math.abs(offsetUs - 1_000_000)).toBeLessThan(75_000);
  });

  it('goes by the others when one is lost, and fails when all are', async () => {
    const port = await server((question, n) => (n === 0 ? [] : [answerTo(question, Date.now())]));
    await expect(measure(source(port), clock, quick)).resolves.toBeDefined();
    await expect(measure(source(await server(() => [])), clock, { ...quick, timeoutMs: 30 })).rejects.toThrow(NoTime);
  });

  it('asks no more once it was told to stop', async () => {
    let asked = 0;
    const port = await server((question) => {
      asked += 1;
      const answer = answerTo(question, Date.now());
      answer[1] = 0;
      return [answer];
    });
    await expect(measure(source(port), clock, quick)).rejects.toThrow(NoTime);
    expect(asked).toBe(1);
  });

  it('ends between two questions when it is called off', async () => {
    const stopping = new AbortController();
    const port = await server((question) => {
      stopping.abort();
      return [answerTo(question, Date.now())];
    });
    const { signal } = stopping;
    await expect(measure(source(port), clock, { ...quick, gapMs: 60_000, signal })).resolves.toBeDefined();
  });
});
