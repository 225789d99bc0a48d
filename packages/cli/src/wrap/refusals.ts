/** How many calls the proxy refused, from its metrics page. */
const ANSWER_MS = 2000;

/** 0 where the page does not answer: the bill is about money, and goes out all the same. */
export const refusalsFrom = async (adminUrl: string): Promise<number> => {
  try {
    const page = await fetch(`${adminUrl}/metrics`, { signal: AbortSignal.timeout(ANSWER_MS) });
    return countRefusals(await page.text());
  } catch {
    return 0;
  }
};

/** Sums `tollgate_refusals_total{code="…"} n` over all codes. */
export const countRefusals = (page: string): number =>
  [...page.matchAll(/^tollgate_refusals_total(?:\{[^}]*\})? (\d+)/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
