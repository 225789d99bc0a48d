/** Acquisitions and give-backs as JSON: field names as in `lease-port.ts`, amounts as decimal strings. */
import type { AcquireRequest, AcquireResult, DenyReason, GiveBackRequest, Grant, Need } from '../lease-port.ts';
import { decodeCounterName, decodeWindow } from './counter-wire.ts';
import {
  amount,
  at,
  count,
  countOrNull,
  fields,
  flag,
  list,
  oneOf,
  parseJson,
  parseNames,
  shortName,
  signedAmount,
  text,
} from './fields.ts';
import { WireFault } from './wire-fault.ts';

/** A call touches a handful of counters; a message that names more is not one of ours. */
const MAX_COUNTERS = 256;
const MAX_RETURNS = 4_096;
const REASONS: readonly DenyReason[] = ['neverFits', 'exhausted', 'held'];

export const encodeAcquireRequest = ({ instance, seq, needs }: AcquireRequest): string =>
  JSON.stringify({
    instance,
    seq,
    needs: needs.map((need) => ({ ...need, need: String(need.need), prefer: String(need.prefer) })),
  });

export const decodeAcquireRequest = (body: string): AcquireRequest => {
  const from = fields(parseNames(body), '');
  return {
    instance: shortName(from, 'instance', ''),
    seq: count(from, 'seq', ''),
    needs: list(from, 'needs', '', MAX_COUNTERS, decodeNeed),
  };
};

export const encodeAcquireResult = (result: AcquireResult): string =>
  JSON.stringify(
    result.granted
      ? {
          granted: true,
          grants: result.grants.map((grant) => ({ ...grant, amount: String(grant.amount), left: String(grant.left) })),
        }
      : { ...result, need: String(result.need), limit: String(result.limit), left: String(result.left) },
  );

export const decodeAcquireResult = (body: string): AcquireResult => {
  const from = fields(parseJson(body), '');
  if (flag(from, 'granted', '')) return { granted: true, grants: list(from, 'grants', '', MAX_COUNTERS, decodeGrant) };
  return {
    granted: false,
    reason: oneOf(from, 'reason', '', REASONS),
    counter: decodeCounterName(fields(from['counter'], 'counter'), 'counter'),
    need: amount(from, 'need', ''),
    limit: amount(from, 'limit', ''),
    left: signedAmount(from, 'left', ''),
    resetMs: countOrNull(from, 'resetMs', ''),
  };
};

export const encodeGiveBack = ({ instance, seq, returns }: GiveBackRequest): string =>
  JSON.stringify({ instance, seq, returns: returns.map((entry) => ({ ...entry, amount: String(entry.amount) })) });

export const decodeGiveBack = (body: string): GiveBackRequest => {
  const from = fields(parseNames(body), '');
  return {
    instance: shortName(from, 'instance', ''),
    seq: count(from, 'seq', ''),
    returns: list(from, 'returns', '', MAX_RETURNS, (value, path) => {
      const entry = fields(value, path);
      return {
        ...decodeCounterName(entry, path),
        leaseId: text(entry, 'leaseId', path),
        windowId: text(entry, 'windowId', path),
        epoch: text(entry, 'epoch', path),
        amount: amount(entry, 'amount', path),
      };
    }),
  };
};

const decodeNeed = (value: unknown, path: string): Need => {
  const from = fields(value, path);
  const need = amount(from, 'need', path);
  const prefer = amount(from, 'prefer', path);
  if (prefer < need) throw new WireFault(at(path, 'prefer'), 'at least the need');
  return { ...decodeCounterName(from, path), need, prefer };
};

const decodeGrant = (value: unknown, path: string): Grant => {
  const from = fields(value, path);
  return {
    ...decodeCounterName(from, path),
    leaseId: text(from, 'leaseId', path),
    epoch: text(from, 'epoch', path),
    window: decodeWindow(from['window'], at(path, 'window')),
    remainingMs: countOrNull(from, 'remainingMs', path),
    amount: amount(from, 'amount', path),
    left: signedAmount(from, 'left', path),
  };
};
