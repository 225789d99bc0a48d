/** A real API server for the operator's tests; how it is started is the testkit's. */
export {
  startControlPlane,
  type ApiAnswer,
  type ApiRequest,
  type ControlPlane,
  type ControlPlaneOptions,
  type TokenWish,
} from '@tollgate/testkit/kubernetes';
