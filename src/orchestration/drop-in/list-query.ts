import { namespaced, type OperationName, OPERATIONS } from '../../vendors/index.js';

const DEFAULT_LIMIT = 50;
const MOST_LIMIT = 100;
const PAGING = new Set(['limit', 'offset']);

type ListOperation = Extract<OperationName, `${string}.list`>;
type Query = Record<string, string | readonly string[]>;

/** The list's own question: its filters as the client wrote them, and which part of it is wanted. */
export interface ListQuery {
  operation: ListOperation;
  filters: Query;
  limit: number;
  offset: number;
}

/** Parameters that Didit does not know are left out, and a limit or offset that is none counts as absent, as it does there. */
export function readListQuery(operation: ListOperation, query: Readonly<Record<string, unknown>>): ListQuery {
  const listed: ReadonlySet<string> = new Set(OPERATIONS[operation].query);
  const filters: Query = {};
  for (const [name, value] of Object.entries(query)) {
    if (!listed.has(name) || PAGING.has(name)) continue;
    const values = [value].flat().filter((text) => typeof text === 'string' && text !== '') as string[];
    const [first] = values;
    if (first !== undefined) filters[name] = values.length === 1 ? first : values;
  }
  return {
    operation,
    filters,
    limit: Math.min(wholeNumber(query['limit'], 1) ?? DEFAULT_LIMIT, MOST_LIMIT),
    offset: wholeNumber(query['offset'], 0) ?? 0,
  };
}

/** The filters as the vendor gets them: `vendor_data` in the client's own namespace. */
export function upstream(filters: Query, tag: string): Query {
  const { vendor_data: written } = filters;
  if (written === undefined) return filters;
  const own = [written].flat().map((text) => namespaced(tag, text, ''));
  return { ...filters, vendor_data: own };
}

/** Address of another part of the same list, on the gateway. */
export function pageUrl(publicUrl: string, { operation, filters, limit }: ListQuery, offset: number): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(filters)) for (const text of [value].flat()) parameters.append(name, text);
  parameters.set('limit', String(limit));
  if (offset > 0) parameters.set('offset', String(offset));
  return `${publicUrl}/didit${OPERATIONS[operation].path}?${parameters.toString()}`;
}

function wholeNumber(value: unknown, least: number): number | undefined {
  if (typeof value !== 'string' || !/^\d{1,9}$/.test(value)) return undefined;
  return Number(value) >= least ? Number(value) : undefined;
}
