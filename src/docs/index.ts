export { DocsModule } from './docs.module.js';
export { ApiDocuments } from './documents.js';
