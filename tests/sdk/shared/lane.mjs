// What the Node lanes share: the stack of stack.py to run against, and what it told so far.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const here = process.env.LANE_SHARED;
const patience = 30_000; // milliseconds that an expected event may take; it is late only where something is broken

const read = (name) => JSON.parse(readFileSync(join(here, name), 'utf8'));
export const plan = read('features.json');
export const errors = read('errors.json');

export async function startStack() {
  const child = spawn('python3', [join(here, 'stack.py')], { stdio: ['pipe', 'pipe', 'pipe'] });
  const told = [];
  const said = [];
  const waiting = new Set();
  let over = false;
  let names = 0;
  const wake = () => waiting.forEach((look) => look());
  createInterface({ input: child.stderr }).on('line', (line) => said.push(line));
  createInterface({ input: child.stdout }).on('line', (line) => {
    told.push(JSON.parse(line));
    wake();
  });
  const ended = new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal));
  });
  child.once('close', () => {
    over = true;
    wake();
  });

  /** What was told of such events so far, in order. */
  const all = (event, fields = {}) =>
    told.filter((each) => each.event === event && Object.entries(fields).every(([key, value]) => each[key] === value));

  /** The first such event, told already or still to come. */
  const wait = (event, fields = {}) =>
    new Promise((resolve, reject) => {
      const settle = (act) => {
        clearTimeout(timer);
        waiting.delete(look);
        act();
      };
      const give_up = () =>
        settle(() => reject(new Error(`no event ${event} ${JSON.stringify(fields)}:\n${said.join('\n')}`)));
      const look = () => {
        const [found] = all(event, fields);
        if (found) settle(() => resolve(found));
        else if (over) give_up();
      };
      const timer = setTimeout(give_up, patience);
      waiting.add(look);
      look();
    });

  const ready = await wait('ready');
  /** A model at the simulator that no other request names, so that its calls can be told from all others. */
  const name = (steering) => `x${(names += 1)},${steering}`;
  return {
    ...ready,
    baseURL: `${ready.origin}/v1`,
    all,
    wait,
    name,
    /** Every call of a model at the simulator. Entries are written in the order in which requests end: once that of a request
     * of our own is there, so are those of all that were answered before. */
    async calls(model) {
      const marker = name('tokens=1');
      const body = JSON.stringify({ model: marker, messages: [{ role: 'user', content: 'marker' }] });
      const headers = { 'content-type': 'application/json' };
      await (await fetch(`${ready.simulator}/v1/chat/completions`, { method: 'POST', body, headers })).text();
      await wait('upstream', { model: marker });
      return all('upstream', { model });
    },
    /** The value of a metric without labels. */
    async gauge(name) {
      const text = await (await fetch(`${ready.metrics}/metrics`)).text();
      return Number(text.split('\n').find((line) => line.startsWith(`${name} `)).split(' ')[1]);
    },
    /** Ends it in order; the exit code. */
    async stop() {
      child.stdin.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), patience);
      const code = await ended;
      clearTimeout(timer);
      return code;
    },
  };
}
