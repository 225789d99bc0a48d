/**
 * A plain reader of server-sent events for tests, by the letter of https://html.spec.whatwg.org/multipage/server-sent-events.html:
 * LF, CR and CRLF end lines, a leading BOM and comments are skipped, an event without its blank line is dropped.
 */
export interface SseEvent {
  readonly event: string;
  readonly data: string;
}

export async function* readSse(response: {
  readonly body: ReadableStream<Uint8Array> | null;
}): AsyncGenerator<SseEvent> {
  if (response.body === null) return;
  const decoder = new TextDecoder(); // drops a leading BOM, keeps what a chunk cut in two
  let rest = '';
  let event = '';
  let data: string[] = [];
  for await (const chunk of response.body) {
    rest += decoder.decode(chunk, { stream: true });
    // A CR at the very end may be half of a CRLF: it waits for what follows.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) yield { event: event === '' ? 'message' : event, data: data.join('\n') };
        event = '';
        data = [];
        continue;
      }
      const colon = line.indexOf(':');
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'data') data.push(value);
      if (field === 'event') event = value;
    }
  }
  if (rest.endsWith('\r') && rest.length === 1 && data.length > 0)
    yield { event: event === '' ? 'message' : event, data: data.join('\n') };
}
