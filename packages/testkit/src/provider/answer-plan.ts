/** Decides what answers a request: status, headers, frames and the true usage. Writes nothing. */
import type { IncomingHttpHeaders } from 'node:http';
import { isFault } from './ask.ts';
import type { Ask } from './ask.ts';
import { BehaviourFault, headerPairs, readBehaviour, splitModel } from './behaviour.ts';
import type { Behaviour } from './behaviour.ts';
import { answerFrames, streamFrames } from './body-frames.ts';
import type { Frame } from './body-frames.ts';
import { openAiErrors } from './formats/openai-errors.ts';
import { responseId } from './formats/openai-responses.ts';
import { shownCredential } from './incoming.ts';
import type { Incoming } from './incoming.ts';
import { parseObject, textAt } from './json.ts';
import type { JsonObject } from './json.ts';
import { allInput, allOutput, NO_USAGE } from './mock-usage.ts';
import type { MockUsage } from './mock-usage.ts';
import { answeredName } from './model-names.ts';
import { composeReply } from './reply.ts';
import type { ReplyDeps } from './reply.ts';
import { findRoute } from './routes.ts';
import type { ClientFamily, FreeRoute, MeteredRoute } from './routes.ts';
import type { Script } from './script.ts';
import { FORGED_TEXT } from './wire-format.ts';
import type { ErrorStyle, IncomingCall } from './wire-format.ts';

export interface AnswerPlan {
  readonly behaviour: Behaviour;
  readonly model: string | null;
  readonly stream: boolean;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly frames: Iterable<Frame>;
  /** Of the whole answer; what an abort leaves of it is the log's business. */
  readonly usage: MockUsage;
}

export interface PlanDeps extends ReplyDeps {
  readonly script: Script;
  /** Azure: which model a deployment runs; one that is not named runs the model of its own name. */
  readonly deployments: Readonly<Record<string, string>>;
  /** Tokens of conversations that the provider stores, by response id. */
  readonly conversations: Map<string, number>;
}

const MAX_CONVERSATIONS = 10_000;

export const planAnswer = (incoming: Incoming, headers: IncomingHttpHeaders, deps: PlanDeps): AnswerPlan => {
  const route = findRoute(incoming.method, incoming.path, clientFamily(headers));
  const errors = route?.errors ?? openAiErrors;
  const body = incoming.body.length === 0 ? {} : parseObject(incoming.body.toString());
  const written = route?.model ?? textAt(body, 'model') ?? '';
  const { model: named, pairs } = splitModel(written);
  const model = deps.deployments[named] ?? named;
  try {
    const behaviour: Behaviour = {
      ...deps.script.take({ path: incoming.path, model, body: incoming.body.toString('latin1') }),
      ...readBehaviour(pairs),
      ...readBehaviour(headerPairs(headers)),
    };
    const wrong = scriptedFailure(behaviour, errors, shownCredential(headers, incoming.query));
    if (wrong !== null) return { ...wrong, behaviour, model };
    if (route === null)
      return { ...refuse(errors, 404, `Unknown request URL: ${incoming.method} ${incoming.path}.`), behaviour, model };
    if (body === undefined)
      return { ...refuse(errors, 400, 'We could not parse the JSON body of your request.'), behaviour, model };
    const call: IncomingCall = {
      body,
      model,
      streamFromPath: route.kind === 'metered' && route.stream,
      dialect: route.dialect,
      stored: (id) => deps.conversations.get(id) ?? null,
    };
    return {
      ...(route.kind === 'free' ? answerFree(route, call) : answerMetered(route, call, incoming, behaviour, deps)),
      behaviour,
    };
  } catch (cause) {
    if (!(cause instanceof BehaviourFault)) throw cause;
    return { ...refuse(errors, 400, cause.message), behaviour: {}, model };
  }
};

const clientFamily = (headers: IncomingHttpHeaders): ClientFamily => {
  if (headers['anthropic-version'] !== undefined) return 'anthropic';
  return headers['x-goog-api-key'] !== undefined ? 'google' : 'openai';
};

type Planned = Omit<AnswerPlan, 'behaviour'>;

