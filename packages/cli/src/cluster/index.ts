/** The commands that ask a Kubernetes cluster: a bundle of its own, which no other command loads. */
export { check } from './check/check.ts';
export { checkProxy } from './proxy/check-proxy.ts';
export { grantBudgetAdmin, grantSecret } from './grant/grant.ts';
export { inject } from './inject/inject.ts';
export { scan } from './scan/scan.ts';
export { uninstall } from './uninstall/uninstall.ts';
export { withClusterServer } from './server/with-cluster-server.ts';
