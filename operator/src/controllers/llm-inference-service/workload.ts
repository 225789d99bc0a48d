/** The Deployment and the Service of an LLMInferenceService. Pure. */
import { API_VERSION, type LLMInferenceService } from '@tollgate/api';
import type { KubeObject, OwnerReference } from '../../kube/kube-object.ts';

export interface WorkloadObject extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly namespace: string; readonly uid?: never };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** On everything that is made here: the operator reads only Deployments that carry it. */
export const SERVICE_LABEL = 'tollgate.dev/inference-service';

/** As KServe has it, where the container names no port. */
const DEFAULT_PORT = 8_000;
const MAIN = 'main';
const MODEL_DIR = '/mnt/models';
const MODEL_VOLUME = 'tollgate-model';

export const workloadName = (service: string): string => `${service}-llm`;

/** `replicas` is left out where it is not asked for, so that an autoscaler may have it. */
export const deploymentFor = (service: LLMInferenceService, uid: string): WorkloadObject => {
  const { spec } = service;
  const selector = { [SERVICE_LABEL]: service.metadata.name };
  return {
    metadata: ownedMeta(service, uid),
    spec: {
      ...(spec.replicas === undefined ? {} : { replicas: spec.replicas }),
      selector: { matchLabels: selector },
      template: {
        metadata: {
          labels: { ...spec.labels, ...PART_OF, ...selector },
          ...(spec.annotations === undefined ? {} : { annotations: spec.annotations }),
        },
        spec: podSpec(service),
      },
    },
  };
};

export const serviceFor = (service: LLMInferenceService, uid: string): WorkloadObject => ({
  metadata: ownedMeta(service, uid),
  spec: {
    selector: { [SERVICE_LABEL]: service.metadata.name },
    ports: [{ name: 'http', port: portOf(service), targetPort: portOf(service), protocol: 'TCP' }],
  },
});

export const urlOf = (service: LLMInferenceService): string => {
  const { name, namespace } = service.metadata;
  return `http://${workloadName(name)}.${namespace}.svc:${portOf(service)}`;
};

const PART_OF = { 'app.kubernetes.io/part-of': 'llminferenceservice' };

const ownedMeta = ({ metadata: { name, namespace } }: LLMInferenceService, uid: string) => {
  const owner: OwnerReference = { apiVersion: API_VERSION, kind: 'LLMInferenceService', name, uid, controller: true };
  return {
    name: workloadName(name),
    namespace,
    labels: { ...PART_OF, [SERVICE_LABEL]: name, 'app.kubernetes.io/managed-by': 'tollgate' },
    ownerReferences: [owner],
  };
};

type Fields = Readonly<Record<string, unknown>>;

/** What is no list where one belongs stays as it is written: the API server says what is wrong with it. */
const podSpec = (service: LLMInferenceService): Fields => {
  const template: Fields = service.spec.template ?? {};
  const containers: unknown = template['containers'];
  const main = mainOf(fieldsOf(containers));
  const claim = claimOf(service.spec.model.uri);
  return {
    ...template,
    containers: Array.isArray(containers)
      ? containers.map((container: unknown) => (container === main && main ? mainContainer(main, service) : container))
      : containers,
    ...(claim === null
      ? {}
      : {
          volumes: withMore(template['volumes'], [
            { name: MODEL_VOLUME, persistentVolumeClaim: { claimName: claim.name, readOnly: true } },
          ]),
        }),
  };
};

const mainContainer = (container: Fields, { spec, metadata }: LLMInferenceService): Fields => {
  const own = new Set(fieldsOf(container['env']).map(({ name }) => name));
  const claim = claimOf(spec.model.uri);
  const told = [
    { name: 'MODEL_NAME', value: spec.model.name ?? metadata.name },
    { name: 'MODEL_URI', value: spec.model.uri },
  ].filter(({ name }) => !own.has(name));
  const port = { name: 'http', containerPort: DEFAULT_PORT, protocol: 'TCP' };
  const mount = {
    name: MODEL_VOLUME,
    mountPath: MODEL_DIR,
    readOnly: true,
    ...(claim === null || claim.path === '' ? {} : { subPath: claim.path }),
  };
  return {
    ...container,
    env: withMore(container['env'], told),
    ports: isNothing(container['ports']) ? [port] : container['ports'],
    ...(claim === null ? {} : { volumeMounts: withMore(container['volumeMounts'], [mount]) }),
  };
};

const isNothing = (list: unknown): boolean => list === undefined || (Array.isArray(list) && list.length === 0);

const withMore = (list: unknown, more: readonly Fields[]): unknown => {
  if (list === undefined) return more;
  return Array.isArray(list) ? [...(list as readonly unknown[]), ...more] : list;
};

/** `pvc://claim/path/in/it` is mounted; any other address is for the container to load from. */
const claimOf = (uri: string): { readonly name: string; readonly path: string } | null => {
  const [, name, path = ''] = /^pvc:\/\/([^/]+)\/?(.*)$/.exec(uri) ?? [];
  return name === undefined ? null : { name, path };
};

const portOf = ({ spec }: LLMInferenceService): number => {
  const [first] = fieldsOf(mainOf(fieldsOf(spec.template?.['containers']))?.['ports']);
  const port = first?.['containerPort'];
  return typeof port === 'number' ? port : DEFAULT_PORT;
};

const mainOf = (containers: readonly Fields[]): Fields | undefined =>
  containers.find(({ name }) => name === MAIN) ?? containers[0];

const fieldsOf = (list: unknown): readonly Fields[] =>
  Array.isArray(list)
    ? list.filter((entry: unknown): entry is Fields => typeof entry === 'object' && entry !== null)
    : [];
