import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { toStructural } from './structural.ts';

const structural = (schema: z.ZodType) =>
  toStructural(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', unrepresentable: 'any' }), 'Kind.spec');

const int32 = (schema: z.ZodType): z.ZodType => schema.meta({ k8s: { format: 'int32' } });

describe('toStructural', () => {
  it('prunes unknown fields rather than forbid them, and leaves fields with a default optional', () => {
    expect(structural(z.strictObject({ a: z.string().default('x').describe('A.'), b: z.string().describe('B.') }))).toEqual({
      type: 'object',
      required: ['b'],
      properties: { a: { type: 'string', description: 'A.', default: 'x' }, b: { type: 'string', description: 'B.' } },
    });
  });

  it('writes list types, rules and map types beside what zod says', () => {
    const list = z.array(z.string()).max(3).meta({ k8s: { listType: 'set', cel: [{ rule: 'self.size() > 0', message: 'some' }] } });
    expect(structural(list)).toEqual({
      type: 'array',
      maxItems: 3,
      'x-kubernetes-list-type': 'set',
      'x-kubernetes-validations': [{ rule: 'self.size() > 0', message: 'some' }],
      items: { type: 'string' },
    });
    expect(structural(z.object({}).meta({ k8s: { mapType: 'atomic' } }))).toEqual({
      type: 'object',
      'x-kubernetes-map-type': 'atomic',
      properties: {},
    });
  });

  it('drops the bounds that a format implies, and the pattern of a time', () => {
    expect(structural(int32(z.number().multipleOf(1).min(0).max(2_147_483_647)))).toEqual({ type: 'integer', format: 'int32', minimum: 0 });
    expect(structural(z.iso.datetime())).toEqual({ type: 'string', format: 'date-time' });
  });

  it('says the form of a text in words, and asks the other rules only of one in that form', () => {
    const time = z
      .string()
      .regex(/^\d+s$/)
      .meta({ k8s: { patternMessage: 'such as 3s', cel: [{ rule: "self != '0s'", message: 'more than 0' }] } });
    expect(structural(time)).toEqual({
      type: 'string',
      'x-kubernetes-validations': [
        { rule: "self.matches(r'^\\d+s$')", message: 'such as 3s' },
        { rule: "!self.matches(r'^\\d+s$') || (self != '0s')", message: 'more than 0' },
      ],
    });
    expect(structural(z.string().regex(/^a$/))).toEqual({ type: 'string', pattern: '^a$' });
  });

  it('keeps maps of strings, and what is to be kept as written', () => {
    const map = z.record(z.string(), z.string().max(63));
    expect(structural(map.meta({ k8s: { maxProperties: 2 } }))).toEqual({
      type: 'object',
      maxProperties: 2,
      additionalProperties: { type: 'string', maxLength: 63 },
    });
    expect(structural(map)).toEqual({ type: 'object', additionalProperties: { type: 'string', maxLength: 63 } });
    expect(structural(z.record(z.string(), z.unknown()).meta({ k8s: { preserveUnknownFields: true } }))).toEqual({
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
    });
    expect(structural(z.boolean())).toEqual({ type: 'boolean' });
  });

  it.each<[string, z.ZodType, string]>([
    ['a union', z.object({ a: z.union([z.string(), z.boolean()]).describe('A.') }), 'Kind.spec.a: anyOf'],
    ['a field without a description', z.object({ a: z.string() }), 'Kind.spec.a: no description'],
    ['a list without a maximum', z.array(z.string()), 'Kind.spec: a list needs a maximum'],
    ['a list without a type', z.array(z.string()).max(1), 'Kind.spec: a list needs a list type'],
    ['a number that may be a fraction', z.number(), 'Kind.spec: a number must be a whole one'],
    ['look-ahead', z.string().regex(/a(?=b)/), "Kind.spec: the API server's RE2"],
    ['anything at all', z.unknown(), 'Kind.spec: no type'],
  ])('names the place of %s', (_, schema, message) => {
    expect(() => structural(schema)).toThrow(message);
  });

  it('throws for what is no schema', () => {
    expect(() => toStructural(undefined, 'Kind.spec')).toThrow('Kind.spec: not a schema');
  });
});
