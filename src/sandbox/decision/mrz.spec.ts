import { describe, expect, it } from 'vitest';
import { scalarText } from '../wire/json.js';
import { machineReadableZone } from './mrz.js';
import { personNumber, type Person } from './people.js';

/** The passport printed in ICAO 9303 part 4. */
const icaoSpecimen: Person = {
  ...personNumber(0),
  firstName: 'Anna Maria',
  lastName: 'Eriksson',
  gender: 'F',
  dateOfBirth: '1974-08-12',
  documentType: 'Passport',
  documentNumber: 'L898902C3',
  personalNumber: 'ZE184226B',
  country: { alpha2: 'UT', alpha3: 'UTO', name: 'Utopia' },
};

describe('machineReadableZone', () => {
  it('gives the specimen passport of ICAO 9303 its printed lines', () => {
    expect(machineReadableZone(icaoSpecimen, '2012-04-15')['mrz_string']).toBe(
      'P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10',
    );
  });

  it('gives a card three lines of thirty', () => {
    const zone = machineReadableZone(personNumber(0), '2031-06-02');
    expect(scalarText(zone['mrz_string']).split('\n')).toHaveLength(3);
    expect(scalarText(zone['mrz_string'])).toMatch(/^([0-9A-Z<]{30}\n?){3}$/);
    expect(zone['surname']).toBe('MUELLER LUKASZ');
  });

  it('fills its lines for every person', () => {
    for (let n = 0; n < 6; n += 1) {
      const lines = scalarText(machineReadableZone(personNumber(n), '2031-06-02')['mrz_string']).split('\n');
      expect(lines.every((line) => line.length === (lines.length === 3 ? 30 : 44))).toBe(true);
    }
  });
});
