/** What gateways and servers say to each other of callers' tokens, as JSON. */
import { CALLER_FAULTS, type CallerName, type CallerReview } from '../session.ts';
import { at, count, fields, flag, oneOf, parseJson, parseNames, shortName, text, type Fields } from './fields.ts';
import { WireFault } from './wire-fault.ts';

/** Larger than any token of Kubernetes. */
const MAX_TOKEN = 8_192;

export const encodeCallerQuestion = (token: string): string => JSON.stringify({ token });

/** The token. */
export const decodeCallerQuestion = (body: string): string => {
  const { token } = fields(parseNames(body), '');
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token) || token.length > MAX_TOKEN)
    throw new WireFault('token', 'a token');
  return token;
};

export const encodeCallerReview = (review: CallerReview): string => JSON.stringify(review);

export const decodeCallerReview = (body: string): CallerReview => {
  const from = fields(parseJson(body), '');
  if (!flag(from, 'accepted', '')) return { accepted: false, fault: oneOf(from, 'fault', '', CALLER_FAULTS) };
  return {
    accepted: true,
    caller: decodeName(from['caller'], 'caller'),
    validMs: count(from, 'validMs', ''),
    unaskedMs: count(from, 'unaskedMs', ''),
  };
};

/** For the query of a snapshot stream. */
export const encodeCallerName = ({ namespace, serviceAccount, pod }: CallerName): string =>
  JSON.stringify([namespace, serviceAccount, ...(pod === null ? [] : [pod.name, pod.uid])]);

export const decodeCallerName = (query: string): CallerName => {
  const parts = parseNames(query);
  if (!Array.isArray(parts) || (parts.length !== 2 && parts.length !== 4)) throw new WireFault('caller', 'a name');
  const [namespace, serviceAccount, name, uid] = parts as readonly unknown[];
  return decodeName({ namespace, serviceAccount, pod: parts.length === 4 ? { name, uid } : null }, 'caller');
};

const decodeName = (value: unknown, path: string): CallerName => {
  const from = fields(value, path);
  return {
    namespace: shortName(from, 'namespace', path),
    serviceAccount: longName(from, 'serviceAccount', path),
    pod: from['pod'] === null ? null : decodePod(from['pod'], at(path, 'pod')),
  };
};

const decodePod = (value: unknown, path: string): CallerName['pod'] => {
  const from = fields(value, path);
  return { name: longName(from, 'name', path), uid: shortName(from, 'uid', path) };
};

/** Names of accounts and pods have up to 253 characters. */
const longName = (from: Fields, key: string, path: string): string => {
  const name = text(from, key, path);
  if (name === '' || name.length > 253) throw new WireFault(at(path, key), 'a name');
  return name;
};
