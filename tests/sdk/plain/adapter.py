"""Plain HTTP behind the calls of the feature tests, by httpx and by curl: what scripts do without an SDK."""

import base64
import json
import struct
import subprocess
import tempfile
from types import SimpleNamespace

import httpx

from openai_turns import asked, json_format, merged, run_agent


class Refused(Exception):
    """An answer that is no success; the classes below are named by status."""

    def __init__(self, status, request_id, body):
        super().__init__(f"{status}: {body}")
        self.status, self.request_id = status, request_id
        try:
            self.error = json.loads(body)["error"]
        except ValueError:
            self.error = {"message": body, "code": None}


class BrokenStream(Exception):
    """A stream with an error event."""

    def __init__(self, error):
        super().__init__(error["message"])
        self.error = error


class CurlFailed(Exception):
    """curl ended with an exit code that says why."""


class CurlRefused(CurlFailed):
    """Exit code 7: no connection."""


class CurlTimedOut(CurlFailed):
    """Exit code 28."""


def shown(error):
    about = {"message": error.error["message"], "code": error.error["code"]}
    if isinstance(error, Refused):
        about |= {"status": error.status, "request_id": error.request_id}
    return about


def errors(connection, timeout):
    statuses = (400, 401, 403, 404, 409, 413, 422, 429, 500, 502, 503, 504)
    return {
        **dict.fromkeys(statuses, Refused),
        "connection": connection,
        "timeout": timeout,
        "stream": BrokenStream,
        "retried": dict.fromkeys(statuses, Refused),
    }


class Plain:
    """What both have in common; `post` and `get` return a text or raise, `events` yields the lines of a stream."""

    def __init__(self, base_url, retries=0, timeout=30, headers=None):
        self.base_url, self.retries, self.timeout = base_url, retries, timeout
        self.headers = {"authorization": "Bearer test-key", "content-type": "application/json", **(headers or {})}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    @staticmethod
    def _body(model, text, tools, picture=None, **more):
        if tools:
            more |= {"tools": tools, "tool_choice": "required"}
        return json.dumps({"model": model, "messages": asked(text, picture), **more})

    def chat(self, model, text, tools=None, picture=None):
        answer = json.loads(self.post("/chat/completions", self._body(model, text, tools, picture)))
        message = answer["choices"][0]["message"]
        calls = [(call["function"]["name"], call["function"]["arguments"]) for call in message.get("tool_calls", [])]
        return SimpleNamespace(
            text=message["content"],
            finish=answer["choices"][0]["finish_reason"],
            tokens=answer["usage"]["total_tokens"],
            calls=calls,
        )

    def stream(self, model, text, tools=None, usage=False):
        more = {"stream_options": {"include_usage": True}} if usage else {}
        for chunk in self._chunks(self._body(model, text, tools, stream=True, **more)):
            yield self._delta(chunk)

    def _chunks(self, body):
        lines = self.events("/chat/completions", body)
        try:
            for line in lines:
                assert not line or line.startswith((": ", "data: ")), line
                if not line.startswith("data: {"):
                    continue
                chunk = json.loads(line.removeprefix("data: "))
                if "error" in chunk:
                    raise BrokenStream(chunk["error"])
                yield chunk
        finally:
            lines.close()

    @staticmethod
    def _delta(chunk):
        delta = chunk["choices"][0]["delta"] if chunk["choices"] else {}
        call = (delta.get("tool_calls") or [{"function": {}}])[0]["function"]
        return SimpleNamespace(
            text=delta.get("content") or "",
            tokens=(chunk.get("usage") or {}).get("total_tokens"),
            call_name=call.get("name"),
            call_arguments=call.get("arguments") or "",
        )

    def agent(self, model, text, tools, use, stream=False, effort=None):
        more = {"reasoning_effort": effort} if effort else {}

        def ask(messages):
            body = json.dumps({"model": model, "messages": messages, "tools": tools, "stream": stream, **more})
            if stream:
                return merged(self._chunks(body))
            return json.loads(self.post("/chat/completions", body))["choices"][0]["message"]

        return run_agent(ask, text, use)

    def json(self, model, text, schema):
        body = self._body(model, text, None, response_format=json_format(schema))
        return json.loads(json.loads(self.post("/chat/completions", body))["choices"][0]["message"]["content"])

    def embed(self, model, texts, encoding):
        body = json.dumps({"model": model, "input": texts, "encoding_format": encoding})
        answers = [item["embedding"] for item in json.loads(self.post("/embeddings", body))["data"]]
        if encoding == "float":
            return answers
        return [struct.unpack(f"<{len(packed) // 4}f", packed) for packed in map(base64.b64decode, answers)]

    def models(self):
        return [model["id"] for model in json.loads(self.get("/models"))["data"]]


