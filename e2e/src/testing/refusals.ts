/** How often the proxy itself said "no", by its own count: one question of the app that was retried in vain counts twice. */
import type { Harness } from '@tollgate/sidecar/testing';

export const countRefusals = async ({ adminUrl }: Pick<Harness, 'adminUrl'>, code: string): Promise<number> => {
  const page = await (await fetch(`${adminUrl}/metrics`)).text();
  const line = page.split('\n').find((each) => each.startsWith(`tollgate_refusals_total{code="${code}"}`));
  return line === undefined ? 0 : Number(line.split(' ').at(-1));
};
