/** An invented person with an invented document. Nobody here exists; the accents do, in real customers' names. */
export interface Person {
  readonly firstName: string;
  readonly lastName: string;
  /** The name in its own script, where the document prints both. */
  readonly nativeName: string | null;
  readonly gender: 'M' | 'F';
  readonly dateOfBirth: string;
  readonly placeOfBirth: string;
  readonly maritalStatus: string;
  readonly documentType: 'Identity Card' | 'Passport';
  readonly documentNumber: string;
  readonly personalNumber: string;
  /** ISO 3166-1: the document's issuer and the nationality are one country. */
  readonly country: { readonly alpha2: string; readonly alpha3: string; readonly name: string };
  readonly address: {
    readonly street: string;
    readonly streetType: string;
    readonly city: string;
    readonly region: string;
    readonly postalCode: string;
    readonly latitude: number;
    readonly longitude: number;
  };
}

const people: readonly [Person, ...Person[]] = [
  {
    firstName: 'Zoë',
    lastName: 'Müller-Łukasz',
    nativeName: null,
    gender: 'F',
    dateOfBirth: '1988-02-29',
    placeOfBirth: 'Görlitz',
    maritalStatus: 'SINGLE',
    documentType: 'Identity Card',
    documentNumber: 'LZ6Q11T47',
    personalNumber: 'D880229ZML',
    country: { alpha2: 'DE', alpha3: 'DEU', name: 'Germany' },
    address: {
      street: 'Jägerstraße 12',
      streetType: 'Straße',
      city: 'Görlitz',
      region: 'Sachsen',
      postalCode: '02826',
      latitude: 51.1526,
      longitude: 14.9872,
    },
  },
  {
    firstName: 'José Ángel',
    lastName: 'Núñez Ibáñez',
    nativeName: null,
    gender: 'M',
    dateOfBirth: '1979-11-05',
    placeOfBirth: 'Logroño',
    maritalStatus: 'MARRIED',
    documentType: 'Identity Card',
    documentNumber: 'CBX998877',
    personalNumber: '12345678Z',
    country: { alpha2: 'ES', alpha3: 'ESP', name: 'Spain' },
    address: {
      street: 'Calle de la Piñuela 7',
      streetType: 'Calle',
      city: 'Logroño',
      region: 'La Rioja',
      postalCode: '26001',
      latitude: 42.465,
      longitude: -2.4456,
    },
  },
  {
    firstName: 'Siobhán',
    lastName: "Ní Bhraonáin-O'Dea",
    nativeName: null,
    gender: 'F',
    dateOfBirth: '1995-07-14',
    placeOfBirth: 'Dún Laoghaire',
    maritalStatus: 'UNKNOWN',
    documentType: 'Passport',
    documentNumber: 'PX7700127',
    personalNumber: '1234567TW',
    country: { alpha2: 'IE', alpha3: 'IRL', name: 'Ireland' },
    address: {
      street: '3 Bóthar na Trá',
      streetType: 'Bóthar',
      city: 'Dún Laoghaire',
      region: 'Dublin',
      postalCode: 'A96 X2X2',
      latitude: 53.2945,
      longitude: -6.1336,
    },
  },
  {
    firstName: 'Đorđe',
    lastName: 'Šćepanović',
    nativeName: 'Ђорђе Шћепановић',
    gender: 'M',
    dateOfBirth: '1991-01-31',
    placeOfBirth: 'Čačak',
    maritalStatus: 'MARRIED',
    documentType: 'Passport',
    documentNumber: '099000451',
    personalNumber: '3101991780017',
    country: { alpha2: 'RS', alpha3: 'SRB', name: 'Serbia' },
    address: {
      street: 'Улица Жупана Страцимира 19',
      streetType: 'Улица',
      city: 'Čačak',
      region: 'Moravički okrug',
      postalCode: '32000',
      latitude: 43.8914,
      longitude: 20.3497,
    },
  },
  {
    firstName: 'Åsa-Märta',
    lastName: 'Öhlén Çelik',
    nativeName: null,
    gender: 'F',
    dateOfBirth: '2001-12-24',
    placeOfBirth: 'Umeå',
    maritalStatus: 'SINGLE',
    documentType: 'Identity Card',
    documentNumber: '900112233',
    personalNumber: '20011224-9981',
    country: { alpha2: 'SE', alpha3: 'SWE', name: 'Sweden' },
    address: {
      street: 'Älvsbackavägen 4',
      streetType: 'vägen',
      city: 'Umeå',
      region: 'Västerbotten',
      postalCode: '903 26',
      latitude: 63.8258,
      longitude: 20.263,
    },
  },
  {
    firstName: 'Xuěméi',
    lastName: 'Lǐ',
    nativeName: '李雪梅',
    gender: 'F',
    dateOfBirth: '1984-06-09',
    placeOfBirth: 'Chéngdū',
    maritalStatus: 'DIVORCED',
    documentType: 'Passport',
    documentNumber: 'EJ0001934',
    personalNumber: '510104198406090022',
    country: { alpha2: 'CN', alpha3: 'CHN', name: 'China' },
    address: {
      street: '春熙路 21 号',
      streetType: '路',
      city: 'Chéngdū',
      region: 'Sìchuān',
      postalCode: '610016',
      latitude: 30.657,
      longitude: 104.0817,
    },
  },
];

/** The same number always meets the same person. */
export const personNumber = (n: number): Person => people[n % people.length] ?? people[0];

export const fullName = (person: Pick<Person, 'firstName' | 'lastName'>): string =>
  `${person.firstName} ${person.lastName}`;

/** Whole years lived at that instant (epoch milliseconds). */
export const ageAt = (dateOfBirth: string, at: number): number => {
  const today = new Date(at).toISOString().slice(0, 10);
  const years = Number(today.slice(0, 4)) - Number(dateOfBirth.slice(0, 4));
  return today.slice(5) < dateOfBirth.slice(5) ? years - 1 : years;
};
