import type { OpenAPIObject } from '@nestjs/swagger';

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1b2430;background:#fff}
h1{font-size:1.6rem}h2{font-size:1.05rem;margin:2rem 0 .3rem;font-family:ui-monospace,monospace}
.m{display:inline-block;min-width:4.5rem;color:#0b5d57;font-weight:700}.r{color:#5b6775;font-size:.9rem}
pre{background:#f4f6f8;padding:.8rem;overflow:auto;font-size:.85rem;border-radius:.4rem}
@media (prefers-color-scheme:dark){body{background:#12171d;color:#e4e9ee}.m{color:#5fd0c5}.r{color:#9fb0c0}pre{background:#1b232c}}`;

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** The document as a page to read: no script, nothing loaded from elsewhere. */
export function docsPage(document: OpenAPIObject): string {
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item as Record<string, Record<string, unknown>>).map(([method, operation]) =>
      section(path, method, operation),
    ),
  );
  const title = escape(document.info.title);
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${title}</title><style>${STYLE}</style></head><body><h1>${title}</h1>
<p>Machine-readable: <a href="/openapi.json">/openapi.json</a></p>${operations.join('\n')}</body></html>`;
}

function section(path: string, method: string, operation: Record<string, unknown>): string {
  const rights = (operation['x-gatehouse-rights'] as string[] | undefined) ?? [];
  const body = operation['requestBody'] as { content?: Record<string, { schema?: unknown }> } | undefined;
  const schema = Object.values(body?.content ?? {})[0]?.schema;
  return `<section><h2><span class="m">${escape(method.toUpperCase())}</span> ${escape(path)}</h2>
${rights.length > 0 ? `<div class="r">needs ${escape(rights.join(', '))}</div>` : ''}
${schema === undefined ? '' : `<pre>${escape(JSON.stringify(schema, null, 2))}</pre>`}</section>`;
}

/** The page's own style, and nothing else, may act. */
export const DOCS_CSP =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
