/** What the callers of an inference service saw of it, over all routes that lead to it. Pure. */
import type { LLMInferenceServiceStatus } from '@tollgate/api';
import type { RouteView } from '../../programming/server-views.ts';
import { latencyText } from '../model-route/backend-states.ts';
import { displayUsd } from '@tollgate/metering';

export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
}

/** Seconds that the server's figures are of. */
const SPAN_SECONDS = 300;

export const trafficOf = (
  { namespace, name }: ServiceName,
  routes: readonly RouteView[],
): Pick<LLMInferenceServiceStatus, 'tokensPerSecond' | 'ttftP95' | 'cost'> => {
  const figures = routes
    .filter(({ metadata }) => metadata.namespace === namespace)
    .flatMap(({ resource, backends = [] }) => {
      const ours = backends.filter((backend) =>
        resource.spec.rules.some(
          (rule) =>
            rule.name === backend.rule &&
            rule.backends.some(
              (each) => each.name === backend.name && each.inferenceServiceRef?.name === name && isOurs(each),
            ),
        ),
      );
      // Namesakes of several rules are told together, each with the figures of all.
      return [...new Map(ours.map((backend) => [backend.name, backend])).values()];
    });
  const tokens = known(figures.map(({ outputTokens }) => outputTokens));
  const charged = known(figures.map(({ charged: amount }) => amount));
  const firstTokens = known(figures.map(({ firstByteP95Ms }) => firstByteP95Ms));
  return {
    ...(tokens.length === 0 ? {} : { tokensPerSecond: (sum(tokens) / SPAN_SECONDS).toFixed(1) }),
    // Of several routes the slowest: a percentile of percentiles means nothing.
    ...(firstTokens.length === 0 ? {} : { ttftP95: latencyText(Math.max(...firstTokens)) }),
    ...(charged.length === 0 ? {} : { cost: `$${displayUsd(charged.reduce((total, amount) => total + amount, 0n))}` }),
  };
};

type Backend = RouteView['resource']['spec']['rules'][number]['backends'][number];

const isOurs = ({ inferenceServiceRef }: Backend): boolean => inferenceServiceRef?.group !== 'serving.kserve.io';

const known = <T>(values: readonly (T | null | undefined)[]): readonly T[] => values.filter((value) => value != null);

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
