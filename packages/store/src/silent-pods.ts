import type { Transaction } from './connection.ts';

export interface PodName {
  readonly namespace: string;
  readonly name: string;
}

/** Those of these pods of whom no call was ever recorded, by whichever proxy they had. */
export const silentPods = (tx: Transaction, pods: readonly PodName[]): Promise<readonly PodName[]> =>
  tx.query<PodName>(
    `SELECT p.namespace, p.name FROM unnest($1::text[], $2::text[]) AS p(namespace, name)
     WHERE NOT EXISTS (SELECT FROM instance i WHERE i.acked_seq > 0
       AND i.subject->>'namespace' = p.namespace AND i.subject->>'pod' = p.name)
     ORDER BY p.namespace, p.name`,
    [pods.map(({ namespace }) => namespace), pods.map(({ name }) => name)],
  );
