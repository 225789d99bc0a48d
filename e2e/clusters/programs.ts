/** What the one-node cluster is made of: each program, the Go module that pins it, and the flags it is built with. Pure. */
import type { ClusterProgram } from '@tollgate/testkit/kubernetes';

export const KUBERNETES_VERSION = '1.34.4';

export interface ProgramSource {
  readonly program: ClusterProgram;
  /** The folder below `go/` whose go.mod and go.sum fix every version. */
  readonly module: 'kubernetes' | 'coredns' | 'helm' | 'pause';
  readonly package: string;
  readonly ldflags: readonly string[];
}

const STRIPPED = ['-s', '-w'];
const [MAJOR = '', MINOR = ''] = KUBERNETES_VERSION.split('.');
/** A component that does not know its version says v0.0.0, and the others refuse to work with it. */
const stamped = (path: string): readonly string[] => [
  `-X=${path}.gitVersion=v${KUBERNETES_VERSION}`,
  `-X=${path}.gitMajor=${MAJOR}`,
  `-X=${path}.gitMinor=${MINOR}`,
];

const kubernetes = (program: ClusterProgram): ProgramSource => ({
  program,
  module: 'kubernetes',
  package: `k8s.io/kubernetes/cmd/${program}`,
  ldflags: [...STRIPPED, ...stamped('k8s.io/component-base/version'), ...stamped('k8s.io/client-go/pkg/version')],
});

/** What a test needs that wants an API server, and no pod that runs. */
export const WITHOUT_A_NODE: ReadonlySet<ClusterProgram> = new Set([
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kubectl',
  'helm',
]);

export const PROGRAM_SOURCES: readonly ProgramSource[] = [
  { program: 'etcd', module: 'kubernetes', package: 'go.etcd.io/etcd/server/v3', ldflags: STRIPPED },
  kubernetes('kube-apiserver'),
  kubernetes('kube-controller-manager'),
  kubernetes('kubectl'),
  { program: 'helm', module: 'helm', package: 'helm.sh/helm/v3/cmd/helm', ldflags: STRIPPED },
  kubernetes('kube-scheduler'),
  kubernetes('kubelet'),
  kubernetes('kube-proxy'),
  { program: 'coredns', module: 'coredns', package: '.', ldflags: STRIPPED },
  { program: 'pause', module: 'pause', package: '.', ldflags: STRIPPED },
];
