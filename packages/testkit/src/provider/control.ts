/** `/__mock/…`: the log, the bill and the script of a simulator that runs as a process of its own. */
import type { BilledCall } from './bill.ts';
import { toLogLine, totalBilled } from './bill.ts';
import { BehaviourFault, readBehaviour } from './behaviour.ts';
import type { Gate } from './gate.ts';
import type { Incoming } from './incoming.ts';
import { countAt, objectAt, parseObject, textAt } from './json.ts';
import type { JsonObject } from './json.ts';
import type { Script, ScriptRule } from './script.ts';

export interface ControlDeps {
  readonly log: readonly BilledCall[];
  readonly script: Script;
  readonly gate: Gate;
}

export interface ControlAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/**
 * `GET /__mock/log` (JSON lines) · `GET /__mock/bill` · `POST /__mock/script` with `{match?, times?, behaviour: {"status": 500}}`,
 * the behaviour's keys being those of the headers · `DELETE /__mock/script` · `POST /__mock/hold` · `POST /__mock/release`.
 */
export const answerControl = (incoming: Incoming, { log, script, gate }: ControlDeps): ControlAnswer => {
  switch (`${incoming.method} ${incoming.path}`) {
    case 'GET /__mock/log':
      return { status: 200, type: 'application/x-ndjson', body: log.map((call) => `${toLogLine(call)}\n`).join('') };
    case 'GET /__mock/bill':
      return json(200, {
        calls: log.length,
        billedNano: totalBilled(log).toString(),
        unpriced: log.filter(isUnpriced).length,
      });
    case 'POST /__mock/script':
      return addRule(incoming, script);
    case 'DELETE /__mock/script':
      script.clear();
      return json(200, { cleared: true });
    case 'POST /__mock/hold':
      gate.hold();
      return json(200, { holding: true });
    case 'POST /__mock/release':
      gate.release();
      return json(200, { holding: false });
    default:
      return json(404, { error: `the simulator has no ${incoming.method} ${incoming.path}` });
  }
};

const addRule = (incoming: Incoming, script: Script): ControlAnswer => {
  const body = parseObject(incoming.body.toString());
  if (body === undefined) return json(400, { error: 'a rule is a JSON object' });
  try {
    script.add(readRule(body));
    return json(200, { added: true });
  } catch (cause) {
    if (!(cause instanceof BehaviourFault)) throw cause;
    return json(400, { error: cause.message });
  }
};

const readRule = (body: JsonObject): ScriptRule => {
  const match = objectAt(body, 'match');
  const given = (key: string): JsonObject => (textAt(match, key) === null ? {} : { [key]: textAt(match, key) });
  const times = countAt(body, 'times');
  const pairs = Object.entries(objectAt(body, 'behaviour')).map(([key, value]): [string, string] => [
    key,
    String(value),
  ]);
  return {
    match: { ...given('path'), ...given('model'), ...given('body') },
    ...(times === null ? {} : { times }),
    behaviour: readBehaviour(pairs),
  };
};

const isUnpriced = (call: BilledCall): boolean =>
  call.model !== null && call.status === 200 && call.billedNano === undefined;

const json = (status: number, body: JsonObject): ControlAnswer => ({
  status,
  type: 'application/json',
  body: `${JSON.stringify(body)}\n`,
});
