/**
 * What the operator has to say to the server, and to ask of it. Throws {@link ServerFault}; nothing is retried
 * here. The token is read anew each time, since the kubelet rotates it.
 */
import { z } from 'zod';
import type { LLMInferenceService, ModelRoute, TokenBudget } from '@tollgate/api';
import { ServerFault } from './server-fault.ts';
import {
  BudgetsAnswerSchema,
  PodFindingsAnswerSchema,
  RoutesAnswerSchema,
  type BudgetsAnswer,
  type PodFindingsAnswer,
  type RoutesAnswer,
} from './server-views.ts';

export interface ServerClient {
  /** The whole set; the answer is its version. */
  putResources(resources: ServerResources): Promise<string>;
  /** The version that it has in force; null: none was ever put. */
  resourcesVersion(): Promise<string | null>;
  putPods(pods: readonly PodEntry[]): Promise<void>;
  podsVersion(): Promise<string | null>;
  /** The very same answer as before where nothing but the time has changed. */
  budgets(): Promise<BudgetsAnswer>;
  routes(): Promise<RoutesAnswer>;
  podFindings(): Promise<PodFindingsAnswer>;
}

export interface ServerResources {
  readonly budgets: readonly TokenBudget[];
  readonly routes: readonly ModelRoute[];
  readonly inferenceServices: readonly LLMInferenceService[];
  readonly namespaces: Readonly<Record<string, { readonly labels: Readonly<Record<string, string>> }>>;
}

/** A pod that carries the proxy as injected: who it is, in the words of a subject. */
export interface PodEntry {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly workload: string;
  readonly workloadKind: string;
  readonly serviceAccount: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly team: string;
  readonly configHash: string;
}

export interface ServerClientDeps {
  readonly url: string;
  readonly token: () => string;
  /** Milliseconds for one question. */
  readonly timeoutMs: number;
  readonly fetch: typeof globalThis.fetch;
}

interface Question {
  readonly method: 'GET' | 'PUT';
  readonly path: string;
  readonly body?: object;
  /** The tag of the answer that we have: null is answered where it is still that one. */
  readonly known?: string;
}

interface Answer {
  readonly text: string;
  readonly tag: string | null;
}

const VersionSchema = z.object({ version: z.string().min(1) });
const VersionInForceSchema = z.object({ version: z.string().min(1).nullable() });
const FaultsSchema = z.array(z.object({ path: z.string(), message: z.string() })).catch([]);
const RefusalSchema = z.object({
  error: z.object({ code: z.string(), message: z.string(), faults: FaultsSchema.optional() }),
});

export const makeServerClient = ({ url, token, timeoutMs, fetch }: ServerClientDeps): ServerClient => {
  const answerTo = async ({ method, path, body, known }: Question): Promise<Answer | null> => {
    let response: Response;
    let text: string;
    try {
      response = await fetch(url + path, {
        method,
        headers: {
          authorization: `Bearer ${token()}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(known === undefined ? {} : { 'if-none-match': known }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        redirect: 'manual',
        signal: AbortSignal.timeout(timeoutMs),
      });
      text = await response.text();
    } catch (cause) {
      throw new ServerFault(null, 'unreachable', `the server at ${url} does not answer`, { cause });
    }
    if (response.status === 304 && known !== undefined) return null;
    if (!response.ok) throw refusalOf(`${method} ${path}`, response.status, text);
    return { text, tag: response.headers.get('etag') };
  };
  const ask = async (method: 'GET' | 'PUT', path: string, body?: object): Promise<string> => {
    const answer = await answerTo({ method, path, ...(body === undefined ? {} : { body }) });
    return answer?.text ?? '';
  };
  /** What is asked again and again is sent and read again only where it is another by then. */
  const followed = <S extends z.ZodType>(schema: S, path: string): (() => Promise<z.output<S>>) => {
    let last: { readonly tag: string; readonly content: z.output<S> } | null = null;
    return async () => {
      const answer = await answerTo({ method: 'GET', path, ...(last === null ? {} : { known: last.tag }) });
      if (answer === null && last !== null) return last.content;
      const content = parsed(schema, answer?.text ?? '');
      last = typeof answer?.tag === 'string' ? { tag: answer.tag, content } : null;
      return content;
    };
  };
  return {
    putResources: async (resources) => parsed(VersionSchema, await ask('PUT', '/v1/resources', resources)).version,
    resourcesVersion: async () => parsed(VersionInForceSchema, await ask('GET', '/v1/resources')).version,
    podsVersion: async () => parsed(VersionInForceSchema, await ask('GET', '/v1/pods')).version,
    putPods: async (pods) => void (await ask('PUT', '/v1/pods', { pods })),
    budgets: followed(BudgetsAnswerSchema, '/v1/budgets'),
    routes: followed(RoutesAnswerSchema, '/v1/routes'),
    podFindings: followed(PodFindingsAnswerSchema, '/v1/pods/findings'),
  };
};

const refusalOf = (question: string, status: number, text: string): ServerFault => {
  const refusal = RefusalSchema.safeParse(jsonOf(text));
  if (refusal.success) {
    const { code, message, faults = [] } = refusal.data.error;
    return new ServerFault(status, code, message, { faults });
  }
  return new ServerFault(status, 'unexpected', `the server answered ${status} to ${question}`);
};

/** Another program, or another version of ours, may answer under this address. */
const parsed = <S extends z.ZodType>(schema: S, text: string): z.output<S> => {
  const result = schema.safeParse(jsonOf(text));
  if (result.success) return result.data;
  const where = result.error.issues.slice(0, 3).map(({ path }) => path.map(String).join('.'));
  throw new ServerFault(200, 'unexpected', `the server's answer cannot be read at: ${where.join(', ') || 'the top'}`);
};

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