class Httpx(Plain):
    def __init__(self, base_url, retries=0, **options):
        assert not retries, "httpx repeats no answered request"
        super().__init__(base_url, **options)
        self._http = httpx.Client(base_url=base_url, timeout=self.timeout, headers=self.headers)

    def __exit__(self, *_):
        self._http.close()

    @staticmethod
    def _checked(response):
        if response.status_code != 200:
            raise Refused(response.status_code, response.headers["x-request-id"], response.read().decode())
        return response

    def post(self, path, body):
        return self._checked(self._http.post(path, content=body)).text

    def get(self, path):
        return self._checked(self._http.get(path)).text

    def events(self, path, body):
        with self._http.stream("POST", path, content=body) as response:
            yield from self._checked(response).iter_lines()


class Curl(Plain):
    def _command(self, path, more):
        fields = [part for name, value in self.headers.items() for part in ("--header", f"{name}: {value}")]
        # Without progress, without buffering; what went wrong stands in the exit code.
        return ["curl", "--silent", "--no-buffer", *fields, *more, self.base_url + path]

    def _run(self, path, more, given=None):
        # --max-time is over the whole call; the deadline of a read does not exist here.
        retries = ["--retry", str(self.retries), "--retry-delay", "1"] if self.retries else []
        with tempfile.NamedTemporaryFile() as answer:
            told = ["--output", answer.name, "--write-out", "%{http_code} %header{x-request-id}"]
            command = self._command(path, [*more, *retries, "--max-time", str(self.timeout), *told])
            done = subprocess.run(command, input=given, capture_output=True, text=True)
            text = answer.read().decode()
        raise_for(done.returncode)
        status, request_id = done.stdout.split()
        if status != "200":
            raise Refused(int(status), request_id, text)
        return text

    def post(self, path, body):
        return self._run(path, ["--data-binary", "@-"], body)

    def get(self, path):
        return self._run(path, [])

    def events(self, path, body):
        # A stream that carries less than a byte a second for so long is given up. The head comes before the body.
        more = ["--data-binary", "@-", "--include", "--speed-limit", "1", "--speed-time", str(self.timeout)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(self._command(path, more), text=True, **pipes) as curl:
            try:
                curl.stdin.write(body)
                curl.stdin.close()
                head = {}
                status = curl.stdout.readline().split()[1]
                while line := curl.stdout.readline().strip():
                    name, _, value = line.partition(": ")
                    head[name.lower()] = value
                if status != "200":
                    raise Refused(int(status), head["x-request-id"], curl.stdout.read())
                for line in curl.stdout:
                    yield line.rstrip("\n")
                raise_for(curl.wait())
            finally:
                curl.terminate()


def raise_for(exit_code):
    if exit_code:
        raise {7: CurlRefused, 28: CurlTimedOut}.get(exit_code, CurlFailed)(f"exit code {exit_code}")


SDKS = [
    SimpleNamespace(COLUMN="httpx", ERRORS=errors(httpx.ConnectError, httpx.ReadTimeout), shown=shown, client=Httpx),
    SimpleNamespace(COLUMN="curl", ERRORS=errors(CurlRefused, CurlTimedOut), shown=shown, client=Curl),
]
