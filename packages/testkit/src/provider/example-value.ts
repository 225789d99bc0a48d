/** A value that a JSON schema allows: what a simulated model writes as a tool's arguments or as structured output. */
import { isObject, listAt, objectAt, textAt } from './json.ts';
import type { JsonObject } from './json.ts';

const MAX_DEPTH = 8;

export const exampleValue = (schema: unknown, depth = 0): unknown => {
  if (!isObject(schema) || depth > MAX_DEPTH) return 'Paris';
  if (schema['const'] !== undefined) return schema['const'];
  const first = listAt(schema, 'enum')[0] ?? undefined;
  if (first !== undefined) return first;
  const union = listAt(schema, 'anyOf')[0] ?? listAt(schema, 'oneOf')[0];
  if (union !== undefined) return exampleValue(union, depth + 1);
  switch (typeOf(schema)) {
    case 'object':
      return exampleObject(schema, depth);
    case 'array':
      return [exampleValue(schema['items'], depth + 1)];
    case 'integer':
    case 'number':
      return 21;
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return 'Paris';
  }
};

const exampleObject = (schema: JsonObject, depth: number): JsonObject => {
  const value: JsonObject = {};
  for (const [name, property] of Object.entries(objectAt(schema, 'properties')))
    value[name] = exampleValue(property, depth + 1);
  return value;
};

/** Gemini writes type names in capitals; a list of types means its first. */
const typeOf = (schema: JsonObject): string => {
  const listed = listAt(schema, 'type')[0];
  const name =
    typeof listed === 'string'
      ? listed
      : (textAt(schema, 'type') ?? (isObject(schema['properties']) ? 'object' : 'string'));
  return name.toLowerCase();
};
