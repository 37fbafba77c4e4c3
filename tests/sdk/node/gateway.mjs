// Runs tollgate for the tests: a configuration of its own, addresses chosen by the system, and the gateway's own word on
// when and where it listens.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

const configuration = `
version: 1
server: {listen: ["127.0.0.1:0"]}
admin: {listen: "127.0.0.1:0"}
metrics: {listen: "127.0.0.1:0"}
providers:
  sim: {protocol: openai, simulator: {first_token: 5ms, tokens_per_second: 2000}}
models:
  sim-small: {provider: sim}
  "sim/*": {provider: sim, name: "*"}
routes:
  auto: {match: ["gpt-4*"], primary: sim-small}
`;

const planes = ['data', 'admin', 'metrics'];

async function addressesOf(child) {
  const addresses = {};
  const said = [];
  for await (const line of createInterface({ input: child.stderr })) {
    said.push(line);
    let event;
    try {
      event = JSON.parse(line);
    } catch {
      continue;
    }
    if (event?.event === 'listening') addresses[event.plane] = event.address;
    if (planes.every((plane) => plane in addresses)) return addresses;
  }
  throw new Error(`the gateway does not listen:\n${said.join('\n')}`);
}

export async function startGateway() {
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-'));
  const file = join(folder, 'routes.yaml');
  await writeFile(file, configuration);
  const child = spawn(process.env.TOLLGATE_BINARY, ['serve', '--config', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit');
  const addresses = await Promise.race([addressesOf(child), delay(30_000, null, { ref: false })]);
  if (!addresses) {
    child.kill('SIGKILL');
    throw new Error('the gateway did not start within 30 s');
  }
  child.stderr.resume();
  // A gateway that listens and does not answer would cost every test its timeout.
  const ready = await fetch(`http://${addresses.data}/health/ready`, { signal: AbortSignal.timeout(5000) }).catch((error) => error);
  if (!ready.ok) {
    child.kill('SIGKILL');
    throw new Error(`the gateway is not ready: ${ready.status ?? ready}`);
  }

  return {
    origin: `http://${addresses.data}`,
    baseURL: `http://${addresses.data}/v1`,
    /** The value of a metric without labels. */
    async metric(name) {
      const text = await (await fetch(`http://${addresses.metrics}/metrics`)).text();
      return Number(text.split('\n').find((line) => line.startsWith(`${name} `)).split(' ')[1]);
    },
    /** Ends it in order; the exit code, or the signal that killed it. */
    async stop() {
      child.kill('SIGTERM');
      const [code, signal] = await exited;
      await rm(folder, { recursive: true });
      return code ?? signal;
    },
  };
}

/** Waits until a condition holds, looking often; fails after ten seconds. */
export async function eventually(condition, what) {
  const deadline = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(what);
    await delay(5);
  }
}
