/** Quiet: no caller speaks, every event is delivered. Only then can the ledger be held against the provider's log. */
import type { RigProxy } from '../rig/proxy.ts';
import type { Rig } from '../rig/rig.ts';
import { until } from '../rig/wait.ts';

const DELIVERED_MS = 45_000;

export const untilDelivered = async ({ proxies, provider }: Rig): Promise<void> => {
  await provider.untilIdle();
  for (const proxy of proxies) {
    await until(`${proxy.name} has delivered its events`, DELIVERED_MS, async () => {
      const open = await metric(proxy, 'tollgate_holds_open');
      const pending = await metric(proxy, 'tollgate_spool_pending_events');
      return open === 0 && pending === 0;
    });
  }
};

/** Null where the proxy does not answer. */
export const metric = async (proxy: RigProxy, name: string): Promise<number | null> => {
  const url = proxy.adminUrl();
  if (url === null) return null;
  try {
    const page = await (await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(2_000) })).text();
    const line = page.split('\n').find((each) => each.startsWith(`${name} `) || each.startsWith(`${name}{`));
    return line === undefined ? null : Number(line.slice(line.lastIndexOf(' ') + 1));
  } catch {
    return null;
  }
};
