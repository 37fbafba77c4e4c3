#!/usr/bin/env python3
"""Clients of one API in front of providers of the other: whether each stream is one answer while a provider fails, and whether
the same tokens cost the same nano-dollars on every way. The gateway and the simulated providers are processes of their own."""

import asyncio
import collections
import itertools
import json
import os
import sys
import time

import conversations
import rounds
import streams
from books import OUTCOMES, audit_truth, first_of, nanos, plain
from callers import Caller
from stage import Stage
from till import KEY, PATIENT, Till, ask_once, post, tenant

RUNS, CLIENTS = 1000, 24
PATHS = {"chat": "/v1/chat/completions", "messages": "/v1/messages"}
HEADS = {"chat": [], "messages": ["anthropic-version: 2023-06-01"]}

# --- X1 ---

BEFORE = ("error_500", "error_502", "error_503", "error_529", "reset_before_head", "close_before_head", "garbage_head",
          "error_first", "empty_choices", "hang_before_head")
OPENING = ("close_before_content", "role_then_hang")  # of a call GPT has then told the name: that is content
WITHIN = ("close_mid_stream", "reset_mid_stream", "hang_mid_stream", "error_event", "malformed_event", "short_without_done")
AT_THE_END = ("end_without_done",)  # all has come, its end is made up for
FAULTS = (*BEFORE, *OPENING, *WITHIN, *AT_THE_END)
ALLOWED = {"gpt": (), "claude": ("empty_choices",)}  # Claude may say nothing at all: that is an answer
SPEED = ["--first-token", "2ms", "--tokens-per-second", "0", "--answer-tokens", "24"]
PAIRS = {"GPT, then Claude": ("gpt", "claude"), "Claude, then GPT": ("claude", "gpt")}
ROUTES = """
providers:
  gpt: {base_url: "http://@gpt@/v1", @terms@}
  claude: {base_url: "http://@claude@", protocol: anthropic, @terms@}
models:
  gpt: {provider: gpt, name: gpt-x}
  claude: {provider: claude, name: claude-opus-4-6}
routes:
  mixed: {primary: @first@, fallbacks: [@second@], retry: {attempts: 2, backoff: {base: 1ms, max: 2ms}, on_timeout: always}}
"""


def terms():
    return (PATIENT + ", credentials: [{name: main, key: key-of-the-provider-0123456789}], "
            "timeouts: {first_token: 1s, idle: 1500ms}, pool: {max_connections: 2000}")


