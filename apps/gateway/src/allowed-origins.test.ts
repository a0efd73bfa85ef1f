import { expect, test } from '@jest/globals';
import { isAllowedOrigin, isOrigin, sameHost } from './allowed-origins.ts';

test('without a list, pages of the host itself may connect on every port, and clients that are no page', () => {
  const may = (origin: string, host = 'chat.example') => isAllowedOrigin([sameHost], origin, host);
  for (const origin of ['', 'https://chat.example', 'http://chat.example:8090', 'https://CHAT.example']) {
    expect(may(origin)).toBe(true);
  }
  expect(may('https://chat.example', 'chat.example:8080')).toBe(true);
  expect(may('http://[::1]:8090', '[::1]:8080')).toBe(true);
  const strangers = ['https://evil.example', 'https://chat.example.evil.example', 'https://a.chat.example'];
  for (const origin of [...strangers, 'null', 'chat.example', 'file://', '\\'])
    expect(may(origin)).toBe(false);
  expect(may('null', 'null')).toBe(false);
  expect(may('https://evil.example', '')).toBe(false);
  expect(may('file://', '')).toBe(false);
});

test('with a list, exactly what stands in it may connect', () => {
  const list = ['https://chat.example', 'http://localhost:5173'];
  expect(isAllowedOrigin(list, 'https://chat.example', 'ws.example')).toBe(true);
  expect(isAllowedOrigin(list, 'http://localhost:5173', 'ws.example')).toBe(true);
  for (const origin of ['http://chat.example', 'https://chat.example:8443', 'https://ws.example', 'null']) {
    expect(isAllowedOrigin(list, origin, 'ws.example')).toBe(false);
  }
  expect(isAllowedOrigin(['*'], 'https://evil.example', 'ws.example')).toBe(true);
});

test('a list takes origins as browsers write them, and nothing that would never be one', () => {
  for (const text of ['https://chat.example', 'http://localhost:5173', 'null', '*', sameHost]) {
    expect(isOrigin(text)).toBe(true);
  }
  for (const text of [
    'chat.example',
    'https://chat.example/',
    'https://chat.example:443',
    'https://*.example',
  ]) {
    expect(`${text} ${isOrigin(text)}`).toBe(`${text} ${text === 'https://*.example'}`);
  }
});
