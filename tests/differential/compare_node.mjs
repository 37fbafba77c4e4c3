// Lets Node's HTTP server read each accepted request from a raw socket: node compare_node.mjs RECORDS. Each is followed
// by another request, so that another reading of its end shows. Ends with 1 where Node reads one in another way.
import { createReadStream } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { createInterface } from 'node:readline';

const NEXT = 'GET /next HTTP/1.1\r\nHost: next\r\nConnection: close\r\n\r\n';
const AT_ONCE = 32;
const SHOWN = 20;

const seen = new Map(); // by the client's port: what the server understood on that connection

function note(socket, entry) {
  const entries = seen.get(socket.remotePort);
  if (entries) entries.push(entry);
}

const strict = { insecureHTTPParser: false, maxHeaderSize: 256 * 1024, requireHostHeader: true };
const server = http.createServer(strict, (request, response) => {
  const { method, url, httpVersion: version, rawHeaders } = request;
  const entry = { method, url, version, rawHeaders };
  const pieces = [];
  note(request.socket, entry);
  request.on('data', (piece) => pieces.push(piece));
  request.on('end', () => {
    entry.body = Buffer.concat(pieces).toString('hex');
    entry.trailers = request.rawTrailers;
    response.end();
  });
});
server.on('clientError', (error, socket) => {
  note(socket, { error: error.code ?? error.message });
  socket.destroy();
});
// `Expect: 100-continue` and an `Upgrade` without a handler are dealt with as Node does by default.

function send(port, record) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    let local;
    socket.on('connect', () => {
      local = socket.localPort;
      seen.set(local, []);
      socket.end(Buffer.concat([Buffer.from(record.raw, 'hex'), Buffer.from(NEXT)]));
    });
    socket.on('data', () => {});
    socket.on('error', () => {});
    socket.on('close', () => {
      const entries = seen.get(local) ?? [];
      seen.delete(local);
      resolve(entries);
    });
  });
}

function byName(pairs) {
  const values = {};
  for (const [name, value] of pairs) {
    (values[`_${name.toLowerCase()}`] ??= []).push(value.replace(/^[ \t]+|[ \t]+$/g, ''));
  }
  return JSON.stringify(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function pairsOf(raw) {
  return raw.filter((_, index) => index % 2 === 0).map((name, index) => [name, raw[2 * index + 1]]);
}

// '' where Node reads the request as we do, `refused: ...` where it does not take it, else what differs.
function verdict(record, [first, second]) {
  if (!first) return 'refused: closed';
  if (first.error) return `refused: ${first.error}`;
  if (first.body === undefined) return second?.error ? `refused: ${second.error}` : 'no end';
  if (first.method !== record.method) return 'method';
  if (first.url !== record.target) return 'target';
  if (first.version !== (record.http_1_0 ? '1.0' : '1.1')) return 'version';
  if (byName(pairsOf(first.rawHeaders)) !== byName(record.fields)) return 'fields';
  if (first.body !== record.body) return 'body';
  if (first.trailers.length > 0) return 'trailers';
  // Node does not know "keep-alive" with a tab behind it, and closes.
  const closed = second?.error === 'HPE_CLOSED_CONNECTION';
  if (record.http_1_0 && record.keep_alive && closed) return 'known: tab after keep-alive in HTTP/1.0';
  // Without a handler for upgrades Node reads such a request, and nothing behind it.
  const asksFor = (name, value) => name.toLowerCase() === 'connection' && /\bupgrade\b/i.test(value);
  const upgrade = record.fields.some(([name, value]) => asksFor(name, value));
  if (upgrade && record.keep_alive && !second) return 'known: nothing is read behind Connection: upgrade';
  // A connection that is to close takes no second request.
  if (second && !second.error && second.url !== '/next') return 'another end';
  return second?.url === '/next' || !record.keep_alive ? '' : `no next request: ${second?.error}`;
}

const counts = { peer: 'Node', same: 0, refused: 0, known: 0, disagree: 0 };
const reasons = {};
const refusedRecords = [];

async function compare(port, line, number) {
  const record = JSON.parse(line);
  const result = verdict(record, await send(port, record));
  if (result === '') {
    counts.same += 1;
  } else if (/^(refused|known):/.test(result)) {
    counts[result.split(':')[0]] += 1;
    if (result.startsWith('refused:')) refusedRecords.push(number);
    reasons[result] = (reasons[result] ?? 0) + 1;
  } else {
    counts.disagree += 1;
    const shown = JSON.stringify(Buffer.from(record.raw, 'hex').toString('latin1')).slice(0, 1500);
    if (counts.disagree <= SHOWN) console.log(`Node disagrees (${result}): ${shown}`);
  }
}

server.listen(0, '127.0.0.1', async () => {
  const { port } = server.address();
  const lines = createInterface({ input: createReadStream(process.argv[2]) })[Symbol.asyncIterator]();
  let number = 0;
  const worker = async () => {
    for (let next = await lines.next(); !next.done; next = await lines.next()) {
      await compare(port, next.value, number++);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  server.close();
  const { node: version } = process.versions;
  console.log(JSON.stringify({ ...counts, version, reasons, refused_records: refusedRecords }));
  process.exitCode = counts.disagree > 0 || counts.same === 0 ? 1 : 0;
});
