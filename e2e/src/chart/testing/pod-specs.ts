/** Every pod that a set of manifests would make, by the object that makes it. */
import type { Manifest } from './helm.ts';

export interface MadePod {
  readonly of: string;
  readonly metadata: { readonly labels?: object; readonly annotations?: object };
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a PodSpec
  readonly spec: any;
}

export const podsOf = (manifests: readonly Manifest[]): readonly MadePod[] =>
  manifests.flatMap((manifest): readonly MadePod[] => {
    const of = `${manifest.kind} ${manifest.metadata.name}`;
    if (manifest.kind === 'Pod') return [{ of, metadata: manifest.metadata, spec: manifest['spec'] }];
    const template = manifest['spec']?.template;
    return template?.spec === undefined ? [] : [{ of, metadata: template.metadata ?? {}, spec: template.spec }];
  });
