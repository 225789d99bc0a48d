/** A namespace that no cluster could have would match no budget, and let every call pass. */
import { InvalidArgumentError } from 'commander';

/** RFC 1123, as Kubernetes applies it to namespaces. */
const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

export const parseNamespace = (text: string): string => {
  if (!DNS_LABEL.test(text)) {
    throw new InvalidArgumentError('A namespace has lower-case letters, digits and "-", and at most 63 of them.');
  }
  return text;
};
