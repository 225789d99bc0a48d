/** Pods to be injected, as tests write them. */
import { PodSchema, type Pod } from '../pod.ts';
import { InjectionSettingsSchema, type InjectionSettings } from '../settings.ts';
import type { NamespaceFacts } from '../facts.ts';
import { INJECT } from '../names.ts';
import type { z } from 'zod';

type Fields = Readonly<Record<string, unknown>>;

export const someSettings = (changes: Partial<z.input<typeof InjectionSettingsSchema>> = {}): InjectionSettings => ({
  ...InjectionSettingsSchema.parse({
    proxyImage: 'registry.test:5000/tollgate-proxy@sha256:' + '0a'.repeat(32),
    serverUrl: 'https://tollgate-server.tollgate-system.svc:4180',
    ...changes,
  }),
  version: '0.1.0+test',
  configHash: 'c0ffee',
});

export const someNamespace = (changes: Partial<NamespaceFacts> = {}): NamespaceFacts => ({
  name: 'shop',
  mode: null,
  routeKeys: [],
  kubernetesMinor: 34,
  ...changes,
});

/** Annotated pod of a Deployment with one container, `app`. */
export const aPod = (spec: Fields = {}, metadata: Fields = {}): Pod =>
  PodSchema.parse(
    structuredClone({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        generateName: 'web-5d9f7c-',
        labels: { app: 'web', 'pod-template-hash': '5d9f7c' },
        annotations: { [INJECT]: 'true' },
        ownerReferences: [
          { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-5d9f7c', uid: 'a-b-c', controller: true },
        ],
        ...metadata,
      },
      spec: { serviceAccountName: 'web', containers: [anApp()], ...spec },
    }),
  );

export const anApp = (changes: Fields = {}): Fields => ({ name: 'app', image: 'shop/app:1', ...changes });

export const env = (variables: Readonly<Record<string, string>>): readonly Fields[] =>
  Object.entries(variables).map(([name, value]) => ({ name, value }));
