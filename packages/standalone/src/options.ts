/** What a standalone instance is started with. */
import type { Subject } from '@tollgate/api';
import type { Resource } from '@tollgate/api/schema';
import type { Logger } from '@tollgate/runtime';
import type { ProxyUpstreams } from './policy/mock-snapshot.ts';

export interface StandaloneOptions {
  /** A watched folder (or one file), or manifests that stay as they are. */
  readonly resources: { readonly path: string } | { readonly fixed: readonly Resource[] };
  readonly stateDir: string;
  /** Null: PGlite in a child process, in the state directory or, where that goes with the process, in memory. */
  readonly databaseUrl: string | null;
  readonly inMemory: boolean;
  /** For what may be made again at any time; null: nowhere. */
  readonly cacheDir: string | null;
  /** 0 takes any free port. */
  readonly ports: { readonly proxy: number; readonly admin: number; readonly server: number };
  readonly subject: Subject;
  readonly secretsDir: string | null;
  /** Answers come from the mock provider, whatever the routes say. */
  readonly isMock: boolean;
  /** Base URLs in place of the providers' own. */
  readonly upstreams: ProxyUpstreams;
  readonly requireBudget: boolean;
  readonly programs: StandalonePrograms;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly graceMs: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly pid: number;
  readonly log: Logger;
  /** Lines that the children write. */
  readonly onChildLine: (child: string, line: string) => void;
  /** For people: the faults of manifests as they come and go. */
  readonly onManifests: (report: ManifestReport) => void;
}

/** `[executable, ...arguments]` of each child; standalone adds what is its own. */
export interface StandalonePrograms {
  readonly tollgate: readonly string[];
  readonly proxy: readonly string[];
  readonly pglite: readonly string[];
  /** Module that ends a child when its parent has gone. */
  readonly preload: string;
}

export type ManifestReport =
  | {
      readonly kind: 'applied';
      readonly budgets: number;
      readonly routes: number;
      readonly services: number;
      /** False: no budget is for the calls of this machine. */
      readonly isBound: boolean;
      /** Budgets that were in force until now: `default/team-a`. */
      readonly gone: readonly string[];
    }
  | { readonly kind: 'refused'; readonly faults: readonly string[] }
  | { readonly kind: 'well again' }
  | { readonly kind: 'trouble'; readonly message: string };

export interface Standalone {
  readonly proxyUrl: string;
  readonly adminUrl: string;
  readonly serverUrl: string;
  readonly mockUrl: string | null;
  readonly tokenFile: string;
  /** Settles with a sentence when it cannot go on by itself: the database has gone. Never, once it is stopping. */
  readonly broken: Promise<string>;
  /** Ends the proxy in order: its calls are answered and its events delivered; the server still answers. */
  drainProxy(): Promise<void>;
  /** All in order, last started first, within the grace period. */
  stop(): Promise<void>;
}
