/** The part of an object that belongs to Kubernetes. Only names and labels mean anything to Tollgate. */
import { z } from 'zod';
import { int64 } from './whole-number.ts';

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

export const ObjectMetaSchema = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(253)
      .regex(SUBDOMAIN, { error: 'must be lower-case letters, digits, "-" and ".", such as team-a' })
      .describe('Name of the object, unique for its kind in its namespace.'),
    namespace: z
      .string()
      .min(1)
      .max(63)
      .regex(LABEL, { error: 'must be lower-case letters, digits and "-", such as team-a' })
      .default('default')
      .describe('Namespace of the object.'),
    labels: z.record(z.string().max(317), z.string().max(63)).optional().describe('Labels of the object.'),
    annotations: z.record(z.string().max(317), z.string()).optional().describe('Annotations of the object.'),
    uid: z.string().max(128).optional().describe('Set by the API server.'),
    resourceVersion: z.string().max(128).optional().describe('Set by the API server.'),
    generation: int64(0).optional().describe('Set by the API server.'),
    creationTimestamp: z.string().max(64).nullish().describe('Set by the API server.'),
    deletionTimestamp: z.string().max(64).nullish().describe('Set by the API server.'),
    deletionGracePeriodSeconds: int64(0).nullish().describe('Set by the API server.'),
    generateName: z.string().max(253).optional().describe('Used by the API server to make a name.'),
    selfLink: z.string().max(2048).optional().describe('Not used any more.'),
    finalizers: z.array(z.string().max(317)).optional().describe('Set by controllers.'),
    ownerReferences: z.array(z.unknown()).optional().describe('Set by controllers.'),
    managedFields: z.array(z.unknown()).optional().describe('Set by the API server.'),
  })
  .describe('Standard metadata of a Kubernetes object.');

export type ObjectMeta = z.output<typeof ObjectMetaSchema>;
