/** The plan of an uninstallation, for people. */
import type { UninstallPlan } from './plan.ts';

export const printPlan = ({ steps, goes, stays, carriers, spending, unread }: UninstallPlan): string =>
  [
    list('helm uninstall removes', goes),
    list('Stays', stays),
    list('Carry the proxy, and would call a server that is gone', carriers),
    list('Budgets with spend, which stays charged while the ledger is kept', spending),
    list('Could not be read', unread),
    `In this order:\n${steps.map(({ why, commands }) => `  # ${why}\n${commands.map((command) => `  ${command}\n`).join('')}`).join('')}`,
  ]
    .filter((part) => part !== '')
    .join('\n');

const list = (title: string, items: readonly string[]): string =>
  items.length === 0 ? '' : `${title} (${String(items.length)}):\n${items.map((item) => `  ${item}\n`).join('')}`;
