/** The port to the API server, made of plain HTTP. */
import type { IncomingMessage } from 'node:http';
import type { Timers } from '@tollgate/runtime';
import { readText } from './answer-body.ts';
import type { CallOptions, KubeApi, KubeList } from './kube-api.ts';
import { connectionFault, makeDeadline, type KubeConnection, type KubeRequest } from './kube-connection.ts';
import { faultOfAnswer, isNotFound, KubeFault } from './kube-fault.ts';
import { apiVersionOf, keyOf, nameOf, type KubeKind, type KubeObject } from './kube-object.ts';
import {
  applySearch,
  groupPath,
  kindPath,
  listHeaders,
  listSearch,
  objectHeaders,
  objectPath,
  writeSearch,
} from './kube-path.ts';
import type { KubeMetrics } from './metrics.ts';
import { watchEvents } from './watch-events.ts';

export interface KubeClientOptions {
  readonly connection: KubeConnection;
  readonly timers: Timers;
  readonly metrics: Pick<KubeMetrics, 'add'>;
}

type Call = Omit<KubeRequest, 'signal' | 'body'> & { readonly body?: unknown };

const TIMEOUT_MS = 30_000;
const JSON_BODY = { 'content-type': 'application/json' };
/** JSON is YAML. */
const APPLY_BODY = { 'content-type': 'application/apply-patch+yaml' };

export const makeKubeClient = ({ connection, timers, metrics }: KubeClientOptions): KubeApi => {
  /** The head of a good answer; anything else is a fault. */
  const answer = async (request: KubeRequest): Promise<IncomingMessage> => {
    let code = 0;
    try {
      const head = await connection.send(request);
      code = head.statusCode ?? 0;
      if (code >= 200 && code < 300) return head;
      throw faultOfAnswer(request.what, code, await readText(head), head.headers['retry-after']);
    } finally {
      metrics.add('rest_client_requests_total', { code: `${code}`, method: request.method });
    }
  };

  /** One call with its body, within its deadline. The server answers with the kind that it was asked for. */
  const call = async <T>({ body, ...request }: Call, { signal: outer, timeoutMs = TIMEOUT_MS }: CallOptions) => {
    const { signal, end } = makeDeadline(request.what, timeoutMs, timers, outer);
    try {
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      const text = await readText(await answer({ ...request, ...sent, signal }));
      return parseAnswer(request.what, text) as T;
    } catch (error) {
      throw connectionFault(request.what, error, signal);
    } finally {
      end();
    }
  };

  return {
    get: async <T extends KubeObject>(...[kind, name, options = {}]: Parameters<KubeApi['get']>) => {
      try {
        const what = `get ${kind.kind} ${keyOf(name)}`;
        return await call<T>(
          { what, method: 'GET', path: objectPath(kind, name), headers: objectHeaders(options) },
          options,
        );
      } catch (error) {
        if (isNotFound(error)) return null;
        throw error;
      }
    },
    list: async <T extends KubeObject>(...[kind, query, options = {}]: Parameters<KubeApi['list']>) => {
      const what = `list ${kind.kind}`;
      const path = kindPath(kind, query.namespace) + listSearch(query);
      const page = await call<ListAnswer<T>>({ what, method: 'GET', path, headers: listHeaders(query) }, options);
      return toList(what, page);
    },
    watch: (kind, query, signal) => watchEvents({ answer, timers, timeoutMs: TIMEOUT_MS }, kind, query, signal),
    create: (kind, object, options = {}) => {
      const { namespace } = object.metadata;
      const path = kindPath(kind, namespace) + writeSearch(options);
      const what = `create ${kind.kind} ${keyOf(nameOf(object))}`;
      return call({ what, method: 'POST', path, headers: JSON_BODY, body: typed(kind, object) }, options);
    },
    replace: (kind, object, options = {}) => {
      const path = objectPath(kind, nameOf(object)) + writeSearch(options);
      const what = `replace ${kind.kind} ${keyOf(nameOf(object))}`;
      return call({ what, method: 'PUT', path, headers: JSON_BODY, body: typed(kind, object) }, options);
    },
    apply: (kind, object, options) => {
      const path = objectPath(kind, nameOf(object), options.subresource) + applySearch(options);
      const what = `apply ${options.subresource ?? ''}${options.subresource ? ' of ' : ''}${kind.kind} ${keyOf(nameOf(object))}`;
      return call({ what, method: 'PATCH', path, headers: APPLY_BODY, body: typed(kind, object) }, options);
    },
    remove: async (kind, name, options = {}) => {
      const { uid, propagation, dryRun } = options;
      // The server takes all options from the body as soon as there is one: `dryRun` in the query would be ignored.
      const body = {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        ...(uid === undefined ? {} : { preconditions: { uid } }),
        ...(propagation === undefined ? {} : { propagationPolicy: propagation }),
        ...(dryRun === true ? { dryRun: ['All'] } : {}),
      };
      const path = objectPath(kind, name);
      try {
        const what = `remove ${kind.kind} ${keyOf(name)}`;
        await call({ what, method: 'DELETE', path, headers: JSON_BODY, body }, options);
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    },
    serves: async (kind, options = {}) => {
      try {
        const what = `read which kinds ${apiVersionOf(kind)} has`;
        const found = await call<{ readonly resources?: readonly { readonly name: string }[] }>(
          { what, method: 'GET', path: groupPath(kind) },
          options,
        );
        return (found.resources ?? []).some(({ name }) => name === kind.plural);
      } catch (error) {
        if (isNotFound(error)) return false;
        throw error;
      }
    },
  };
};

interface ListAnswer<T> {
  readonly items?: readonly T[] | null;
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
}

const toList = <T extends KubeObject>(what: string, { items, metadata }: ListAnswer<T>): KubeList<T> => {
  const resourceVersion = metadata?.resourceVersion;
  if (resourceVersion === undefined)
    throw new KubeFault({ status: 200, reason: 'NotAList', message: `${what}: the answer has no resource version` });
  const next = metadata?.continue ?? '';
  return { items: items ?? [], resourceVersion, continue: next === '' ? null : next };
};

/** Fields by which the server keeps account are never written back; server-side apply refuses them. */
const typed = (kind: KubeKind, object: KubeObject): unknown => ({
  ...object,
  apiVersion: apiVersionOf(kind),
  kind: kind.kind,
  metadata: { ...object.metadata, managedFields: undefined },
});

const parseAnswer = (what: string, text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new KubeFault({ status: 200, reason: 'NotJson', message: `${what}: the answer is no JSON`, cause });
  }
};
