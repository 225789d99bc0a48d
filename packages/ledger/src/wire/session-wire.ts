/** Hello, close and the error body as JSON. */
import { LEDGER_CONTRACT, type CloseRequest, type HelloReply, type HelloRequest } from '../session.ts';
import { decodeSubject } from './counter-wire.ts';
import { ContractMismatch } from './contract-mismatch.ts';
import { count, fields, parseJson, parseNames, shortName, text } from './fields.ts';
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
  };
};

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
