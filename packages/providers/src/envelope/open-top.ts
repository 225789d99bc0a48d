import type { JsonScanner } from '../scan/json-scanner.ts';
import { ScanFault } from '../scan/scan-fault.ts';
import type { Draft } from './draft.ts';

/** Where members can be put in, just after the brace that opens the body. */
export const openTop = <Name extends string>(scan: JsonScanner<Name>, draft: Draft): void => {
  if (scan.peek() !== 'object') throw new ScanFault('invalid_json', 'the body must be a JSON object');
  draft.splice.top = scan.pos + 1;
  draft.splice.topIsEmpty = scan.isEmptyNext();
};
