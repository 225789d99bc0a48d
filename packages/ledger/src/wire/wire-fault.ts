/** What came over the wire, or from the spool, is not what the contract says. `path` names the place: `needs[2].prefer`. */
export class WireFault extends Error {
  readonly code = 'wire_fault';
  readonly path: string;
  readonly expected: string;

  constructor(path: string, expected: string, options?: ErrorOptions) {
    super(`${path === '' ? 'message' : path}: expected ${expected}`, options);
    this.name = 'WireFault';
    this.path = path;
    this.expected = expected;
  }

  /** The same fault, of what lies at this place in something larger. */
  within(place: string): WireFault {
    return new WireFault(this.path === '' ? place : `${place}.${this.path}`, this.expected);
  }
}
