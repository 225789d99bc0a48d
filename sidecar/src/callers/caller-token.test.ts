import { describe, expect, it } from '@jest/globals';
import { shownToken } from './caller-token.ts';

const TOKEN = 'head.claims.signature-_';
const PATH = '/openai/v1/chat/completions';

describe("a caller's token", () => {
  it.each([
    ['as bearer', { authorization: `Bearer ${TOKEN}` }],
    ['as bearer in small letters', { authorization: `bearer  ${TOKEN}` }],
    ["where Anthropic's SDK puts a key", { 'x-api-key': TOKEN }],
    ["where Azure's does", { 'api-key': TOKEN }],
    ["where Google's does", { 'x-goog-api-key': TOKEN }],
    ["beside a provider's key", { authorization: 'Bearer sk-proj-1', 'x-api-key': TOKEN }],
  ])('is found %s', (_where, headers) => {
    expect(shownToken(headers, PATH)).toEqual({ ok: true, token: TOKEN });
  });

  it.each([
    ['nothing is shown', {}, /show who they are/],
    ['the header is empty', { authorization: 'Bearer ' }, /show who they are/],
    ["a provider's key is shown", { authorization: 'Bearer sk-proj-1' }, /no ServiceAccount token/],
    ['it has two parts', { 'x-api-key': 'a.b' }, /no ServiceAccount token/],
    ['it has four', { 'x-api-key': 'a.b.c.d' }, /no ServiceAccount token/],
    ['it is larger than any token', { 'x-api-key': `${'a'.repeat(8_192)}.b.c` }, /no ServiceAccount token/],
    ['it is shown elsewhere', { 'x-amz-security-token': TOKEN, cookie: TOKEN }, /show who they are/],
  ])('is missing where %s, and the answer says what to send', (_what, headers, message) => {
    const shown = shownToken(headers, PATH);
    expect(shown).toMatchObject({ ok: false, message: expect.stringMatching(message) });
    expect(shown).toMatchObject({ message: expect.stringContaining('audience "tollgate"') });
  });

  it.each(['?key=x', '?alt=sse&key=x'])('is not taken from a URL, which would be forwarded: %s', (query) => {
    expect(shownToken({ 'x-goog-api-key': TOKEN }, `/gemini/v1beta/models/m:generateContent${query}`)).toMatchObject({
      ok: false,
      message: expect.stringContaining('URL'),
    });
  });
});
