import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';

/** Serves the document at `/openapi.json` and its page at `/docs`; it is made when it is first asked for. */
export function registerOpenApi(nest: NestFastifyApplication): void {
  const description = new DocumentBuilder()
    .setTitle('AgentState')
    .setDescription('A clustered state store for AI agents.')
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }, 'capability')
    .addSecurityRequirements('capability')
    .build();
  SwaggerModule.setup('docs', nest, () => SwaggerModule.createDocument(nest, description), {
    jsonDocumentUrl: 'openapi.json',
    yamlDocumentUrl: undefined,
  });
}
