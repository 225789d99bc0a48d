import type { ModelRoute } from '@tollgate/api';
import type { BackendTraffic } from '@tollgate/store';

/** A route with how its backends fared of late, as the proxies saw them. */
export interface RouteView {
  readonly metadata: Pick<ModelRoute['metadata'], 'namespace' | 'name'>;
  readonly resource: ModelRoute;
  readonly backends: readonly BackendView[];
}

export interface BackendView {
  readonly rule: string;
  readonly name: string;
  readonly requests: number;
  readonly errors: number;
  /** Null: nothing was answered without an error. */
  readonly latencyP95Ms: number | null;
  /** To the first byte of a stream; null: none came. */
  readonly firstByteP95Ms: number | null;
  readonly outputTokens: number;
  /** Nano-USD. */
  readonly charged: bigint;
  /** In words; null: none. */
  readonly lastError: string | null;
  /** ISO 8601. */
  readonly lastErrorAt: string | null;
}

/** Over how long. */
export const TRAFFIC_MS = 300_000;

export const routeView = (resource: ModelRoute, traffic: readonly BackendTraffic[]): RouteView => {
  const { namespace, name } = resource.metadata;
  const own = new Map(
    traffic.filter(({ route }) => route === `${namespace}/${name}`).map((row) => [row.backend, row] as const),
  );
  return {
    metadata: { namespace, name },
    resource,
    backends: resource.spec.rules.flatMap((rule) =>
      rule.backends.map((backend) => backendView(rule.name, backend.name, own.get(backend.name))),
    ),
  };
};

const backendView = (rule: string, name: string, row: BackendTraffic | undefined): BackendView => ({
  rule,
  name,
  requests: row?.requests ?? 0,
  errors: row?.errors ?? 0,
  latencyP95Ms: row?.latencyP95Ms ?? null,
  firstByteP95Ms: row?.firstByteP95Ms ?? null,
  outputTokens: row?.outputTokens ?? 0,
  charged: row?.charged ?? 0n,
  lastError: row === undefined || row.lastErrorAt === null ? null : errorText(row.lastErrorStatus),
  lastErrorAt: row === undefined || row.lastErrorAt === null ? null : new Date(row.lastErrorAt).toISOString(),
});

const errorText = (status: number | null): string =>
  status === null ? 'did not answer' : `answered ${String(status)}${MEANINGS[status] ?? ''}`;

const MEANINGS: Readonly<Record<number, string>> = {
  401: ': the key was not taken',
  403: ': the key may not do this',
  429: ': too many requests',
};
