/** What a gateway says of its callers, in the body in which it says what it runs itself. */
import { decodeCallerName, parseNames, WireFault } from '@tollgate/ledger/wire';
import type { FollowedPolicy } from '@tollgate/store';

/** More than a gateway follows at once. */
const MOST = 10_000;
const VERSION = /^[\x20-\x7e]{1,128}$/;

/** Null: it says nothing of callers. Throws a `WireFault` where what it says cannot be read. */
export const decodeFollowed = (body: string): readonly FollowedPolicy[] | null => {
  const said = member(parseNames(body), 'callers');
  if (said === undefined) return null;
  if (!Array.isArray(said) || said.length > MOST) throw new WireFault('callers', `a list of at most ${String(MOST)}`);
  return said.map((entry: unknown) => {
    const [caller, snapshot] = [member(entry, 'caller'), member(entry, 'snapshot')];
    if (typeof caller !== 'string') throw new WireFault('callers', 'names');
    if (typeof snapshot !== 'string' || !VERSION.test(snapshot)) throw new WireFault('callers', 'versions');
    return { caller: decodeCallerName(caller), snapshot };
  });
};

const member = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
