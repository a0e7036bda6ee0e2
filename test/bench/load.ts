import autocannon from 'autocannon';

/**
 * Sends requests over connections that are kept, one after the other on each, each connection those of its own again and
 * again.
 *
 * @param requests different ones, at least as many as connections
 * @returns how long each request took, ns, and how many were answered a second.
 */
export async function load(url: string, requests: readonly autocannon.Request[], connections: number, amount: number) {
  const tookNs: number[] = [];
  const from = performance.now();
  let until = from;
  let next = 0;
  const setupClient = (client: autocannon.Client) => {
    const first = next++;
    client.setRequests(requests.filter((_, i) => i % connections === first));
  };
  const done = Promise.withResolvers<autocannon.Result>();
  const run = autocannon({ url, connections, amount, setupClient }, (error, result) =>
    error ? done.reject(error) : done.resolve(result),
  );
  run.on('response', (_client, _status, _bytes, tookMs) => {
    tookNs.push(tookMs * 1e6);
    until = performance.now();
  });
  const { non2xx, errors, timeouts, statusCodeStats } = await done.promise;
  if (non2xx + errors + timeouts > 0 || tookNs.length !== amount)
    throw new Error(`${url}: ${errors + timeouts} requests failed, answers ${JSON.stringify(statusCodeStats)}`);
  return { tookNs, perSecond: (amount * 1000) / (until - from) };
}
