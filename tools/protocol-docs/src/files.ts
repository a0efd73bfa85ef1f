import { asyncApiDocument } from './asyncapi.ts';
import { exampleFrames } from './examples.ts';
import { frameSchemas } from './frame-schema.ts';
import { page } from './page.ts';

/**
 * All files of docs/protocol, by their path in it. The same input gives the same bytes.
 * @param markdown docs/protocol.md, for the examples in it
 */
export function descriptionFiles(markdown: string): Map<string, string> {
  const document = asyncApiDocument(exampleFrames(markdown));
  return new Map([
    ['asyncapi.json', json(document)],
    ['index.html', page(document)],
    ...[...frameSchemas].map(
      ([type, schema]) =>
        [
          `schemas/${type}.json`,
          json({ $schema: 'http://json-schema.org/draft-07/schema#', ...schema }),
        ] as const,
    ),
  ]);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
