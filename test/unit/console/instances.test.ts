import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { startTelemetry } from '@curfew/telemetry/start';
import { afterAll, expect, test } from 'vitest';
import { Instances } from '../../../services/console/src/instances.ts';
import { SessionService } from '../../../services/console/src/session-service.ts';

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});

async function listening(server: Server): Promise<number> {
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** An address behind which connections go to each port in turn, as to the pods of a Kubernetes service. */
const balancerOf = (ports: readonly number[]) => {
  let turn = 0;
  return createServer((client) => {
    const pod = connect(ports[turn++ % ports.length] ?? 0, '127.0.0.1');
    client.pipe(pod).pipe(client);
    for (const socket of [client, pod]) socket.on('error', () => {});
  });
};

test('all instances behind one address are heard', async () => {
  const pods = ['a', 'b', 'c'].map((id) =>
    createHttpServer((_, response) => response.end(`target_info{service_instance_id="${id}"} 1\n`)),
  );
  const port = await listening(balancerOf(await Promise.all(pods.map(listening))));
  const sessionService = new SessionService({ urls: [`http://127.0.0.1:${port}`], credential: 'console:secret' });
  const instances = new Instances();
  for (const _ of pods) instances.take(await sessionService.metrics(), Date.now());
  expect([...instances.samples.keys()].toSorted()).toEqual(['a', 'b', 'c']);
});

test('an instance says itself which one it is, at whatever address', async () => {
  const telemetry = startTelemetry('session-service', { traces: false });
  const port = await listening(createHttpServer((request, response) => telemetry.serveMetrics(request, response)));
  const instances = new Instances();
  for (const host of ['127.0.0.1', 'localhost']) {
    const sessionService = new SessionService({ urls: [`http://${host}:${port}`], credential: 'console:secret' });
    const metrics = await sessionService.metrics();
    expect(metrics.size).toBe(1);
    instances.take(metrics, Date.now());
  }
  await telemetry.shutdown();
  expect(instances.samples.size).toBe(1);
});
