/** Writes to the fake API server: what each method does to its store, and with which status it answers. */
import { isDeepStrictEqual } from 'node:util';
import type { FakeApiStore, FakeObject, FakePlace } from './fake-api-store.ts';

export interface FakeAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** A `Status` object, as the API server tells a failure. */
export const failure = (status: number, reason: string, message: string, details: object = {}): FakeAnswer => ({
  status,
  body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: status, reason, message, details },
});

export interface FakeWrite {
  readonly method: string;
  readonly place: FakePlace;
  readonly body: unknown;
  readonly isDryRun: boolean;
}

export const writeTo = (store: FakeApiStore, { method, place, body, isDryRun }: FakeWrite): FakeAnswer => {
  const { kind, namespace, isStatus } = place;
  const object = body as FakeObject;
  const name = place.name ?? object.metadata.name;
  const before = store.get(kind, namespace, name);
  const keep = (after: FakeObject, status = 200): FakeAnswer => ({
    status,
    body: isDryRun ? after : store.put(kind, after),
  });
  switch (method) {
    case 'POST':
      return before === null ? keep(object, 201) : failure(409, 'AlreadyExists', `${name} already exists`);
    case 'PUT': {
      if (before === null) return failure(404, 'NotFound', `${name} not found`);
      const wanted = object.metadata.resourceVersion;
      if (wanted !== undefined && wanted !== before.metadata.resourceVersion)
        return failure(409, 'Conflict', `the object ${name} has been modified`);
      return keep(object);
    }
    case 'PATCH':
      return applyTo(before, object, name, isStatus, keep);
    case 'DELETE': {
      const options = body as { readonly preconditions?: { readonly uid?: string }; readonly dryRun?: unknown } | null;
      const uid = options?.preconditions?.uid;
      if (before === null) return failure(404, 'NotFound', `${name} not found`);
      if (uid !== undefined && uid !== before.metadata.uid) return uidConflict(name);
      // Of a body and a query the real server reads the body alone.
      if (options === null ? !isDryRun : options.dryRun === undefined) store.remove(kind, namespace, name);
      return { status: 200, body: { kind: 'Status', status: 'Success' } };
    }
    default:
      return failure(405, 'MethodNotAllowed', `${method} is not known here`);
  }
};

/** One manager is enough here: what it names replaces what stood in that field. Nothing changed: nothing is written. */
const applyTo = (
  before: FakeObject | null,
  object: FakeObject,
  name: string,
  isStatus: boolean,
  keep: (after: FakeObject, status?: number) => FakeAnswer,
): FakeAnswer => {
  const { uid } = object.metadata;
  if (before === null) return isStatus ? failure(404, 'NotFound', `${name} not found`) : keep(object, 201);
  if (uid !== undefined && uid !== before.metadata.uid)
    return isStatus
      ? failure(422, 'Invalid', `metadata.uid: Invalid value: "${uid}": field is immutable`)
      : uidConflict(name);
  const { metadata, ...fields } = isStatus ? { metadata: {}, status: object['status'] } : object;
  const after = { ...before, ...fields, metadata: { ...before.metadata, ...metadata } };
  return isDeepStrictEqual(after, before) ? { status: 200, body: before } : keep(after);
};

const uidConflict = (name: string): FakeAnswer =>
  failure(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${name}: Precondition failed: UID in precondition differs`,
  );
