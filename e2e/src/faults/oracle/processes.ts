/** What processes must never do, whatever happens around them: die by themselves, fail a call by a fault of their own. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Load } from '../load/load.ts';
import type { Rig } from '../rig/rig.ts';

export const checkProcesses = ({ folder, servers, proxies }: Rig, { outcomes }: Load): readonly string[] => {
  const faults: string[] = [];
  for (const { name, deaths } of [...servers, ...proxies]) {
    for (const { code, signal } of deaths) faults.push(`${name} died by itself (${String(signal ?? code)})`);
  }
  const internal = outcomes.filter(({ refusal }) => refusal === 'internal');
  if (internal.length > 0)
    faults.push(`answered as a fault of the proxy: ${String(internal.length)} (${internal[0]?.text ?? ''})`);
  for (const [message, count] of errorsLogged(join(folder, 'logs'))) {
    if (!EXPECTED.some((pattern) => pattern.test(message)))
      faults.push(`logged as an error: ${message} (${String(count)})`);
  }
  return faults;
};

/** A settlement came again after the disk had lost it, and the ledger keeps the first word. */
const EXPECTED = [/an event came again with another body/];
/** The store was away, and the asker was told to try again. */
const AWAY = ['ledger_unavailable', 'store_unavailable'];

const errorsLogged = (folder: string): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const name of readdirSync(folder)) {
    if (!/^(server|proxy)-/.test(name)) continue;
    for (const line of readFileSync(join(folder, name), 'utf8').split('\n')) {
      const message = errorIn(line);
      if (message === null) continue;
      const key = `${name}: ${message}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return counts;
};

const errorIn = (line: string): string | null => {
  if (!line.startsWith('{')) return line.trim() === '' ? null : `no JSON: ${line.slice(0, 200)}`;
  try {
    const entry = JSON.parse(line) as {
      readonly level?: unknown;
      readonly status?: number;
      readonly msg?: string;
      readonly err?: { readonly code?: string; readonly message?: string };
    };
    if (entry.level !== 'error' && entry.level !== 'fatal' && !(Number(entry.level) >= 50)) return null;
    if (entry.status === 503 && AWAY.includes(entry.err?.code ?? '')) return null;
    return `${entry.msg ?? ''} ${entry.err?.message ?? ''}`.trim();
  } catch {
    return `a torn line: ${line.slice(0, 200)}`;
  }
};
