#!/usr/bin/env python3
"""Asks a real model through the gateway, in OpenAI's words and in Anthropic's, and compares what the SDKs were told with what the
gateway has logged: runner.py BINARY MODEL_FILE [-k TEXT]. What the model says is shown, not judged: only that it says something,
that its tokens are counted, and that its refusals are the errors that the SDKs know."""

import argparse
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from importlib.metadata import version
from pathlib import Path

import anthropic
import openai
from process import PLANES, Process
from suite import MOST_TOLD, Suite, printable

HERE = Path(__file__).resolve().parent
PROMPT = "The capital of France is"
MESSAGES = [{"role": "user", "content": PROMPT}]
AS_JSON = [{"role": "user", "content": 'The capital of France as JSON: {"city": "Paris"}\nThe capital of Italy as JSON: '}]
CITY = {"type": "object", "properties": {"city": {"enum": ["Paris", "Rome"]}}, "required": ["city"]}
TOO_LONG = [{"role": "user", "content": "word " * 3000}]  # the model's server gives a conversation 1,024 tokens
GREEDY = {"temperature": 0}  # which Anthropic's SDK has no name for any more
SECONDS = 300  # a small machine with other work makes a few tokens a second


class ModelServer:
    def __init__(self, model_file, log):
        command = [sys.executable, str(HERE / "model_server.py"), model_file]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        self.address = self._process.stdout.readline().strip()
        if not self.address:
            raise RuntimeError("the model's server has not started")

    def stop(self):
        self._process.stdin.close()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


class Checks:
    def __init__(self, gateway, access):
        address = f"http://{gateway.addresses['data']}"
        options = {"api_key": "unused", "max_retries": 0, "timeout": SECONDS}
        self._openai = openai.OpenAI(base_url=f"{address}/v1", **options)
        self._anthropic = anthropic.Anthropic(base_url=address, **options)
        self._lines = queue.SimpleQueue()
        threading.Thread(target=self._read, args=(access,), daemon=True).start()

    def _read(self, access):
        for line in access:
            self._lines.put(json.loads(line))

    def logged(self, faults, tokens=None, **expected):
        """The next line of the access log, shown; what it should say and does not becomes a fault."""
        line = self._lines.get(timeout=SECONDS)
        names = ("endpoint", "model", "status", "outcome", "input_tokens", "cached_input_tokens", "output_tokens",
                 "first_token_ms", "upstream_ms", "overhead_us")  # fmt: skip
        print("   log:", json.dumps({name: line[name] for name in names if name in line}))
        if tokens:
            expected |= {"input_tokens": tokens[0], "output_tokens": tokens[1]}
        for name, value in expected.items():
            if line.get(name) != value:
                faults.append(f"the log says {name} {line.get(name)!r}, not {value!r}")
        return faults

    def faults_of(self, check):
        try:
            return check(self)
        except Exception:
            self._lines.get(timeout=SECONDS)  # it is not the next part's
            raise

    def chat(self):
        answer = self._openai.chat.completions.create(model="gpt-4o", messages=MESSAGES, max_tokens=6, temperature=0)
        text, usage = answer.choices[0].message.content, answer.usage
        print(f"   said: {text!r}, {answer.choices[0].finish_reason}, {usage.prompt_tokens} + {usage.completion_tokens} tokens")
        faults = [] if text.strip() else ["no text"]
        return self.logged(faults, (usage.prompt_tokens, usage.completion_tokens), status=200, outcome="ok", model="gemma")

    def chat_stream(self):
        stream = self._openai.chat.completions.create(
            model="auto", messages=MESSAGES, max_tokens=6, temperature=0, stream=True, stream_options={"include_usage": True}
        )
        chunks = list(stream)
        pieces = [c.choices[0].delta.content for c in chunks if c.choices and c.choices[0].delta.content]
        usage = chunks[-1].usage
        print(f"   said: {pieces}, {usage.prompt_tokens} + {usage.completion_tokens} tokens")
        faults = [] if len(pieces) > 1 else [f"{len(pieces)} pieces"]
        return self.logged(faults, (usage.prompt_tokens, usage.completion_tokens), status=200, outcome="ok", stream=True)

    def chat_stream_without_usage(self):
        """The client does not ask for usage and is not told; the log has it all the same."""
        stream = self._openai.chat.completions.create(model="auto", messages=MESSAGES, max_tokens=3, temperature=0, stream=True)
        chunks = list(stream)
        faults = [f"usage that was not asked for: {chunk.usage}" for chunk in chunks if chunk.usage or not chunk.choices]
        return self.logged(faults, status=200, outcome="ok", output_tokens=3)

    def chat_schema(self):
        """A grammar makes even this model write what was asked for."""
        form = {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY}}
        answer = self._openai.chat.completions.create(
            model="auto", messages=AS_JSON, max_tokens=32, temperature=0, response_format=form
        )
        text, usage = answer.choices[0].message.content, answer.usage
        print(f"   said: {text!r}")
        faults = [] if json.loads(text)["city"] in ("Paris", "Rome") else [f"not of the schema: {text!r}"]
        return self.logged(faults, (usage.prompt_tokens, usage.completion_tokens), status=200)

    def client_leaves(self):
        stream = self._openai.chat.completions.create(model="auto", messages=MESSAGES, max_tokens=400, stream=True)
        next(iter(stream))
        stream.close()
        return self.logged([], outcome="cancelled", ended_by="client")

    def chat_too_long(self):
        try:
            self._openai.chat.completions.create(model="auto", messages=TOO_LONG, max_tokens=3)
            faults = ["was answered"]
        except openai.BadRequestError as error:
            print(f"   said: {error.status_code}, type {error.type}, code {error.code}: {error.body.get('message')}")
            faults = []
        return self.logged(faults, status=400, outcome="client_error")

    def message(self):
        answer = self._anthropic.messages.create(model="claude-opus-4-7", messages=MESSAGES, max_tokens=6, extra_body=GREEDY)
        text, usage = answer.content[0].text, answer.usage
        print(f"   said: {text!r}, {answer.stop_reason}, usage {usage.model_dump(exclude_none=True)}")
        faults = [] if text.strip() and answer.model == "claude-opus-4-7" else [f"{text!r} of {answer.model}"]
        read = usage.input_tokens + (usage.cache_read_input_tokens or 0)
        return self.logged(faults, (read, usage.output_tokens), status=200, outcome="ok", endpoint="/v1/messages")

    def message_stream(self):
        with self._anthropic.messages.stream(model="auto", messages=MESSAGES, max_tokens=6, extra_body=GREEDY) as stream:
            pieces = list(stream.text_stream)
            answer = stream.get_final_message()
        usage = answer.usage
        print(f"   said: {pieces}, {answer.stop_reason}, usage {usage.model_dump(exclude_none=True)}")
        faults = [] if len(pieces) > 1 and "".join(pieces) == answer.content[0].text else [f"pieces {pieces}"]
        read = usage.input_tokens + (usage.cache_read_input_tokens or 0)
        return self.logged(faults, (read, usage.output_tokens), status=200, outcome="ok", stream=True)

    def message_schema(self):
        answer = self._anthropic.messages.create(
            model="auto",
            messages=AS_JSON,
            max_tokens=32,
            extra_body={**GREEDY, "output_config": {"format": {"type": "json_schema", "schema": CITY}}},
        )
        text = answer.content[0].text
        print(f"   said: {text!r}, {answer.stop_reason}")
        faults = [] if json.loads(text)["city"] in ("Paris", "Rome") else [f"not of the schema: {text!r}"]
        return self.logged(faults, status=200)

    def message_too_long(self):
        try:
            self._anthropic.messages.create(model="auto", messages=TOO_LONG, max_tokens=3)
            faults = ["was answered"]
        except anthropic.BadRequestError as error:
            said = error.body["error"]
            print(f"   said: {error.status_code}, {said['type']}: {said['message']}")
            faults = [] if said["message"].startswith("prompt is too long") else ["not the words that clients look for"]
        return self.logged(faults, status=400, outcome="client_error")

    def count(self):
        """Counted by the gateway: an estimate, and said to be one."""
        raw = self._anthropic.messages.with_raw_response.count_tokens(model="auto", messages=MESSAGES)
        counted, warning = raw.parse().input_tokens, raw.headers.get("x-tollgate-warning")
        print(f"   said: {counted} tokens, warning {warning}")
        faults = [] if counted > 0 and warning == "estimated_tokens" else [f"{counted}, {warning}"]
        return self.logged(faults, status=200, endpoint="/v1/messages/count_tokens")


