/** What a proxy says of itself, as numbers. */
export interface Measured {
  readonly adminUrl: string;
}

/** The sum over all labels; 0 where the page does not have it. */
export const readMetric = async (proxy: Measured, name: string): Promise<number> => sumOf(await readPage(proxy), name);

const readPage = async ({ adminUrl }: Measured): Promise<string> => (await fetch(`${adminUrl}/metrics`)).text();

const sumOf = (page: string, name: string): number => {
  const lines = page.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? ([0-9.e+]+)$`, 'gm'));
  return [...lines].reduce((sum, [, value]) => sum + Number(value), 0);
};

/** Resolves once the proxy has no call, no hold and no event left that the ledger does not have. Throws where nothing moves any more. */
export const untilQuiet = async (proxy: Measured, withinMs = 30_000): Promise<void> => {
  let deadline = performance.now() + withinMs;
  let before = '';
  const names = ['tollgate_calls_open', 'tollgate_holds_open', 'tollgate_spool_pending_events'];
  for (;;) {
    const page = await readPage(proxy);
    const open = names.map((name) => sumOf(page, name));
    if (open.every((count) => count === 0)) return;
    // What lasts on a busy machine goes on all the same; what is stuck does not.
    if (String(open) !== before) deadline = performance.now() + withinMs;
    before = String(open);
    if (performance.now() > deadline)
      throw new Error(
        `after ${String(withinMs)} ms: ${names.map((name, i) => `${name} ${String(open[i])}`).join(', ')}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
