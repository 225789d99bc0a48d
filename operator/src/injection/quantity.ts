/** Quantities as Kubernetes writes them, as far as they must be compared. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */

const QUANTITY = /^(\d{1,15}(?:\.\d{1,9})?)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$/;

const FACTOR: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/** In its unit (cores, bytes); null where the text is no quantity. Only good for comparing: it is a floating number. */
export const quantityValue = (text: string): number | null => {
  const [, digits, suffix = ''] = QUANTITY.exec(text) ?? [];
  const factor = FACTOR[suffix];
  return digits === undefined || factor === undefined ? null : Number(digits) * factor;
};

/** A quantity above zero. */
export const isQuantity = (text: string): boolean => (quantityValue(text) ?? 0) > 0;

/** Whether one is no smaller than another; what is no quantity counts as nothing. */
export const isAtLeast = (text: string, least: string): boolean =>
  (quantityValue(text) ?? 0) >= (quantityValue(least) ?? 0);
