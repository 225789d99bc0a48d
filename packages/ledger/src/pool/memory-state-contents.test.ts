import { expect, it } from '@jest/globals';
import { copyDataset, emptyDataset, emptyInstance, type Dataset } from './memory-state-contents.ts';
import { keepReply } from './remembered-replies.ts';

const KEY = '["team/budget","daily","","w1"]';

const filled = (): Dataset => {
  const dataset = { ...emptyDataset(), epoch: { id: 'e1', number: 1, changes: 3, closes: 1 } };
  const instance = emptyInstance();
  instance.given.set(KEY, 5n);
  instance.settled.set(KEY, 2n);
  keepReply(instance.leases, { seq: 1, asked: 'a' }, [], 8);
  keepReply(instance.returns, { seq: 2, asked: 'b' }, true, 8);
  dataset.instances.set('p1', instance);
  const blocks = new Map([['1', 10n]]);
  dataset.counters.set(KEY, { pooled: 5n, leased: 3n, max: 20n, free: 10n, block: 10n, windowEnd: null, blocks });
  dataset.drains.set('d1', { id: 'd1', returns: [] });
  dataset.servers.set('s1', { proxies: 2, at: 7 });
  return dataset;
};

it('copies all that is there', () => {
  expect(copyDataset(filled())).toEqual(structuredClone(filled()));
  expect(copyDataset(emptyDataset())).toEqual(emptyDataset());
});

it('shares nothing with its copy that is ever changed', () => {
  const dataset = filled();
  const copy = copyDataset(dataset);
  const counter = dataset.counters.get(KEY);
  const instance = dataset.instances.get('p1');
  if (!dataset.epoch || !counter || !instance) throw new Error('nothing was there');
  dataset.epoch.changes += 1;
  counter.pooled = 0n;
  counter.blocks.set('2', 1n);
  instance.given.set(KEY, 9n);
  instance.settled.clear();
  keepReply(instance.leases, { seq: 2, asked: 'c' }, [], 8);
  keepReply(instance.returns, { seq: 3, asked: 'd' }, true, 8);
  dataset.drains.clear();
  dataset.servers.clear();
  expect(copy).toEqual(filled());
});