const answerMetered = (
  route: MeteredRoute,
  call: IncomingCall,
  incoming: Incoming,
  behaviour: Behaviour,
  deps: PlanDeps,
): Planned => {
  const { format } = route;
  if (call.model === '') return refuse(route.errors, 400, 'you must provide a model parameter', 'model');
  const ask = format.readAsk(call);
  if (isFault(ask)) return refuse(route.errors, ask.fault.status, ask.fault.message, ask.fault.param);
  const told = behaviour.forge === true ? { ...behaviour, text: FORGED_TEXT } : behaviour;
  const reply = composeReply(ask, told, deps);
  rememberConversation(deps.conversations, responseId(reply.id), reply.usage);
  const rendering = { ask, reply, behaviour: told, dialect: call.dialect, body: call.body };
  // Gemini streams server-sent events only when asked to, else one JSON array.
  const isArray = route.stream && incoming.query.get('alt') !== 'sse';
  return {
    model: ask.model,
    stream: ask.stream,
    status: 200,
    headers: { ...contentType(ask, isArray), ...usualHeaders(reply.id, behaviour) },
    frames: ask.stream
      ? streamFrames(format, rendering, isArray ? 'json-array' : 'sse')
      : answerFrames(format, rendering),
    usage: reply.usage,
  };
};

const answerFree = (route: FreeRoute, call: IncomingCall): Planned => {
  const answer = route.answer(call, route.model);
  if (answer === null) return refuse(route.errors, 404, `The model '${route.model ?? call.model}' does not exist`);
  return {
    model: call.model,
    stream: false,
    status: 200,
    headers: JSON_TYPE,
    frames: jsonFrames(answer),
    usage: NO_USAGE,
  };
};

const scriptedFailure = (behaviour: Behaviour, errors: ErrorStyle, credential: string): Planned | null => {
  const later = behaviour.retryAfter === undefined ? {} : { 'retry-after': behaviour.retryAfter };
  const common = { model: null, stream: false, usage: NO_USAGE };
  if (behaviour.redirect !== undefined)
    return { ...common, status: 302, headers: { location: behaviour.redirect }, frames: [] };
  if (behaviour.echoAuthorization === true)
    return refuse(errors, behaviour.status ?? 401, `Incorrect API key provided: ${credential}.`);
  if (behaviour.status === undefined) return null;
  const message = `The simulator was told to answer ${behaviour.status}.`;
  const frames =
    behaviour.errorBody === undefined
      ? jsonFrames(errors.body(behaviour.status, message, behaviour.errorType, null))
      : [{ bytes: Buffer.from(behaviour.errorBody), tokens: 0 }];
  return { ...common, status: behaviour.status, headers: { ...JSON_TYPE, ...later }, frames };
};

const refuse = (errors: ErrorStyle, status: number, message: string, param: string | null = null): Planned => ({
  model: null,
  stream: false,
  status,
  headers: JSON_TYPE,
  frames: jsonFrames(errors.body(status, message, undefined, param)),
  usage: NO_USAGE,
});

const JSON_TYPE = { 'content-type': 'application/json' };

const contentType = (ask: Ask, isArray: boolean): Readonly<Record<string, string>> =>
  ask.stream && !isArray
    ? { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' }
    : JSON_TYPE;

const usualHeaders = (id: string, behaviour: Behaviour): Readonly<Record<string, string | readonly string[]>> => ({
  'x-request-id': `req_${id.slice(0, 32)}`,
  'request-id': `req_${id.slice(0, 32)}`,
  ...(behaviour.setCookie === true
    ? { 'set-cookie': ['__cf_bm=simulated; path=/; HttpOnly; Secure', 'session=simulated'] }
    : {}),
});

const jsonFrames = (body: JsonObject): Frame[] => [{ bytes: Buffer.from(JSON.stringify(body, null, 2)), tokens: 0 }];

const rememberConversation = (conversations: Map<string, number>, id: string, usage: MockUsage): void => {
  conversations.set(id, allInput(usage) + allOutput(usage) - usage.reasoning);
  if (conversations.size > MAX_CONVERSATIONS)
    for (const oldest of conversations.keys()) return void conversations.delete(oldest);
};

/** What a log line calls the model that answered. */
export const answeredModel = (plan: AnswerPlan): string | null =>
  plan.model === null ? null : answeredName(plan.model);
