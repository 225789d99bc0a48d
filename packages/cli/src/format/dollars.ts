/** Money for people. Amounts arrive as nano-USD; nothing is rounded away that was charged. */
import { displayUsd } from '@tollgate/metering';
import type { NanoUsd } from '@tollgate/metering';

export const dollars = (nano: NanoUsd): string => (nano < 0n ? `-$${displayUsd(-nano)}` : `$${displayUsd(nano)}`);

/** `1234567` → `1,234,567` */
export const grouped = (count: bigint | number): string => count.toLocaleString('en-US');
