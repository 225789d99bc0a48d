/**
 * What the injector may do in the API server, and why. The chart renders exactly this, and its test compares the two. No
 * pods, no namespaces, no Secret but the one that it serves, and nothing to write but Events.
 */
import type { RbacRule } from '../rbac.ts';

/** A ClusterRole. */
export const injectorClusterRules = (configuration: string): readonly RbacRule[] => [
  {
    groups: ['tollgate.dev'],
    resources: ['modelroutes'],
    verbs: ['list', 'watch'],
    why: 'Names of the Secrets that routes name, for the proxy to mount.',
  },
  {
    groups: ['events.k8s.io'],
    resources: ['events'],
    verbs: ['create', 'patch'],
    why: 'Says on the owner of a pod why the pod got no proxy.',
  },
  {
    groups: ['admissionregistration.k8s.io'],
    resources: ['mutatingwebhookconfigurations'],
    verbs: ['get'],
    resourceNames: [configuration],
    why: 'Ready only when what it serves is what the API server trusts.',
  },
];

/** A Role in Tollgate's own namespace. */
export const injectorNamespaceRules = (tlsSecret: string): readonly RbacRule[] => [
  {
    groups: [''],
    resources: ['secrets'],
    verbs: ['get'],
    resourceNames: [tlsSecret],
    why: 'The certificate it serves.',
  },
];

/** Of the operator, where the certificates are Tollgate's own: a ClusterRole for the one webhook configuration. */
export const rotatorClusterRules = (configuration: string): readonly RbacRule[] => [
  {
    groups: ['admissionregistration.k8s.io'],
    resources: ['mutatingwebhookconfigurations'],
    verbs: ['get', 'patch'],
    resourceNames: [configuration],
    why: 'Publishes the authorities of the webhook, by server-side apply.',
  },
];

/** Of the operator, in Tollgate's own namespace. A name cannot be asked for at creation, so `create` stands alone. */
export const rotatorNamespaceRules = (tlsSecret: string, authoritySecret: string): readonly RbacRule[] => [
  {
    groups: [''],
    resources: ['secrets'],
    verbs: ['create'],
    why: 'The two Secrets below, where they are not there yet.',
  },
  {
    groups: [''],
    resources: ['secrets'],
    verbs: ['get', 'update'],
    resourceNames: [tlsSecret, authoritySecret],
    why: 'The certificate of the webhook and the authorities that sign it.',
  },
];
