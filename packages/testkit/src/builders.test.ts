import { expect, it } from '@jest/globals';
import { parseManifest } from '@tollgate/api/schema';
import { aBudget, aPriceRow, aRoute, aSnapshot, aSnapshotRoute, aSubject } from './builders.ts';

it('builds manifests that the schemas take as they are', () => {
  for (const built of [
    aBudget(),
    aRoute(),
    aBudget({ name: 'team', namespace: 'ml', spec: { enforcement: 'Soft' } }),
  ]) {
    expect(parseManifest(built)).toEqual({ ok: true, resource: built });
  }
});

it('changes only what is stated', () => {
  expect(aSubject({ namespace: 'ml' })).toMatchObject({ namespace: 'ml', team: 'ml', workload: 'local' });
  expect(aSnapshot({ routes: [aSnapshotRoute()] }).routes[0]?.rules[0]?.backends[0]?.provider).toBe('OpenAI');
  expect(aPriceRow({ model: 'x' })).toMatchObject({ model: 'x', free: false });
});
