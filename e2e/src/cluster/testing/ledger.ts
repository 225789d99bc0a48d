/** What the database of the release says was charged, to hold against the provider's own bill. */
import { kubectl } from './kubectl.ts';
import { SYSTEM } from './release.ts';

const query = async (sql: string): Promise<readonly string[]> => {
  const psql = `PGPASSWORD=$(cat /etc/tollgate/postgres-password) psql -h 127.0.0.1 -U tollgate -d tollgate -X -A -t -c "$0"`;
  const rows = await kubectl(['exec', '-n', SYSTEM, 'tollgate-postgres-0', '--', 'sh', '-c', psql, sql]);
  return rows.trim().split('|');
};

export interface Charged {
  readonly calls: number;
  readonly nano: bigint;
}

const charged = ([calls = '', nano = '']: readonly string[]): Charged => ({ calls: Number(calls), nano: BigInt(nano) });

/** By the rows of the calls that a namespace's pods have made. */
export const chargedTo = async (namespace: string): Promise<Charged> =>
  charged(
    await query(
      `SELECT count(*), coalesce(sum(charged), 0) FROM event JOIN event_common c ON c.id = common AND c.month = event.month
       WHERE namespace = '${namespace}'`,
    ),
  );

/** By the counters of a budget, named `<namespace>/<name>`: other rows, which must come to the same. */
export const countedOn = async (budget: string): Promise<Charged> =>
  charged(
    await query(
      `SELECT coalesce(sum(calls), 0) + coalesce(sum(d.more), 0), coalesce(sum(settled), 0) + coalesce(sum(d.nano), 0)
       FROM counter LEFT JOIN LATERAL (SELECT sum(charged) AS nano, sum(charge_delta.calls) AS more FROM charge_delta
       WHERE counter_id = counter.id) d ON true WHERE budget = '${budget}'`,
    ),
  );

/** Of the proxy in a pod, as it named itself at its hello. */
export const instanceOf = async (namespace: string, pod: string): Promise<string> => {
  const [instance = ''] = await query(
    `SELECT id FROM instance WHERE subject->>'namespace' = '${namespace}' AND subject->>'pod' = '${pod}' ORDER BY hello_at DESC LIMIT 1`,
  );
  if (instance === '') throw new Error(`no proxy of pod ${namespace}/${pod} has said hello`);
  return instance;
};

const NANO_DIGITS = 9;

/** `0.0123` dollars as nano-USD, without a float between. */
export const nanoOf = (dollars: string): bigint => {
  const [whole = '0', fraction = ''] = dollars.split('.');
  return BigInt(whole + fraction.padEnd(NANO_DIGITS, '0'));
};
