/** The folder's resources in force, worked out purely: what the files say now, and what they said when they last were right. */
import { parseManifests } from '@tollgate/api/schema';
import type { ManifestFault, Resource } from '@tollgate/api/schema';

export interface FileState {
  readonly text: string;
  /** In force: the file's own if it is good, else those of its last good text. */
  readonly resources: readonly Resource[];
  readonly faults: readonly ManifestFault[];
}

export type FolderState = ReadonlyMap<string, FileState>;

export const EMPTY_FOLDER: FolderState = new Map();

/** `TokenBudget default/team-a` */
export const resourceKey = ({ kind, metadata }: Resource): string => `${kind} ${metadata.namespace}/${metadata.name}`;

/** Every resource in force, ordered by file name and then as written. */
export const resourcesOf = (folder: FolderState): Resource[] =>
  [...folder.values()].flatMap(({ resources }) => resources);

export const faultsOf = (folder: FolderState): ManifestFault[] => [...folder.values()].flatMap(({ faults }) => faults);

/**
 * One file is one unit: a fault anywhere in it leaves all of its former resources in force. Deleted is what goes with its
 * file, or from a file that still holds others. A resource named by two
 * files belongs to the file that held it before, else to the first by name; the other file is at fault.
 */
export const nextFolder = (former: FolderState, texts: ReadonlyMap<string, string>): FolderState => {
  const next = new Map<string, FileState>();
  for (const [file, text] of [...texts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const before = former.get(file);
    if (before?.text === text && before.faults.length === 0) {
      next.set(file, before);
      continue;
    }
    const { resources, faults } = parseManifests(text, file);
    const inForce = faults.length === 0 ? resources.map(({ resource }) => resource) : (before?.resources ?? []);
    next.set(file, { text, resources: inForce, faults });
  }
  refuseEmptied(next, former);
  refuseContested(next, former);
  return next;
};

/**
 * A file with nothing in it is a save that was cut short, or a full disk, rather than a wish: what it held stays in
 * force until the file itself goes, or its resources stand in others.
 */
const refuseEmptied = (next: Map<string, FileState>, former: FolderState): void => {
  const keys = new Set(resourcesOf(next).map(resourceKey));
  for (const [file, state] of next) {
    if (state.resources.length > 0 || state.faults.length > 0) continue;
    const left = (former.get(file)?.resources ?? []).filter((r) => !keys.has(resourceKey(r)));
    if (left.length === 0) continue;
    const message = `is empty, but held ${left.map(resourceKey).join(', ')}: what it held stays in force; remove the file to delete it`;
    const fault = { file, document: 1, line: null, title: 'file', path: '', message };
    next.set(file, { ...state, resources: left, faults: [fault] });
  }
};

/** Each round turns at least one more file back to its former resources, so the rounds end. */
const refuseContested = (next: Map<string, FileState>, former: FolderState): void => {
  const formerOwner = new Map<string, string>();
  for (const [file, { resources }] of former) for (const r of resources) formerOwner.set(resourceKey(r), file);
  for (let isContested = true; isContested;) {
    isContested = false;
    for (const [key, files] of claimsOn(next)) {
      if (files.length < 2) continue;
      isContested = true;
      const before = formerOwner.get(key);
      const owner = before !== undefined && files.includes(before) ? before : (files[0] ?? '');
      for (const file of files) if (file !== owner) refuse(next, file, former.get(file), key, owner);
    }
  }
};

const claimsOn = (folder: FolderState): Map<string, string[]> => {
  const claims = new Map<string, string[]>();
  for (const [file, { resources }] of folder) {
    for (const r of resources) claims.set(resourceKey(r), [...(claims.get(resourceKey(r)) ?? []), file]);
  }
  return claims;
};

const refuse = (
  next: Map<string, FileState>,
  file: string,
  former: FileState | undefined,
  key: string,
  owner: string,
): void => {
  const state = next.get(file);
  if (state === undefined) return;
  const back = state.faults.length === 0 ? (former?.resources ?? []) : state.resources;
  const message = `is already defined in ${owner}`;
  next.set(file, {
    ...state,
    resources: back.filter((r) => resourceKey(r) !== key),
    faults: [...state.faults, { file, document: 1, line: null, title: key, path: 'metadata.name', message }],
  });
};
