import { type Call, type Clock, type Config, ProblemError } from '../platform/index.js';

interface Window {
  endsAt: number;
  calls: number;
  refused: number;
}

/** Addresses kept in mind at once; the oldest gives way, so that a flood from many addresses costs bounded memory. */
const MOST_ADDRESSES = 50_000;
/** Refusals of an address and minute that are recorded singly; further ones become one counted record. */
const SINGLY = 20;

/** One counted record of what was refused beyond the first few. */
export interface CountedRefusals {
  address: string;
  count: number;
  from: Date;
  to: Date;
}

/**
 * What an address costs before anybody knows who calls: a rate for all its calls, checked at the entrance, and a lower one for calls whose
 * credentials were refused. Local to the instance and in process on purpose: it stands where no round trip may.
 */
export class Anonymous {
  readonly #windows = new Map<string, Window>();

  constructor(
    private readonly clock: Clock,
    private readonly rates: Config['policy']['rates'],
    private readonly counted: (refusals: CountedRefusals) => void,
  ) {}

  /**
   * At the entrance. A webhook passes: all of a vendor's come from one address, it does not repeat one that was refused, and whether it is
   * genuine is known by its signature alone; only forged ones are counted. @throws rate-limited
   */
  admit(call: Call): void {
    if (call.routeClass === 'webhook') return;
    const window = this.window(call.address);
    window.calls += 1;
    if (window.calls > this.rates.address.limit) throw this.limited(window, 'rate.address');
  }

  /** After credentials were refused. @returns the refusal to answer with: the 401, or 429 when there were too many. */
  refuse(call: Call, refusal: ProblemError): ProblemError {
    const window = this.window(call.address);
    window.refused += 1;
    if (window.refused > SINGLY) call.recorded = true;
    return window.refused > this.rates.anonymous.limit ? this.limited(window, 'rate.anonymous') : refusal;
  }

  /** Closes windows that have ended and tells what they counted; all of them when the instance stops. */
  sweep(all = false): void {
    const now = this.clock.epochMs();
    for (const [address, window] of this.#windows) {
      if (all || window.endsAt <= now) this.close(address, window);
    }
  }

  private window(address: string): Window {
    const now = this.clock.epochMs();
    const known = this.#windows.get(address);
    if (known && known.endsAt > now) return known;
    if (known) this.close(address, known);
    if (this.#windows.size >= MOST_ADDRESSES) {
      const [oldest] = this.#windows;
      if (oldest) this.close(...oldest);
    }
    const fresh = { endsAt: now + this.rates.address.windowMs, calls: 0, refused: 0 };
    this.#windows.set(address, fresh);
    return fresh;
  }

  private close(address: string, window: Window): void {
    this.#windows.delete(address);
    if (window.refused <= SINGLY) return;
    const to = new Date(Math.min(window.endsAt, this.clock.epochMs()));
    this.counted({
      address,
      count: window.refused - SINGLY,
      from: new Date(window.endsAt - this.rates.address.windowMs),
      to,
    });
  }

  private limited(window: Window, rule: string): ProblemError {
    const seconds = Math.max(1, Math.ceil((window.endsAt - this.clock.epochMs()) / 1_000));
    return new ProblemError('rate-limited', { headers: { 'retry-after': String(seconds) }, rule });
  }
}
