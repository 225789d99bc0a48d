/**
 * The order of the stories on a cluster. Most share the release that the first of them installs; those that begin and end with
 * a bare cluster come after all others, which would have to install theirs again.
 */
import { basename } from 'node:path';

const LAST = ['lifecycle.cluster.test.ts', 'trial.cluster.test.ts'];

const place = ({ path }) => LAST.indexOf(basename(path));
const byPlaceAndName = (a, b) => place(a) - place(b) || a.path.localeCompare(b.path);

/** What jest asks of a sequencer. What ran before changes nothing, so that two runs are told alike. */
export default class StoryOrder {
  sort(tests) {
    return [...tests].sort(byPlaceAndName);
  }

  shard(tests, { shardIndex, shardCount }) {
    return this.sort(tests).filter((_test, index) => index % shardCount === shardIndex - 1);
  }

  allFailedTests(tests) {
    return tests;
  }

  cacheResults() {
    // Nothing is kept.
  }
}
