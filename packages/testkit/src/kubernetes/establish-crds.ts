/** Tollgate's own kinds, from crds/, into an API server that has none of them. */
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { answersOk, type AskApi } from './api-request.ts';
import { untilSo } from './await-servers.ts';
import type { ServerProcess } from './server-process.ts';

const CRDS = join(import.meta.dirname, '../../../../crds');

interface CustomKind {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly group: string;
    readonly names: { readonly plural: string };
    readonly versions: readonly { readonly name: string; readonly served: boolean }[];
  };
}

/** Resolves when each is served. */
export const establishCrds = async (request: AskApi, servers: readonly ServerProcess[]): Promise<void> => {
  const manifests = globSync('*.yaml', { cwd: CRDS });
  if (manifests.length === 0) throw new Error(`no manifests in ${CRDS}: run "make generate"`);
  await Promise.all(
    manifests.map(async (file) => {
      const { status, body } = await request('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
        method: 'POST',
        contentType: 'application/yaml',
        body: await readFile(join(CRDS, file), 'utf8'),
      });
      if (status !== 201) throw new Error(`crds/${file} was refused: ${JSON.stringify(body)}`);
      const { metadata, spec } = body as CustomKind;
      // Established is said before it is served: only an answer proves that it is.
      for (const { name } of spec.versions.filter(({ served }) => served)) {
        const path = `/apis/${spec.group}/${name}/${spec.names.plural}`;
        await untilSo(metadata.name, servers, () => answersOk(request, path));
      }
    }),
  );
};
