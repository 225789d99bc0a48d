/** What the operator needs of the injector's settings: whose containers are the proxy, and what pods are born with now. */
import { proxyRepositories } from './injection/proxy-repositories.ts';
import type { InjectionSettings } from './injection/settings.ts';
import type { AuditContext } from './controllers/pods/audit.ts';

export interface InjectionFacts {
  readonly audit: AuditContext;
  readonly teamLabel: string | null;
  /** As they were at the start; null: the operator was not told. */
  readonly settings: InjectionSettings | null;
}

/** Null: the operator was not told, believes any container of the proxy's name, and calls no pod outdated. */
export const injectionFacts = (settings: InjectionSettings | null, systemNamespace: string): InjectionFacts => ({
  audit: {
    systemNamespace,
    excludedNamespaces: settings?.excludedNamespaces ?? DEFAULT_EXCLUDED,
    proxyRepositories: settings === null ? null : proxyRepositories(settings),
    configHash: settings?.configHash ?? null,
    version: settings?.version ?? null,
  },
  teamLabel: settings?.teamLabel ?? null,
  settings,
});

const DEFAULT_EXCLUDED = ['kube-system', 'kube-node-lease'];
