import { Module } from '@nestjs/common';
import { AdminDocsController, PublicDocsController } from './docs.controller.js';
import { ApiDocuments } from './documents.js';

@Module({
  controllers: [PublicDocsController, AdminDocsController],
  providers: [ApiDocuments],
  exports: [ApiDocuments],
})
export class DocsModule {}
