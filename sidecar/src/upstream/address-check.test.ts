import { describe, expect, it } from '@jest/globals';
import { promisify } from 'node:util';
import { ForbiddenAddress, makeAddressCheck, makeCheckedLookup } from './address-check.ts';

describe('addresses that may be dialled', () => {
  const strict = makeAddressCheck({ allowPrivate: false });
  const local = makeAddressCheck({ allowPrivate: true });

  it.each([
    '169.254.169.254',
    '169.254.0.1',
    'fe80::1',
    'fd00:ec2::254',
    '0.0.0.0',
    '::',
    '224.0.0.1',
    'ff02::1',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '[::ffff:169.254.169.254]',
    'localhost',
    '',
  ])('never %s', (address) => {
    expect([strict(address, 'https:'), local(address, 'https:'), local(address, 'http:')]).toEqual([
      false,
      false,
      false,
    ]);
  });

  it.each(['127.0.0.1', '10.1.2.3', '172.16.0.1', '192.168.1.1', '100.64.0.1', '::1', 'fc00::1', '::ffff:10.0.0.1'])(
    '%s only where private ones are allowed',
    (address) => {
      expect([strict(address, 'https:'), local(address, 'https:'), local(address, 'http:')]).toEqual([
        false,
        true,
        true,
      ]);
    },
  );

  it.each(['8.8.8.8', '172.32.0.1', '2606:4700::1111'])(
    '%s by https only: a credential goes nowhere else in the clear',
    (address) => {
      expect([strict(address, 'https:'), local(address, 'https:'), local(address, 'http:')]).toEqual([
        true,
        true,
        false,
      ]);
    },
  );

  it('refuses a name by the address it resolves to', async () => {
    const lookup = promisify(makeCheckedLookup(strict, 'https:'));
    await expect(lookup('localhost', {})).rejects.toBeInstanceOf(ForbiddenAddress);
    await expect(promisify(makeCheckedLookup(local, 'https:'))('localhost', { family: 4 })).resolves.toBe('127.0.0.1');
  });
});
