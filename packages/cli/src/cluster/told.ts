/** What could be read, or why it could not: a report goes on without what its reader may not see. */
import { KubeFault } from '@tollgate/operator/kube';

export type Told<T> = { readonly known: true; readonly value: T } | { readonly known: false; readonly why: string };

/** A refusal (403) becomes a remark; that a cluster does not answer stays a fault. */
export const told = async <T>(reading: Promise<T>): Promise<Told<T>> => {
  try {
    return { known: true, value: await reading };
  } catch (error) {
    if (error instanceof KubeFault && error.status === 403) return { known: false, why: error.message };
    throw error;
  }
};

export const valueOr = <T>(reading: Told<T>, fallback: T): T => (reading.known ? reading.value : fallback);

export const whyNotRead = (...readings: readonly Told<unknown>[]): readonly string[] =>
  readings.flatMap((reading) => (reading.known ? [] : [reading.why]));
