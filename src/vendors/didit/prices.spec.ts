import { describe, expect, it } from 'vitest';
import { PriceList } from './prices.js';

describe('the price list', () => {
  it('tells a price in millionths, and none where none was set', () => {
    const prices = new PriceList('EUR', { poa: '0.20', aml: '0.000125', 'kyb.select': '2' });
    expect(prices.of('poa')).toEqual({ micros: 200_000, currency: 'EUR' });
    expect(prices.of('aml')).toEqual({ micros: 125, currency: 'EUR' });
    expect(prices.of('kyb.select')).toEqual({ micros: 2_000_000, currency: 'EUR' });
    expect(prices.of('face-match')).toBeUndefined();
  });

  it.each([
    ['poe', 'is no operation'],
    ['constructor', 'is no operation'],
    ['session.decision', 'is not charged'],
  ])('refuses a price for %s', (name, message) => {
    expect(() => new PriceList('EUR', { [name]: '1' })).toThrow(message);
  });
});
