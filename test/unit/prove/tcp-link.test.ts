import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TcpLink } from '../../prove/tcp-link.ts';

let echo: Server;
let link: TcpLink;
let client: Socket;

beforeEach(async () => {
  echo = createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1');
  await once(echo, 'listening');
  link = await TcpLink.listen(() => (echo.address() as AddressInfo).port);
  client = connect(link.port, '127.0.0.1');
  client.on('error', () => {});
  await once(client, 'connect');
});

afterEach(() => {
  client.destroy();
  link.close();
  echo.close();
});

const answerTo = async (text: string): Promise<string> => {
  client.write(text);
  return `${(await once(client, 'data'))[0]}`;
};

test('an open link passes everything on', async () => {
  expect(await answerTo('ping')).toBe('ping');
});

test('a silent link holds everything back, tells nobody, and loses nothing', async () => {
  await answerTo('first');
  link.turn('silent');
  const answer = answerTo('held');
  const first = await Promise.race([answer, sleep(100, 'nothing')]);
  expect(first).toBe('nothing');
  expect(client.destroyed).toBe(false);
  link.turn('open');
  expect(await answer).toBe('held');
});

test('a cut link resets its connections, and refuses new ones', async () => {
  await answerTo('first');
  const closed = new Promise((resolve) => client.once('close', resolve));
  link.turn('cut');
  await closed;
  const another = connect(link.port, '127.0.0.1');
  expect(await new Promise((resolve) => another.once('error', resolve))).toMatchObject({ code: 'ECONNRESET' });
});

test('a slow link passes everything on, later', async () => {
  await answerTo('first');
  link.turn({ slowMs: 60 });
  const began = performance.now();
  expect(await answerTo('later')).toBe('later');
  expect(performance.now() - began).toBeGreaterThan(110);
});

test('a link that is slow no more lets nothing overtake what is still on its way', async () => {
  await answerTo('first');
  link.turn({ slowMs: 80 });
  client.write('a');
  await sleep(20);
  link.turn('open');
  client.write('b');
  await sleep(20);
  client.write('c');
  let answer = '';
  client.on('data', (chunk) => {
    answer += chunk;
  });
  await expect.poll(() => answer).toBe('abc');
});

test('a link leads where its target is now', async () => {
  const moved = createServer((socket) => socket.end('moved')).listen(0, '127.0.0.1');
  await once(moved, 'listening');
  const port = (moved.address() as AddressInfo).port;
  const other = await TcpLink.listen(() => port);
  const socket = connect(other.port, '127.0.0.1');
  expect(`${(await once(socket, 'data'))[0]}`).toBe('moved');
  socket.destroy();
  other.close();
  moved.close();
});