class Fallback:
    """So many runs of each client's API, a quarter of which the primary spoils."""

    def __init__(self, name):
        self.name, (self.first, self.second) = name, PAIRS[name]
        self.counts, self.wrong, self.texts = collections.Counter(), [], collections.defaultdict(set)
        self.broken_texts = []

    def run(self, count):
        faults = [word for name in FAULTS if name not in ALLOWED[self.first] for word in ("--fault", f"{name}=1")]
        simulators = {self.first: [*SPEED, "--failure-rate", "25%", *faults], self.second: SPEED}
        routes = ROUTES.replace("@terms@", terms()).replace("@first@", self.first).replace("@second@", self.second)
        with Stage(simulators, routes) as stage:
            asyncio.run(self.crowd(stage.port, count))
            self.expect_truth(stage)
        self.expect_texts()
        return self

    async def crowd(self, port, count):
        kinds = itertools.cycle(itertools.product(PATHS, conversations.ENDINGS))
        left = iter([next(kinds) for _ in range(2 * count)])

        async def client():
            caller = Caller(port)
            for api, ending in left:
                raw = post("any", conversations.body(api, "mixed", ending, stream=True), PATHS[api], HEADS[api])
                try:
                    answer = await asyncio.wait_for(caller.ask(raw), 30)
                except (OSError, ValueError, asyncio.TimeoutError):
                    answer = None
                    caller.close()
                self.judge(api, ending, answer)
            caller.close()

        await asyncio.gather(*(client() for _ in range(CLIENTS)))

    def judge(self, api, ending, answer):
        self.counts[api] += 1
        if answer is None or answer.status != 200:
            self.counts["no answer"] += 1
            self.wrong.append(f"{api}/{ending}: {answer and (answer.status, answer.body[:200])}")
            return
        told = streams.read(api, answer.body)
        provider = answer.fields.get("x-tollgate-provider")
        self.counts[told.ended] += 1
        self.counts[f"from {provider}"] += 1
        self.counts[f"{told.ended} from {provider}"] += 1
        if told.faults:
            self.counts["malformed"] += 1
            self.wrong.append(f"{api}/{ending} from {provider}: {told.faults[:3]}")
        shape = tuple(told.parts)
        if told.ended == "end":
            self.texts[api, ending, provider].add(shape)
            calls = sum(part[0] == "call" for part in shape)
            if calls != conversations.ENDINGS[ending][1]:
                self.wrong.append(f"{api}/{ending} from {provider}: {calls} calls")
            if set(told.call_ids) & conversations.KNOWN_IDS:
                self.wrong.append(f"{api}/{ending} from {provider}: an id of the history's again")
        else:
            self.broken_texts.append(((api, ending, provider), shape))

    def expect_texts(self):
        """The same question has one answer at a provider: another one is two that were mixed."""
        for key, found in self.texts.items():
            if len(found) != 1:
                self.wrong.append(f"{key}: {len(found)} different answers")
        for key, shape in self.broken_texts:
            if self.texts[key] and not is_begin(shape, next(iter(self.texts[key]))):
                self.wrong.append(f"{key}: what came before the error does not begin the answer")

    def expect_truth(self, stage):
        """What the primary has spoilt against what clients have seen of it."""
        deadline = time.monotonic() + 10
        while stage[self.first].stats()["requests"]["active"] and time.monotonic() < deadline:
            time.sleep(0.05)
        faults = collections.Counter(entry["fault"] for entry in stage[self.first].truth())
        asked = sum(faults.values())
        self.counts["asked"] = asked
        self.counts["before"] = sum(faults[name] for name in BEFORE)
        self.counts["within"] = sum(faults[name] for name in WITHIN)
        self.counts["opening"] = sum(faults[name] for name in OPENING)
        self.counts["after"] = sum(faults[name] for name in AT_THE_END)
        # A reset may overtake all that came before it.
        unsure = faults["reset_mid_stream"] + sum(faults[name] for name in OPENING)
        # What a connection that was used before dies of is asked once more on another one; that is no attempt.
        self.counts["asked anew"] = asked - self.counts["chat"] - self.counts["messages"]
        if not 0 <= self.counts["within"] + self.counts["opening"] - self.counts["error"] <= unsure:
            self.wrong.append(f"{self.counts['error']} ended by an error, {self.counts['within']} broke after content")
        fell = self.counts[f"from {self.second}"] + self.counts["asked anew"]
        if not 0 <= fell - self.counts["before"] <= unsure:
            self.wrong.append(f"{fell} answers of the second or asked anew, {self.counts['before']} failed before content")
        if self.counts[f"error from {self.second}"]:
            self.wrong.append("the second, which is sound, broke")

    def line(self):
        counts = self.counts
        return (f"{self.name}: {counts['chat']:,} of the chat API and {counts['messages']:,} of the Messages API, "
                f"{counts['before'] + counts['opening'] + counts['within'] + counts['after']:,} of {counts['asked']:,} spoilt by the "
                f"first ({counts['before']} before content, {counts['opening']} after the opening, {counts['within']} within, "
                f"{counts['after']} without the end alone): "
                f"{counts['end']:,} whole ({counts[f'end from {self.second}']} by the second, {counts['asked anew']} asked anew), "
                f"{counts['error']} with one error event, {counts['no answer']} without an answer, {counts['malformed']} malformed")


def is_begin(parts, whole):
    """Whether these parts may be what had come of the whole."""
    if not parts:
        return True
    matched = len(parts) <= len(whole) and all(a[:-1] == b[:-1] for a, b in zip(parts, whole))
    return matched and all(b[-1].startswith(a[-1]) or a[-1] == "{}" for a, b in zip(parts, whole))


