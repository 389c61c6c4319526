import { TILE_WIDTH } from './tile-tree.js';

/** A tile as it is asked for: hashes of a level, or the entries below a tile of level 0 (C2SP tlog-tiles). */
export interface TileName {
  level: number | 'entries';
  index: number;
  /** Hashes or entries in it: 256, or fewer in a partial tile. */
  width: number;
}

const MOST_LEVEL = 7;

/** `0/x001/x234/067`, `entries/000.p/17`: three digits an element, all but the last with an `x`. */
export function tilePath({ level, index, width }: TileName): string {
  const elements = [String(index % 1_000).padStart(3, '0')];
  for (let rest = Math.floor(index / 1_000); rest > 0; rest = Math.floor(rest / 1_000))
    elements.unshift(`x${String(rest % 1_000).padStart(3, '0')}`);
  return `${level}/${elements.join('/')}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

/** @returns undefined for what is no path of a tile: there is one spelling of each. */
export function parseTilePath(path: string): TileName | undefined {
  const [, level = '', elements = '', width] =
    /^(entries|\d{1,2})\/((?:x\d{3}\/){0,4}\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path) ?? [];
  if (elements === '' || (level !== 'entries' && Number(level) > MOST_LEVEL)) return undefined;
  const name: TileName = {
    level: level === 'entries' ? level : Number(level),
    index: Number(elements.replaceAll(/[x/]/g, '')),
    width: width === undefined ? TILE_WIDTH : Number(width),
  };
  return name.width >= 1 && name.width <= TILE_WIDTH && tilePath(name) === path ? name : undefined;
}
