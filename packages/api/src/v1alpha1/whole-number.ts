/** Whole numbers. Not `z.int()`: that one ends the check of everything around it, and people want every fault at once. */
import { z } from 'zod';
import { withKubernetes } from './kubernetes-schema.ts';

const MAX_INT32 = 2_147_483_647;

export const int32 = (minimum: number, maximum = MAX_INT32) =>
  withKubernetes(whole(minimum, maximum), { format: 'int32' });

/** Up to 2^53 - 1: what JSON numbers hold exactly. */
export const int64 = (minimum: number, maximum = Number.MAX_SAFE_INTEGER) =>
  withKubernetes(whole(minimum, maximum), { format: 'int64' });

const whole = (minimum: number, maximum: number) =>
  z.number().multipleOf(1, { error: 'must be a whole number' }).min(minimum).max(maximum);
