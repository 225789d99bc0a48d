/** What the operator needs of the injector's settings: whose containers are the proxy, and what pods are born with now. */
import { imageName } from './injection/image-name.ts';
import type { InjectionSettingsFile } from './injection/settings.ts';
import type { AuditContext } from './controllers/pods/audit.ts';

export interface InjectionFacts {
  readonly audit: AuditContext;
  readonly teamLabel: string | null;
}

/** Null: the operator was not told, believes any container of the proxy's name, and calls no pod outdated. */
export const injectionFacts = (
  settings: InjectionSettingsFile | null,
  { systemNamespace, version }: { readonly systemNamespace: string; readonly version: string },
): InjectionFacts => ({
  audit: {
    systemNamespace,
    excludedNamespaces: settings?.excludedNamespaces ?? DEFAULT_EXCLUDED,
    proxyRepositories: settings === null ? null : [imageName(settings.proxyImage).repository, ...settings.imageMirrors],
    configHash: null,
    version,
  },
  teamLabel: settings?.teamLabel ?? null,
});

const DEFAULT_EXCLUDED = ['kube-system', 'kube-node-lease'];
