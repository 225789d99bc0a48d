/** AdmissionReview v1, in and out. https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/ */
import { z } from 'zod';
import type { JsonPatch } from '../injection/json-patch.ts';

const kind = z.looseObject({ group: z.string(), version: z.string(), kind: z.string() });

const ReviewSchema = z.looseObject({
  apiVersion: z.literal('admission.k8s.io/v1'),
  kind: z.literal('AdmissionReview'),
  request: z.looseObject({
    uid: z.string().min(1).max(256),
    kind,
    operation: z.string().max(32),
    name: z.string().max(512).nullish(),
    namespace: z.string().max(256).nullish(),
    dryRun: z.boolean().nullish(),
    object: z.unknown(),
    oldObject: z.unknown(),
  }),
});

export type AdmissionRequest = z.output<typeof ReviewSchema>['request'];

export type ReviewResult =
  | { readonly ok: true; readonly request: AdmissionRequest }
  /** What is wrong with it, for whoever wrote the caller. Quotes nothing of it. */
  | { readonly ok: false; readonly message: string };

export const parseReview = (body: string): ReviewResult => {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return { ok: false, message: 'the body is not JSON' };
  }
  const parsed = ReviewSchema.safeParse(value);
  if (parsed.success) return { ok: true, request: parsed.data.request };
  const [issue] = parsed.error.issues;
  const where = (issue?.path ?? []).join('.').slice(0, 100);
  return {
    ok: false,
    message: `the body is no AdmissionReview of admission.k8s.io/v1: ${where === '' ? 'not an object' : `${where} is wrong`}`,
  };
};

export interface AdmissionAnswer {
  readonly allowed: boolean;
  /** Why not; for whoever made the object. */
  readonly message?: string;
  readonly patch?: JsonPatch;
  readonly warnings?: readonly string[];
  /** The API server writes them into its audit log, under the webhook's name. */
  readonly audit?: Readonly<Record<string, string>>;
}

export const writeReview = (
  uid: string,
  { allowed, message, patch = [], warnings = [], audit = {} }: AdmissionAnswer,
): string =>
  JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: {
      uid,
      allowed,
      ...(message === undefined
        ? {}
        : { status: { code: 403, reason: 'Forbidden', message: cut(message, MESSAGE_MAX) } }),
      ...(patch.length === 0
        ? {}
        : { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') }),
      ...(warnings.length === 0
        ? {}
        : { warnings: warnings.slice(0, WARNINGS_MAX).map((text) => `tollgate: ${cut(plain(text), WARNING_MAX)}`) }),
      ...(Object.keys(audit).length === 0 ? {} : { auditAnnotations: audit }),
    },
  });

/** The API server drops what is longer than 256 characters, or more than 4,096 together. */
const WARNING_MAX = 240;
const WARNINGS_MAX = 12;
const MESSAGE_MAX = 1_000;

const cut = (text: string, max: number): string => (text.length > max ? `${text.slice(0, max - 1)}…` : text);

/** Warnings travel in an HTTP header. */
const plain = (text: string): string => text.replace(/[^\x20-\x7e…]/g, '?');
