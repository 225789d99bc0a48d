/** Ports of loopback that nobody listens on just now, all different. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

type Ports = readonly [number, number, number, number];

export const freePorts = async (): Promise<Ports> => {
  // All at once, so that none is given twice.
  const probes = [createServer(), createServer(), createServer(), createServer()] as const;
  const taken = await Promise.all(
    probes.map(async (probe) => {
      probe.listen(0, '127.0.0.1');
      await once(probe, 'listening');
      return (probe.address() as AddressInfo).port;
    }),
  );
  await Promise.all(probes.map((probe) => once(probe.close(), 'close')));
  const [first = 0, second = 0, third = 0, fourth = 0] = taken;
  return [first, second, third, fourth];
};
