import { describe, expect, it, jest } from '@jest/globals';

describe('the index of this package', () => {
  it('loads no zod and no YAML, so that the proxy starts without them', async () => {
    const loaded: string[] = [];
    for (const name of ['zod', 'yaml']) {
      jest.unstable_mockModule(name, () => {
        loaded.push(name);
        throw new Error(`${name} was loaded`);
      });
    }
    const index = await import('./index.ts');
    expect(typeof index.checkSnapshot).toBe('function');
    expect(loaded).toEqual([]);
    await expect(import('./schema.ts')).rejects.toThrow('was loaded');
  });
});
