/** What a proxy says of itself, as numbers. */
export interface Measured {
  readonly adminUrl: string;
}

/** The sum over all labels; 0 where the page does not have it. */
export const readMetric = async ({ adminUrl }: Measured, name: string): Promise<number> => {
  const page = await (await fetch(`${adminUrl}/metrics`)).text();
  const lines = page.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? ([0-9.e+]+)$`, 'gm'));
  return [...lines].reduce((sum, [, value]) => sum + Number(value), 0);
};

/** Resolves once the proxy has no call, no hold and no event left that the ledger does not have. */
export const untilQuiet = async (proxy: Measured, withinMs = 30_000): Promise<void> => {
  const deadline = performance.now() + withinMs;
  const names = ['tollgate_calls_open', 'tollgate_holds_open', 'tollgate_spool_pending_events'];
  for (;;) {
    const open = await Promise.all(names.map((name) => readMetric(proxy, name)));
    if (open.every((count) => count === 0)) return;
    if (performance.now() > deadline)
      throw new Error(
        `after ${String(withinMs)} ms: ${names.map((name, i) => `${name} ${String(open[i])}`).join(', ')}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
