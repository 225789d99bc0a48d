/** One call as an app makes it, and what came of it. */
export interface CallAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The answer's `error` object, whatever the provider's shape; null where there is none. */
  readonly error: {
    readonly code?: string;
    readonly message: string;
    readonly type?: string;
    readonly status?: string;
  } | null;
}

export const callJson = async (
  url: string,
  body: unknown,
  init: { readonly headers?: Readonly<Record<string, string>>; readonly signal?: AbortSignal } = {},
): Promise<CallAnswer> => {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer test-key', ...init.headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(init.signal === undefined ? {} : { signal: init.signal }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, error: errorOf(text) };
};

export const aChat = (stated: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  model: 'gpt-4o-mini',
  max_tokens: 50,
  messages: [{ role: 'user', content: 'Name three bridges.' }],
  ...stated,
});

const errorOf = (text: string): CallAnswer['error'] => {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && 'error' in parsed && typeof parsed.error === 'object')
      return parsed.error as CallAnswer['error'];
  } catch {
    // A stream, or no JSON: no error object.
  }
  return null;
};
