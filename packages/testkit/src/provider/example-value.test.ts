import { expect, it } from '@jest/globals';
import { exampleValue } from './example-value.ts';

it.each([
  [{ type: 'string' }, 'Paris'],
  [{ type: 'STRING' }, 'Paris'],
  [{ type: ['integer', 'null'] }, 21],
  [{ type: 'boolean' }, true],
  [{ type: 'null' }, null],
  [{ const: 7 }, 7],
  [{ enum: ['b', 'a'] }, 'b'],
  [{ anyOf: [{ type: 'number' }, { type: 'string' }] }, 21],
  [{ type: 'array', items: { type: 'boolean' } }, [true]],
  [{ properties: { a: { type: 'number' } } }, { a: 21 }],
  ['no schema', 'Paris'],
])('finds a value for %j', (schema, value) => {
  expect(exampleValue(schema)).toEqual(value);
});

it('ends on a schema that contains itself', () => {
  const schema: Record<string, unknown> = { type: 'array' };
  schema['items'] = schema;
  expect(JSON.stringify(exampleValue(schema)).length).toBeLessThan(40);
});
