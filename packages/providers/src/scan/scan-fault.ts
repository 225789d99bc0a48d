/** Why a scan stopped. Thrown inside the scanner, turned into a value by whoever opened the scan. */
export class ScanFault extends Error {
  readonly code: string;
  readonly param: string | null;
  readonly status: 400 | 413;

  constructor(code: string, message: string, param: string | null = null, status: 400 | 413 = 400) {
    super(message);
    this.name = 'ScanFault';
    this.code = code;
    this.param = param;
    this.status = status;
  }
}
