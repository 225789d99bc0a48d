/** Label selectors, as Kubernetes writes them. */
import { z } from 'zod';
import { listAtomic, withKubernetes, withPattern, withRule } from './kubernetes-schema.ts';

const MAX_LABELS = 16;
/** As the API server takes labels (Kubernetes, "Labels and Selectors"): one that is written otherwise is on no pod. */
const KEY = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

const labelKey = () =>
  z.string().max(317).regex(KEY, { error: 'must be the name of a label, such as app or example.com/tier' });
const labelValue = () =>
  withPattern(z.string().max(63), {
    pattern: VALUE,
    message: 'must be the value of a label: letters, digits, "-", "_" and "."',
  });

const labelMap = () =>
  withKubernetes(
    z
      .record(labelKey(), labelValue())
      .refine((labels) => Object.keys(labels).length <= MAX_LABELS, { error: `must have at most ${MAX_LABELS} labels` })
      .describe('Labels that must be there with exactly these values.'),
    { maxProperties: MAX_LABELS },
  );

const labelExpression = () =>
  withRule(
    z.strictObject({
      key: z.string().min(1).max(317).describe('The label that the expression is about.'),
      operator: z
        .enum(['In', 'NotIn', 'Exists', 'DoesNotExist'])
        .describe('In and NotIn compare with values; Exists and DoesNotExist ask only whether the label is there.'),
      values: listAtomic(
        z.array(z.string().max(63)).max(32).describe('What In and NotIn compare with; empty for the others.'),
      ).optional(),
    }),
    {
      cel: "self.operator in ['In', 'NotIn'] ? has(self.values) && size(self.values) > 0 : !has(self.values) || size(self.values) == 0",
      message: 'In and NotIn need values, Exists and DoesNotExist take none',
      reads: ['operator', 'values'],
      holds: ({ operator, values = [] }) =>
        operator === 'In' || operator === 'NotIn' ? values.length > 0 : values.length === 0,
    },
  );

/** Labels by value only. */
export const labelMatch = (description: string) =>
  withKubernetes(z.strictObject({ matchLabels: labelMap().optional() }).describe(description), { mapType: 'atomic' });

/** Labels by value and by expression. */
export const labelSelector = (description: string) =>
  withKubernetes(
    z
      .strictObject({
        matchLabels: labelMap().optional(),
        matchExpressions: listAtomic(
          z.array(labelExpression()).max(16).describe('Expressions that must all hold.'),
        ).optional(),
      })
      .describe(description),
    { mapType: 'atomic' },
  );
