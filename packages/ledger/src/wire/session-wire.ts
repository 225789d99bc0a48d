/** Hello, close and the error body as JSON. */
import {
  DEGRADED_REASONS,
  LEDGER_CONTRACT,
  type CloseRequest,
  type DegradedReason,
  type DirectConnections,
  type FollowedPolicy,
  type HelloReply,
  type HelloRequest,
  type RunningRequest,
} from '../session.ts';
import { decodeCallerName, encodeCallerName } from './caller-wire.ts';
import { decodeSubject } from './counter-wire.ts';
import { ContractMismatch } from './contract-mismatch.ts';
import { count, fields, list, parseJson, parseNames, shortName, text, type Fields } from './fields.ts';
import { WireFault } from './wire-fault.ts';

export const encodeHello = (hello: HelloRequest): string => JSON.stringify(hello);

export const decodeHello = (body: string): HelloRequest => {
  const from = fields(parseNames(body), '');
  const contract = count(from, 'contract', '');
  // Before anything else is looked at: another contract may say the rest in other words.
  if (contract !== LEDGER_CONTRACT) throw new ContractMismatch(contract, LEDGER_CONTRACT, from['version']);
  return {
    contract: LEDGER_CONTRACT,
    instance: shortName(from, 'instance', ''),
    version: shortName(from, 'version', ''),
    ...(from['library'] === undefined ? {} : { library: shortName(from, 'library', '') }),
    subject: decodeSubject(from['subject'], 'subject'),
    ...(from['degraded'] === undefined ? {} : { degraded: decodeDegraded(from) }),
    ...(from['snapshot'] === undefined ? {} : { snapshot: shortName(from, 'snapshot', '') }),
    ...(from['direct'] === undefined ? {} : { direct: decodeDirect(from) }),
  };
};

const decodeDirect = (from: Fields): readonly DirectConnections[] =>
  list(from, 'direct', '', MOST_HOSTS, (value, path) => {
    const entry = fields(value, path);
    return { host: shortName(entry, 'host', path), count: count(entry, 'count', path) };
  });

const MOST_HOSTS = 64;

/** Reasons that a later version may know are left out. */
const decodeDegraded = (from: Fields): readonly DegradedReason[] => {
  const said = list(from, 'degraded', '', MOST_REASONS, (reason) => reason);
  return DEGRADED_REASONS.filter((reason) => said.includes(reason));
};

const MOST_REASONS = 32;

export const encodeHelloReply = (reply: HelloReply): string => JSON.stringify(reply);

export const decodeHelloReply = (body: string): HelloReply => {
  const from = fields(parseJson(body), '');
  return {
    organisation: text(from, 'organisation', ''),
    epoch: text(from, 'epoch', ''),
    subject: decodeSubject(from['subject'], 'subject'),
    liveProxies: count(from, 'liveProxies', ''),
    ledgerTimeMs: count(from, 'ledgerTimeMs', ''),
  };
};

export const encodeRunning = ({ callers, ...request }: RunningRequest): string =>
  JSON.stringify({ ...request, ...(callers === undefined ? {} : { callers: callers.map(encodeFollowed) }) });

/** Named as in the query of its stream. */
const encodeFollowed = ({ caller, snapshot }: FollowedPolicy): object => ({
  caller: encodeCallerName(caller),
  snapshot,
});

export const decodeRunning = (body: string): RunningRequest => {
  const from = fields(parseNames(body), '');
  return {
    instance: shortName(from, 'instance', ''),
    snapshot: shortName(from, 'snapshot', ''),
    ...(from['direct'] === undefined ? {} : { direct: decodeDirect(from) }),
    ...(from['callers'] === undefined ? {} : { callers: decodeFollowed(from) }),
  };
};

const decodeFollowed = (from: Fields): readonly FollowedPolicy[] =>
  list(from, 'callers', '', MOST_CALLERS, (value, path) => {
    const entry = fields(value, path);
    return { caller: decodeCallerName(text(entry, 'caller', path)), snapshot: shortName(entry, 'snapshot', path) };
  });

/** More than a gateway follows at once. */
const MOST_CALLERS = 10_000;

export const encodeClose = (request: CloseRequest): string => JSON.stringify(request);

export const decodeClose = (body: string): CloseRequest => {
  const from = fields(parseNames(body), '');
  return {
    instance: shortName(from, 'instance', ''),
    epoch: text(from, 'epoch', ''),
    lastSeq: count(from, 'lastSeq', ''),
  };
};

export interface ErrorBody {
  readonly code: string;
  readonly message: string;
}

/** The body of any status ≥ 400. A proxy between may have written it, so anything at all is taken. */
export const readErrorBody = (body: string): ErrorBody => {
  try {
    const error = fields(fields(parseJson(body), '')['error'], 'error');
    return { code: text(error, 'code', 'error'), message: text(error, 'message', 'error') };
  } catch (fault) {
    if (fault instanceof WireFault) return { code: 'unreadable', message: 'the answer carried no error of the ledger' };
    throw fault;
  }
};
