export type { ApiAnswer, ApiRequest } from './api-request.ts';
export {
  makeAuthority,
  writeTokenKeys,
  type CertificateAuthority,
  type CertificateSubject,
  type KeyAndCertificate,
  type TokenKeyFiles,
} from './certificates.ts';
export { clusterCache, programPath, requirePrograms, type ClusterProgram } from './cluster-programs.ts';
export {
  apiServerArguments,
  controllerManagerArguments,
  etcdArguments,
  TOKEN_ISSUER,
  type ApiServerPlace,
  type ControllerManagerPlace,
  type ControlPlaneFiles,
  type EtcdPlace,
} from './control-plane-commands.ts';
export { startControlPlane, type ControlPlane, type ControlPlaneOptions } from './control-plane.ts';
export { renderKubeconfig, type KubeconfigParts } from './kubeconfig.ts';
export type { TokenWish } from './service-account-token.ts';
