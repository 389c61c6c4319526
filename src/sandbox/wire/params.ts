/** A text member of a request's path or query parameters, whose types the router cannot know; an empty one is none. */
export const textIn = (parameters: unknown, name: string): string | undefined => {
  if (typeof parameters !== 'object' || parameters === null) return undefined;
  const value: unknown = Reflect.get(parameters, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
};
