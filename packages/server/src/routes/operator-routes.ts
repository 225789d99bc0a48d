import express, { Router, type Request, type Response } from 'express';
import { parseJson } from '@tollgate/ledger/wire';
import type { OperatorDocumentName, Store } from '@tollgate/store';
import { callerOf } from '../asking.ts';
import type { ConnectedProxies } from '../connected/connected-proxies.ts';
import { podFindings } from '../connected/pod-findings.ts';
import { forOperator } from '../guard.ts';
import { RequestRefused } from '../http-refusal.ts';
import type { ToldByOperator } from '../operator/told-by-operator.ts';
import { bodyText } from './body-text.ts';
import { toJson } from './json-text.ts';
import { sendIfNews } from './send-if-news.ts';

/**
 * What the operator tells: the resources that hold, and the pods that carry the proxy. Each is told whole, and may be told
 * again at any time: the same content is no change. With a fault anywhere in it, nothing of it is taken. And what it asks
 * about those pods, for whoever looks after them.
 */
export interface OperatorRoutesDeps {
  readonly told: Pick<ToldByOperator, 'tell' | 'version'>;
  readonly connected: Pick<ConnectedProxies, 'all'>;
  readonly store: Pick<Store, 'silentPods'>;
}

/** 10,000 budgets, or 30,000 pods. */
const MOST_BYTES = 16 << 20;
/** More than anybody mends at once. */
const MOST_FAULTS = 100;

export const operatorRoutes = ({ told, connected, store }: OperatorRoutesDeps): Router => {
  const router = Router();
  const body = express.raw({ type: 'application/json', limit: MOST_BYTES, inflate: false });

  const tell = async (name: OperatorDocumentName, request: Request): Promise<string> => {
    const answer = await told.tell(name, parseJson(bodyText(request)), callerOf(request).name);
    if (answer.ok) return answer.version;
    const { faults } = answer;
    const [first] = faults;
    const more = faults.length > 1 ? `, and ${String(faults.length - 1)} more` : '';
    throw new RequestRefused(
      422,
      `invalid_${name}`,
      `nothing of it was taken: ${first?.path ?? ''}: ${first?.message ?? ''}${more}`,
      { faults: faults.slice(0, MOST_FAULTS) },
    );
  };
  const versionOf = (name: OperatorDocumentName) => (_request: Request, response: Response) => {
    response.json({ version: told.version(name) });
  };

  router.put('/resources', forOperator, body, async (request, response) => {
    response.json({ version: await tell('resources', request) });
  });
  router.get('/resources', forOperator, versionOf('resources'));

  router.put('/pods', forOperator, body, async (request, response) => {
    await tell('pods', request);
    response.status(204).end();
  });
  router.get('/pods', forOperator, versionOf('pods'));
  router.get('/pods/findings', forOperator, async (request, response) => {
    const text = toJson({ pods: await podFindings(await connected.all(), store) });
    sendIfNews(request, response, { text, essence: text });
  });

  return router;
};
