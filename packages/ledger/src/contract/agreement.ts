import fc from 'fast-check';

/**
 * Holds two implementations against each other over very many random cases, several at a time. A case on which they
 * differ is looked for again, alone and in order, so that it is told in its shortest form and with the seed that repeats it.
 */
export interface AgreementOptions<Case, Worker> {
  readonly cases: fc.Arbitrary<Case>;
  readonly count: number;
  readonly seed: number;
  readonly workers: readonly Worker[];
  /** Throws where the two differ. */
  readonly agree: (worker: Worker, subject: Case) => Promise<void>;
  /** Nobody is at work: removes what the cases left behind. */
  readonly tidy?: () => Promise<void>;
}

/** Cases made at once. */
const BATCH = 2_000;

export const checkAgreement = async <Case, Worker>({
  cases,
  count,
  seed,
  workers,
  agree,
  tidy,
}: AgreementOptions<Case, Worker>): Promise<void> => {
  for (let first = 0; first < count; first += BATCH) {
    const numRuns = Math.min(BATCH, count - first);
    const batch = fc.sample(cases, { seed: seed + first, numRuns });
    let next = 0;
    let differ = false;
    await Promise.all(
      workers.map(async (worker) => {
        for (let subject = batch[(next += 1) - 1]; subject !== undefined && !differ; subject = batch[(next += 1) - 1]) {
          await agree(worker, subject).catch(() => {
            differ = true;
          });
        }
      }),
    );
    await tidy?.();
    if (!differ) continue;
    const [worker] = workers;
    if (worker === undefined) throw new Error('nobody to ask');
    await fc.assert(
      fc.asyncProperty(cases, (subject) => agree(worker, subject)),
      { seed: seed + first, numRuns },
    );
    throw new Error(
      `two differ when many cases run at once, and do not when each runs alone: seed ${String(seed + first)}`,
    );
  }
};