def x1():
    """Mid-conversation, with calls and results in the history, streamed: one coherent answer or one error, never a mixture."""
    done = [Fallback(name).run(40 if rounds.quick else RUNS) for name in PAIRS]
    wrong = [f"{each.name}: {fault}" for each in done for fault in each.wrong]
    return not wrong, "; ".join(each.line() for each in done) + first_of(wrong)


# --- X2 ---

RATES = {"input": "1.234567891", "cached_input": "0.123456789", "cache_write": "1.543209863", "cache_write_long": "2.469135782",
         "output": "7.654321987"}
ANSWER = 21
CACHES = {"plain": None, "5 minutes": "5m", "1 hour": "1h"}
PARITY = f"""
providers:
  gpt: {{base_url: "http://@gpt@/v1", {PATIENT}}}
  claude: {{base_url: "http://@claude@", protocol: anthropic, {PATIENT}}}
models:
  gpt: {{provider: gpt, name: "sim,tokens={ANSWER},rate=0", price: @price@}}
  claude: {{provider: claude, name: "sim,tokens={ANSWER},rate=0", price: @price@}}
tenants:
""".replace("@price@", "{" + ", ".join(f"{name}: {rate}" for name, rate in RATES.items()) + ", source: bench}")


def cost_of(entry):
    """What a provider's own counts come to: rounded once, half up."""
    read, short, long = (entry[f"cache_{name}_tokens"] for name in ("read", "write_5m", "write_1h"))
    classes = {"input": entry["prompt_tokens"] - read - short - long, "cached_input": read, "cache_write": short,
               "cache_write_long": long, "output": entry["completion_tokens"]}
    return (sum(count * nanos(RATES[name]) for name, count in classes.items()) + 500_000) // 1_000_000


class Parity:
    def __init__(self, till):
        self.till, self.cells, self.wrong = till, {}, []

    def run(self, api, provider, stream, cache, turn):
        """`turn` 0 writes what turn 1 reads."""
        name = f"{api} by {provider}/{'stream' if stream else 'json'}/{cache}/{('first', 'again')[turn]}"
        lead = f"{api}-{stream}-{cache}".replace(" ", "-")  # a word of its own: else one cell would read another's cache
        body = conversations.plain_body(api, provider, lead, CACHES[cache], stream)
        answer = ask_once(self.till.port, post(KEY.format("acme"), body, PATHS[api], [*HEADS[api], "x-tollgate-include: cost"]))
        if answer is None or answer.status != 200:
            self.wrong.append(f"{name}: {answer and (answer.status, answer.body[:200])}")
            return
        if stream:
            told = streams.read(api, answer.body)
            self.wrong += [f"{name}: {fault}" for fault in told.faults]
            usage, cost = told.usage, told.usage.get("cost_usd")
            cost = None if cost is None else f"{cost:.9f}"
        else:
            usage, cost = json.loads(answer.body)["usage"], answer.fields.get("x-tollgate-cost-usd")
        if cost is None and not (stream and api == "messages"):
            self.wrong.append(f"{name}: the client is told no cost")
        self.cells[name] = (plain(answer.fields["x-request-id"]), cost, usage, (api, provider, stream, cache, turn))

    def judge(self, kept, truth):
        """Costs by what was used, in nano-dollars: each has to be one."""
        said = {plain(entry["client_request_id"]): entry for entry in truth}
        costs = collections.defaultdict(set)
        for name, (identifier, told, usage, key) in self.cells.items():
            rows = [row for row in kept.attempts.values() if row["request"] == identifier]
            if len(rows) != 1 or rows[0]["id"] not in said:
                self.wrong.append(f"{name}: {len(rows)} rows, or none that a provider knows")
                continue
            row, entry = rows[0], said[rows[0]["id"]]
            self.expect_row(name, row, entry, told)
            self.expect_usage(name, key[0], usage, entry)
            costs[key[1], key[3], key[4]].add((row["input_tokens"], row["output_tokens"], row["cost"]))
        for (provider, cache, turn), found in costs.items():
            if len(found) != 1:
                self.wrong.append(f"{provider}/{cache}/{turn}: {sorted(found)} for the same words")
        if len({pair for key, found in costs.items() if key[1] == "plain" for pair in found}) != 1:
            self.wrong.append("the providers' answers cost differently")
        return costs

    def expect_row(self, name, row, entry, told):
        due = {"input_tokens": entry["prompt_tokens"], "cached_input_tokens": entry["cache_read_tokens"],
               "cache_write_tokens": entry["cache_write_5m_tokens"], "cache_write_long_tokens": entry["cache_write_1h_tokens"],
               "output_tokens": entry["completion_tokens"], "cost": cost_of(entry)}
        found = {column: row[column] for column in due}
        if found != due or OUTCOMES[row["outcome"]] != "ok" or row["estimated"]:
            self.wrong.append(f"{name}: the row says {found}, due is {due}")
        if told is not None and nanos(told) != due["cost"]:
            self.wrong.append(f"{name}: the client was told {told}, due is {due['cost']}")

    def expect_usage(self, name, api, usage, entry):
        """In the words of the client's API."""
        read, written = entry["cache_read_tokens"], entry["cache_write_5m_tokens"] + entry["cache_write_1h_tokens"]
        if api == "chat":
            details = usage.get("prompt_tokens_details") or {}
            found = (usage["prompt_tokens"], details.get("cached_tokens", 0), usage["completion_tokens"])
            due = (entry["prompt_tokens"], read, entry["completion_tokens"])
        else:
            found = tuple(usage.get(key) or 0 for key in ("input_tokens", "cache_read_input_tokens",
                                                          "cache_creation_input_tokens", "output_tokens"))
            due = (entry["prompt_tokens"] - read - written, read, written, entry["completion_tokens"])
        if found != due:
            self.wrong.append(f"{name}: usage {found}, due is {due}")


