/** The command lines of a control plane, the same for one in a test and for the one-node cluster. Pure. */

export interface EtcdPlace {
  readonly dataDir: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
}

export const etcdArguments = ({ dataDir, clientUrl, peerUrl }: EtcdPlace): readonly string[] => [
  `--data-dir=${dataDir}`,
  `--listen-client-urls=${clientUrl}`,
  `--advertise-client-urls=${clientUrl}`,
  `--listen-peer-urls=${peerUrl}`,
  `--initial-advertise-peer-urls=${peerUrl}`,
  `--initial-cluster=default=${peerUrl}`,
  // What it holds need not outlive the machine; waiting for the disk would only make it slow.
  '--unsafe-no-fsync',
  '--log-level=warn',
];

/** Paths of PEM files. */
export interface ControlPlaneFiles {
  readonly ca: string;
  readonly caKey: string;
  readonly servingCert: string;
  readonly servingKey: string;
  readonly adminCert: string;
  readonly adminKey: string;
  readonly tokenSigningKey: string;
  readonly tokenCheckingKey: string;
}

export interface ApiServerPlace {
  readonly etcdUrl: string;
  readonly files: ControlPlaneFiles;
  readonly bindAddress: string;
  readonly port: number;
  readonly serviceCidr: string;
  /** What pods reach it by; null: there are no pods, and no Endpoints of it are kept. */
  readonly advertiseAddress: string | null;
  /** `Name=true`. */
  readonly featureGates?: readonly string[];
  /** `group/version=true`, for APIs that are off by default. */
  readonly runtimeConfig?: readonly string[];
  readonly withoutAdmission?: readonly string[];
  /** A file of `token,user,uid,"groups"` lines. */
  readonly tokenFile?: string;
}

/** Also the audience of a token that asks for none. */
export const TOKEN_ISSUER = 'https://kubernetes.default.svc.cluster.local';

export const apiServerArguments = (place: ApiServerPlace): readonly string[] => {
  const { files, featureGates = [], runtimeConfig = [], withoutAdmission = [] } = place;
  return [
    `--etcd-servers=${place.etcdUrl}`,
    `--bind-address=${place.bindAddress}`,
    `--secure-port=${String(place.port)}`,
    `--service-cluster-ip-range=${place.serviceCidr}`,
    ...(place.advertiseAddress === null
      ? ['--endpoint-reconciler-type=none']
      : [`--advertise-address=${place.advertiseAddress}`]),
    `--tls-cert-file=${files.servingCert}`,
    `--tls-private-key-file=${files.servingKey}`,
    `--client-ca-file=${files.ca}`,
    `--kubelet-client-certificate=${files.adminCert}`,
    `--kubelet-client-key=${files.adminKey}`,
    '--kubelet-preferred-address-types=InternalIP',
    `--service-account-issuer=${TOKEN_ISSUER}`,
    `--service-account-signing-key-file=${files.tokenSigningKey}`,
    `--service-account-key-file=${files.tokenCheckingKey}`,
    '--authorization-mode=Node,RBAC',
    '--allow-privileged=true',
    ...joined('--feature-gates', featureGates),
    ...joined('--runtime-config', runtimeConfig),
    ...joined('--disable-admission-plugins', withoutAdmission),
    ...(place.tokenFile === undefined ? [] : [`--token-auth-file=${place.tokenFile}`]),
  ];
};

export interface ControllerManagerPlace {
  readonly kubeconfig: string;
  readonly files: ControlPlaneFiles;
  readonly port: number;
}

export const controllerManagerArguments = ({ kubeconfig, files, port }: ControllerManagerPlace): readonly string[] => [
  `--kubeconfig=${kubeconfig}`,
  `--authentication-kubeconfig=${kubeconfig}`,
  `--authorization-kubeconfig=${kubeconfig}`,
  '--bind-address=127.0.0.1',
  `--secure-port=${String(port)}`,
  '--leader-elect=false',
  '--use-service-account-credentials',
  `--service-account-private-key-file=${files.tokenSigningKey}`,
  `--root-ca-file=${files.ca}`,
  `--cluster-signing-cert-file=${files.ca}`,
  `--cluster-signing-key-file=${files.caKey}`,
];

const joined = (flag: string, values: readonly string[]): readonly string[] =>
  values.length === 0 ? [] : [`${flag}=${values.join(',')}`];
