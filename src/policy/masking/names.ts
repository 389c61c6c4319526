const SNAKE = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)+$/;

/** snake_case to camelCase; names of any other make (constants, keys that are data) stay as they are. */
export function camelCase(name: string): string {
  if (!name.includes('_') || !SNAKE.test(name)) return name;
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
