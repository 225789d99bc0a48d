/** Behaviour told in advance: which calls shall go wrong, and how often. */
import type { Behaviour } from './behaviour.ts';

export interface ScriptRule {
  /** All that are given must hold. `path` and `body` by containing the text, `model` exactly. */
  readonly match?: { readonly path?: string; readonly model?: string; readonly body?: string };
  /** How many matching calls it is for; absent = every one. */
  readonly times?: number;
  readonly behaviour: Behaviour;
}

export interface ScriptedCall {
  readonly path: string;
  readonly model: string | null;
  readonly body: string;
}

export interface Script {
  /** Returns how to withdraw the rule. */
  add(rule: ScriptRule): () => void;
  clear(): void;
  /** The first rule that matches and is not used up; uses it. */
  take(call: ScriptedCall): Behaviour;
}

export const makeScript = (): Script => {
  const rules = new Map<ScriptRule, number>();
  return {
    add(rule) {
      rules.set(rule, rule.times ?? Number.POSITIVE_INFINITY);
      return () => void rules.delete(rule);
    },
    clear: () => rules.clear(),
    take(call) {
      for (const [rule, left] of rules) {
        if (left < 1 || !matches(rule, call)) continue;
        rules.set(rule, left - 1);
        return rule.behaviour;
      }
      return {};
    },
  };
};

const matches = ({ match = {} }: ScriptRule, call: ScriptedCall): boolean =>
  (match.path === undefined || call.path.includes(match.path)) &&
  (match.model === undefined || call.model === match.model) &&
  (match.body === undefined || call.body.includes(match.body));