def x2():
    """The same words cost the same by every client's API, streamed or not; what is cached costs what its class costs."""
    with Till({"gpt": SPEED, "claude": SPEED}, PARITY + tenant("acme", "{name: pot, amount: 100 USD, window: total}")) as till:
        parity = Parity(till)
        for api, provider, stream, cache in itertools.product(PATHS, ("gpt", "claude"), (False, True), CACHES):
            for turn in (0, 1):
                parity.run(api, provider, stream, cache, turn)
        parity.wrong += [] if till.await_rest() else ["it does not come to rest"]
        kept, truth = till.ledger(), till.truth()
        costs = parity.judge(kept, truth)
        wrong = parity.wrong + kept.audit() + audit_truth(kept, truth)[0]
    told = ", ".join(f"{provider} {cache} {('first', 'again')[turn]} {'/'.join(str(each[2]) for each in sorted(found))}"
                     for (provider, cache, turn), found in sorted(costs.items()))
    return not wrong, (f"{len(parity.cells)} cells of client x provider x stream x cache, nano-dollars: {told}; rows, classes and what "
                       f"clients are told as the providers count{first_of(wrong)}")


def self_test():
    """Sound streams in which nothing may be found, and the same spoilt in every way that the checker is there for."""
    missed = 0
    for api in PATHS:
        sound = conversations.sound_stream(api)
        found = streams.read(api, sound).faults
        print(f"{api}, sound: {found or 'nothing'}")
        missed += bool(found)
        for what, spoilt in conversations.spoilt_streams(api, sound):
            found = streams.read(api, spoilt).faults
            print(f"{api}, {what}: {'found: ' + found[0] if found else 'NOTHING'}")
            missed += not found
    print(f"{missed} MISSED" if missed else "every one was found")
    return 1 if missed else 0


EXPERIMENTS = {"X1": x1, "X2": x2}


if __name__ == "__main__":
    if "--self-test" in sys.argv:
        sys.exit(self_test())
    sys.exit(rounds.run(EXPERIMENTS, __doc__))
