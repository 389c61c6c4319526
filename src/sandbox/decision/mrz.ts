import type { JsonObject } from '../wire/json.js';
import type { Person } from './people.js';

/**
 * The machine readable zone of a document by ICAO 9303: TD1 (three lines of 30) for cards, TD3 (two of 44) for passports,
 * with true check digits, in the members that Didit's `mrz` has.
 */
export const machineReadableZone = (person: Person, expirationDate: string): JsonObject => {
  const card = person.documentType === 'Identity Card';
  const country = person.country.alpha3;
  const [surname, name] = [plain(person.lastName), plain(person.firstName)];
  const [birth, expiry] = [yymmdd(person.dateOfBirth), yymmdd(expirationDate)];
  const number = person.documentNumber.replace(/[^0-9A-Z]/g, '').padEnd(9, '<');
  const personal = person.personalNumber.replace(/[^0-9A-Z]/g, '').slice(0, 14);
  const names = `${surname.replaceAll(' ', '<')}<<${name.replaceAll(' ', '<')}`;
  const [numberHash, birthHash, expiryHash] = [check(number), check(birth), check(expiry)];
  const fixed = `${birth}${birthHash}${person.gender}${expiry}${expiryHash}`;
  const lines = card
    ? cardLines(`ID${country}${number}${numberHash}${personal}`, `${fixed}${country}`, names)
    : passportLines(`P<${country}${names}`, `${number}${numberHash}${country}${fixed}`, personal);
  return {
    surname,
    name,
    country,
    nationality: country,
    birth_date: birth,
    expiry_date: expiry,
    sex: person.gender,
    document_type: card ? 'ID' : 'P',
    document_number: number.replaceAll('<', ''),
    optional_data: personal,
    optional_data_2: '',
    birth_date_hash: birthHash,
    expiry_date_hash: expiryHash,
    document_number_hash: numberHash,
    final_hash: lines.final,
    personal_number: personal,
    warnings: [],
    errors: [],
    mrz_type: card ? 'TD1' : 'TD3',
    mrz_string: lines.text,
    mrz_key: `${number}${numberHash}${birth}${birthHash}${expiry}${expiryHash}`,
  };
};

interface Lines {
  readonly text: string;
  readonly final: string;
}

const cardLines = (first: string, second: string, names: string): Lines => {
  const [upper, middle] = [fill(first, 30), fill(second, 29)];
  const final = check(`${upper.slice(5)}${middle.slice(0, 7)}${middle.slice(8, 15)}${middle.slice(18)}`);
  return { text: [upper, `${middle}${final}`, fill(names, 30)].join('\n'), final };
};

const passportLines = (first: string, second: string, personal: string): Lines => {
  const optional = fill(personal, 14);
  const lower = `${second}${optional}${check(optional)}`;
  const final = check(`${lower.slice(0, 10)}${lower.slice(13, 20)}${lower.slice(21)}`);
  return { text: [fill(first, 44), `${lower}${final}`].join('\n'), final };
};

const fill = (text: string, length: number): string => text.slice(0, length).padEnd(length, '<');

const yymmdd = (date: string): string => date.slice(2).replaceAll('-', '');

const letters: Readonly<Record<string, string>> = {
  Ł: 'L',
  Đ: 'D',
  Ø: 'OE',
  Ö: 'OE',
  Ü: 'UE',
  Ä: 'AE',
  Å: 'AA',
  Ñ: 'N',
};

/** Upper-case Latin letters only, by the transliterations that ICAO 9303 recommends and else without the accents. */
const plain = (text: string): string =>
  Array.from(text.normalize('NFC').toUpperCase())
    .map((letter) => letters[letter] ?? letter.normalize('NFD').replace(/\p{M}/gu, ''))
    .join('')
    .replace(/[- ]+/g, ' ')
    .replace(/[^A-Z ]/g, '');

/** Weights 7, 3, 1 over 0-9, A-Z as 10 to 35 and the filler as 0. */
const check = (text: string): string => {
  const sum = Array.from(text).reduce((total, letter, index) => {
    const value = letter === '<' ? 0 : Number.parseInt(letter, 36);
    return total + value * ([7, 3, 1][index % 3] ?? 0);
  }, 0);
  return String(sum % 10);
};
