/** What `tollgate serve` prints when it is ready: one line that says so, then five to copy from. */
export interface ReadyFacts {
  readonly proxyUrl: string;
  readonly adminUrl: string;
  readonly isMock: boolean;
  readonly version: string;
  /** Null: the default, which other commands find by themselves. */
  readonly stateDir: string | null;
}

export const printReady = ({ proxyUrl, adminUrl, isMock, version, stateDir }: ReadyFacts): string => {
  const key = isMock ? 'mock' : '$OPENAI_API_KEY';
  const body = JSON.stringify({
    model: 'gpt-4o-mini',
    max_tokens: 64,
    messages: [{ role: 'user', content: 'Say hello.' }],
  });
  const lines = [
    `tollgate ${version} is ready${isMock ? ' (MOCK: answers are simulated, nobody is charged)' : ''}`,
    `use it:   export OPENAI_BASE_URL=${proxyUrl}/openai/v1`,
    `try it:   curl -i ${proxyUrl}/openai/v1/chat/completions -H 'content-type: application/json' -H "authorization: Bearer ${key}" -d '${body}'`,
    `budgets:  npx pnpm@10 exec tollgate get tokenbudgets${stateDir === null ? '' : ` --state ${shellWord(stateDir)}`}`,
    `metrics:  ${adminUrl}/metrics`,
    'stop:     Ctrl-C',
  ];
  return `${lines.join('\n')}\n`;
};

/** As a POSIX shell reads it back. */
const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
