import express, { Router, type Request } from 'express';
import { z } from 'zod';
import { parseNames } from '@tollgate/ledger/wire';
import type { Pool } from '@tollgate/ledger/pool';
import type { Logger } from '@tollgate/runtime';
import type { Store } from '@tollgate/store';
import { callerOf } from '../asking.ts';
import type { ConnectedProxies } from '../connected/connected-proxies.ts';
import { forAdmin } from '../guard.ts';
import { RequestRefused } from '../http-refusal.ts';
import { bodyText } from './body-text.ts';
import { toJson } from './json-text.ts';

/**
 * What only those do who look after the installation: give back what is unresolved, and give up on a proxy that is gone
 * with its spool. Each leaves a line in the log, with who did it and why, and the same words in the database.
 */
export interface AdminRoutesDeps {
  readonly store: Pick<
    Store,
    'listUnresolved' | 'releaseUnresolved' | 'listInstances' | 'abandonInstance' | 'sealEpoch'
  >;
  readonly pool: Pick<Pool, 'epoch' | 'moveOn'>;
  readonly connected: Pick<ConnectedProxies, 'all'>;
  readonly logger: Logger;
  readonly clock: () => number;
}

const NoQuery = z.strictObject({});
const AbandonQuery = z.strictObject({ force: z.enum(['true', 'false']).default('false') });
const Id = z.string().min(1).max(512);
const Why = z.strictObject({ reason: z.string().trim().min(1).max(500) });

export const adminRoutes = ({ store, pool, connected, logger, clock }: AdminRoutesDeps): Router => {
  const router = Router();
  const text = express.text({ type: 'application/json', limit: '16kb', inflate: false });

  router.get('/unresolved', forAdmin, async (request, response) => {
    NoQuery.parse(request.query);
    response.type('json').send(toJson({ unresolved: await store.listUnresolved() }));
  });

  router.post('/unresolved/:id/release', forAdmin, text, async (request, response) => {
    const { reason } = whyOf(request);
    const by = callerOf(request).name;
    const id = Id.parse(request.params['id']);
    const released = await store.releaseUnresolved({ id, by, reason }, clock());
    if (released === null) throw new RequestRefused(404, 'unknown_unresolved', 'nothing is unresolved by this id');
    logger.info({ name: by, resource: id, amount: released, reason }, 'unresolved amount released');
    response.type('json').send(toJson({ released }));
  });

  router.get('/instances', forAdmin, async (request, response) => {
    NoQuery.parse(request.query);
    response.type('json').send(toJson({ instances: await store.listInstances() }));
  });

  router.post('/instances/:instance/abandon', forAdmin, text, async (request, response) => {
    const { reason } = whyOf(request);
    const by = callerOf(request).name;
    const instance = Id.parse(request.params['instance']);
    const isForced = AbandonQuery.parse(request.query).force === 'true';
    if (!isForced && (await connected.all()).some((proxy) => proxy.instance === instance)) {
      throw new RequestRefused(409, 'instance_connected', STILL_HERE);
    }
    const epochs = await store.abandonInstance({ instance, by, reason }, clock());
    if (epochs === null) throw new RequestRefused(404, 'unknown_instance', 'this instance never said hello');
    logger.info({ name: by, instance, reason }, 'instance abandoned');
    // What it took of the running epoch is named once everyone is out of that, which would else be at the pool's end.
    const running = pool.epoch();
    if (epochs.includes(running)) {
      await pool.moveOn();
      await store.sealEpoch(running, clock());
    }
    response.status(204).end();
  });

  return router;
};

const STILL_HERE =
  'this instance is connected, or was within the last half minute: it would only greet again, and what it holds would ' +
  'stay charged as unresolved; with ?force=true it is given up all the same';

const whyOf = (request: Request): z.output<typeof Why> => Why.parse(parseNames(bodyText(request)));
