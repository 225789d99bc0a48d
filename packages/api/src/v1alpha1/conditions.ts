/** Conditions of a status, in the shape and with the rules of Kubernetes' own `metav1.Condition`. */
import { z } from 'zod';
import { listMap } from './kubernetes-schema.ts';
import { int64 } from './whole-number.ts';

const TYPE =
  /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$/;
const REASON = /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/;

export const ConditionStatusSchema = z.enum(['True', 'False', 'Unknown']);

export const ConditionSchema = z.object({
  type: z.string().max(316).regex(TYPE).describe('What the condition is about, such as Ready.'),
  status: ConditionStatusSchema.describe('Whether it holds.'),
  observedGeneration: int64(0).optional().describe('The generation of the spec that this was said of.'),
  lastTransitionTime: z.iso.datetime({ offset: true }).describe('When the status last changed.'),
  reason: z.string().min(1).max(1024).regex(REASON).describe('Why, as one word for programs.'),
  message: z.string().max(32768).describe('Why, for people.'),
});

export type Condition = z.output<typeof ConditionSchema>;

export const conditions = () =>
  listMap(z.array(ConditionSchema).max(16).describe('What is true of the object now.'), ['type']).optional();

export const observedGeneration = () =>
  int64(0).optional().describe('The generation of the spec that this status speaks of.');
