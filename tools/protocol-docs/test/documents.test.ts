import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fromFile, Parser } from '@asyncapi/parser';
import { closeReasons, errorTexts, frameTypes } from '@hooligram/protocol';
import { expect, test } from '@jest/globals';
import { descriptionFiles } from '../src/files.ts';

const docs = fileURLToPath(new URL('../../../docs/', import.meta.url));
const folder = join(docs, 'protocol');
const files = descriptionFiles(readFileSync(join(docs, 'protocol.md'), 'utf8'));

test('docs/protocol is up to date with the protocol and its page; else: npm run build -- --docs', () => {
  const committed = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  expect(committed.sort()).toEqual([...files.keys()].sort());
  for (const [path, text] of files)
    expect([path, readFileSync(join(folder, path), 'utf8')]).toEqual([path, text]);
});

test('the parser of AsyncAPI finds no fault in asyncapi.json, which has each request with its replies', async () => {
  const { document, diagnostics } = await fromFile(new Parser(), join(folder, 'asyncapi.json')).parse();
  expect(diagnostics.filter(({ severity }) => severity < 2)).toEqual([]);
  const operations = document?.operations().all() ?? [];
  const described = operations.map((operation) => [
    operation.action(),
    ...operation
      .messages()
      .all()
      .map((message) => message.name()),
    ...(operation.reply()?.messages().all() ?? []).map((message) => message.name()),
  ]);
  expect(described).toHaveLength(11);
  expect(described.flatMap(([, ...types]) => types).sort()).toEqual([...frameTypes].sort());
  expect(described).toContainEqual([
    'receive',
    'MESSAGING_SEND_REQUEST',
    'MESSAGING_SEND_SUCCESS',
    'MESSAGING_SEND_FAILURE',
  ]);
  expect(described).toContainEqual([
    'send',
    'GROUP_DELIVER_REQUEST',
    'GROUP_DELIVER_SUCCESS',
    'GROUP_DELIVER_FAILURE',
  ]);
  expect(described).toContainEqual(['send', 'CONN_FRAME_FAILURE']);
});

test('the parser of AsyncAPI finds the fault of a broken document', async () => {
  const broken = String(files.get('asyncapi.json')).replace('"action": "receive"', '"action": "recieve"');
  const { diagnostics } = await new Parser().parse(broken);
  expect(diagnostics.some(({ severity }) => severity === 0)).toBe(true);
});

test('the page shows every type, error text and close reason, and needs no network', () => {
  const page = String(files.get('index.html'));
  for (const type of frameTypes) expect(page).toContain(`<article id="${type}">`);
  for (const { text } of Object.values(errorTexts)) expect(page).toContain(`<code>${text}</code>`);
  for (const { code, reason } of Object.values(closeReasons)) {
    expect(page).toContain(`<tr><td>${code}</td><td>${reason}</td>`);
  }
  expect(page).not.toMatch(
    /<script|<link|src=|url\(|href="(?!#|asyncapi\.json|\.\.\/protocol\.md|schemas\/)/,
  );
});
