import { OPERATIONS, type OperationName } from '../../vendors/index.js';

const PATTERNS = Object.values(OPERATIONS).map(({ name, method, path }) => ({
  name,
  method,
  pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
}));

/** Which operation a request of the gateway's is; undefined for none of the table. */
export function operationOf(method: string | undefined, url = ''): OperationName | undefined {
  const [path = ''] = url.split('?');
  return PATTERNS.find((one) => one.method === method && one.pattern.test(path))?.name;
}
