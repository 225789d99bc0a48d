/** The door for what `/v1/budgets` and `/v1/routes` list: objects with a name, plain or beside their figures. */
import { CliError } from '../cli-error.ts';

export interface ResourceMeta {
  readonly namespace: string;
  readonly name: string;
}

export const resourcesFrom = (answer: unknown): readonly object[] => {
  const items = !isObject(answer)
    ? null
    : 'budgets' in answer
      ? answer.budgets
      : 'routes' in answer
        ? answer.routes
        : null;
  if (Array.isArray(items)) {
    const resources = items.map((item: unknown) => (isObject(item) && 'resource' in item ? item.resource : item));
    if (resources.every((resource): resource is object => nameOf(resource) !== null)) return resources;
  }
  throw new CliError('the server did not answer with a list of resources', {
    todo: 'check that it is a Tollgate server, of the version of this command: tollgate --version',
  });
};

export const metaOf = (resource: unknown): ResourceMeta => {
  const meta = nameOf(resource);
  if (meta === null) throw new Error('a resource without a name passed the door');
  return meta;
};

const nameOf = (resource: unknown): ResourceMeta | null => {
  if (!isObject(resource) || !('metadata' in resource) || !isObject(resource.metadata)) return null;
  const { metadata } = resource;
  if (!('name' in metadata) || typeof metadata.name !== 'string') return null;
  const namespace = 'namespace' in metadata && typeof metadata.namespace === 'string' ? metadata.namespace : 'default';
  return { namespace, name: metadata.name };
};

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
