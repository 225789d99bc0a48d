/** The judge: what the mock provider, by its own log and its own arithmetic, would bill for the calls of each gate. */
import type { NanoUsd } from '@tollgate/metering';

export interface ProviderBill {
  readonly calls: number;
  readonly billed: NanoUsd;
}

/** By the label that the calls carried. */
export type ProviderBills = ReadonlyMap<string, ProviderBill>;

export const readProviderLog = async (mockUrl: string): Promise<ProviderBills> => {
  const response = await fetch(`${mockUrl}/__mock/log`);
  return billsFrom(await response.text());
};

export const billsFrom = (log: string): ProviderBills => {
  const bills = new Map<string, ProviderBill>();
  for (const line of log.split('\n')) {
    if (line === '') continue;
    const { label, billed } = readLine(line);
    if (label === null || billed === null) continue;
    const former = bills.get(label) ?? { calls: 0, billed: 0n };
    bills.set(label, { calls: former.calls + 1, billed: former.billed + billed });
  }
  return bills;
};

/** A call that cost nothing has no amount. */
const readLine = (line: string): { label: string | null; billed: NanoUsd | null } => {
  const call: unknown = JSON.parse(line);
  if (typeof call !== 'object' || call === null) return { label: null, billed: null };
  return {
    label: 'label' in call && typeof call.label === 'string' ? call.label : null,
    billed: 'billedNano' in call && typeof call.billedNano === 'string' ? BigInt(call.billedNano) : null,
  };
};
