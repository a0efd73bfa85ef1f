import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { closeReasons } from './close-codes.ts';
import { decodeFrame } from './decode.ts';
import { errorTexts } from './error-texts.ts';
import { checkPayload } from './faults.ts';
import {
  type FrameType,
  frameTypes,
  isAcknowledgementType,
  isClientRequestType,
  isFrameType,
} from './frame.ts';

const document = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');

/** The line before a block says who sends it: `Client ...:` or `Server ...:`. */
const blocks = [...document.matchAll(/^(.*)\n\n?```json\n([\s\S]*?)\n```$/gm)].map(
  ([, line = '', text = '']) => ({
    line,
    text,
  }),
);

describe('docs/protocol.md', () => {
  test.each(blocks)('$line $text', ({ line, text }) => {
    expect(line).toMatch(/^(Client|Server)\b.*:$/);
    const frame = JSON.parse(text);
    expect(Object.keys(frame)).toEqual(['id', 'type', 'payload']);
    expect(isFrameType(frame.type)).toBe(true);
    expect(checkPayload(frame.type, frame.payload)).toEqual({ payload: frame.payload, faults: [] });
    const fromClient = isClientRequestType(frame.type) || isAcknowledgementType(frame.type);
    expect(line.startsWith('Client')).toBe(fromClient);
    if (fromClient) expect(decodeFrame(new TextEncoder().encode(text))).toMatchObject(frame);
  });

  test('has every JSON block checked', () => {
    expect(blocks).toHaveLength(document.split('```json').length - 1);
  });

  test('shows every type of the protocol', () => {
    const shown = new Set(blocks.map(({ text }) => JSON.parse(text).type as FrameType));
    expect([...shown].sort()).toEqual([...frameTypes].sort());
  });

  test('names every error text and every close code with its reason', () => {
    for (const { text } of Object.values(errorTexts)) expect(document).toContain(`\`${text}\``);
    for (const { code, reason } of Object.values(closeReasons)) {
      expect(document).toMatch(new RegExp(`^\\| ${code} \\|.*${reason}`, 'm'));
    }
  });
});
