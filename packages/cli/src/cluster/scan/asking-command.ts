/** The command by which a workload comes to ask for the proxy: one that works as it is pasted. Pure. */
import { INJECT } from '@tollgate/operator/injection';
import type { WorkloadPod } from '../workload-pod.ts';

/** Null for a Job: what it is made of cannot be changed. */
export const askingCommand = (workload: WorkloadPod, namespace: string): string | null => {
  const { kind, name, isSaidByTemplate, said } = workload;
  if (kind === 'Job') return null;
  const object = `${kind.toLowerCase()}/${name} -n ${namespace}`;
  if (!isSaidByTemplate) {
    return `kubectl annotate ${object} ${INJECT}=true${said === null ? '' : ' --overwrite'}`;
  }
  // The template's own word counts over the workload's.
  const metadata = { annotations: { [INJECT]: 'true' } };
  return `kubectl patch ${object} --type=merge -p '${JSON.stringify(at(workload.templatePath, { metadata }))}'`;
};

const at = (pointer: string, value: object): object =>
  pointer
    .split('/')
    .slice(1)
    .reduceRight<object>((inner, segment) => ({ [segment]: inner }), value);
