import { WireFault } from './wire-fault.ts';

/** The asker speaks another version of the contract than we do; nothing else of its message was looked at. */
export class ContractMismatch extends WireFault {
  readonly isTooOld: boolean;

  constructor(theirs: number, ours: number, version: unknown) {
    const who = typeof version === 'string' && version.length <= 128 ? `version ${version}` : 'an unnamed version';
    super('contract', `${String(ours)}, which this server speaks, not the ${String(theirs)} of ${who}`);
    this.name = 'ContractMismatch';
    this.isTooOld = theirs < ours;
  }
}
