import { Get, Header } from '@nestjs/common';
import { ApiExcludeController, type OpenAPIObject } from '@nestjs/swagger';
import { AdminController, PublicController } from '../platform/index.js';
import { ApiDocuments } from './documents.js';
import { DOCS_CSP, docsPage } from './page.js';

@ApiExcludeController()
@PublicController('', 'docs')
export class PublicDocsController {
  constructor(private readonly documents: ApiDocuments) {}

  @Get('openapi.json')
  document(): OpenAPIObject {
    return this.documents.of('public');
  }

  @Get('docs')
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', DOCS_CSP)
  page(): string {
    return docsPage(this.documents.of('public'));
  }
}

@ApiExcludeController()
@AdminController('', 'docs')
export class AdminDocsController {
  constructor(private readonly documents: ApiDocuments) {}

  @Get('openapi.json')
  document(): OpenAPIObject {
    return this.documents.of('admin');
  }

  @Get('docs')
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', DOCS_CSP)
  page(): string {
    return docsPage(this.documents.of('admin'));
  }
}