PARTS = {
    "OpenAI: chat": Checks.chat,
    "OpenAI: stream": Checks.chat_stream,
    "OpenAI: stream, usage not asked for": Checks.chat_stream_without_usage,
    "OpenAI: JSON of a schema": Checks.chat_schema,
    "OpenAI: a client that leaves": Checks.client_leaves,
    "OpenAI: a prompt too long": Checks.chat_too_long,
    "Anthropic: message": Checks.message,
    "Anthropic: stream": Checks.message_stream,
    "Anthropic: JSON of a schema": Checks.message_schema,
    "Anthropic: a prompt too long": Checks.message_too_long,
    "Anthropic: count_tokens": Checks.count,
}


def play(suite, binary, model_file, folder):
    with open(folder / "model.log", "w") as log:
        model = ModelServer(model_file, log)
    os.environ["LOCAL_MODEL"] = model.address
    reading, writing = os.pipe()
    try:
        gateway = Process([binary, "serve", "--config", str(HERE / "routes.yaml")], PLANES, writing)
        os.close(writing)
        checks = Checks(gateway, os.fdopen(reading))
        for name, check in PARTS.items():
            if suite.wants(name):
                print(f"{name}:", flush=True)
            suite.run(name, lambda check=check: checks.faults_of(check))
        suite.run("the gateway ends in order", lambda: [f"exit code {code}" for code in [gateway.stop()] if code], always=True)
    finally:
        model.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary")
    parser.add_argument("model_file")
    parser.add_argument("-k", default="", help="only parts whose name holds this text")
    arguments = parser.parse_args()
    print("local:", ", ".join(f"{name} {version(name)}" for name in ("xllamacpp", "openai", "anthropic")))
    suite = Suite("local", arguments.k)
    with tempfile.TemporaryDirectory(prefix="local-") as folder:
        play(suite, arguments.binary, arguments.model_file, Path(folder))
    print()
    for part in suite.parts:
        print(f"{part.name}: {'ok' if not part.faults else 'FAULT'} ({part.seconds:.1f} s)")
        for fault in part.faults[:MOST_TOLD]:
            print(f"    {printable(fault)}")
    failed = sum(bool(part.faults) for part in suite.parts)
    print(f"{len(suite.parts) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
