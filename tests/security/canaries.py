"""Canaries: a gateway at its most talkative, with a mark as every secret that it holds or is sent, before a provider
that repeats whatever it gets. No secret may then stand in anything that the gateway lets out or keeps, and no prompt or
completion in what it writes down."""

import hashlib
import json
import threading
import time
from collections import Counter
from pathlib import Path
from urllib.parse import quote

from client import Client, Entry, Journal, Reply, request
from echo import BODIES, Echo
from marks import Mark, Search
from canary_search import search_entries, search_files, search_rows
from canary_world import CONFIGURATION, MISTAKES, ROLES, SECRETS, WORDS, values
from places import CHAT, admin_places, all_places, bearer, chat_body
from stage import Stage, folder_bytes, lines_that_are_no_json

PARTS = (
    "echoes of a provider", "every place of a request", "limits and repeated requests", "the admin API",
    "mistakes in a configuration", "metrics are told", "logs, metrics, command line", "database", "answers",
)  # fmt: skip


def echo_models():
    """What the provider is asked to do, once for each caller."""
    models = [f"error/{status}/{form}" for status in (400, 401, 403, 404, 422, 429, 500, 503) for form in BODIES]
    crossing = (
        "content-disposition",
        "content-language",
        "content-type",
        "openai-model",
        "openai-processing-ms",
        "openai-version",
        "retry-after",
        "retry-after-ms",
        "x-ratelimit-remaining-tokens",
        "x-should-retry",
        "set-cookie",
        "www-authenticate",
        "x-custom",
        "server",
        "location",
    )
    models += [f"field/{status}/{name}" for status in (200, 401, 500) for name in crossing]
    forms = ("plain", "first", "prefixed", "percent", "escaped", "twice", "everything")
    models += [f"id/{status}/{form}" for status in (200, 429, 500) for form in forms]
    models += [f"event/{kind}" for kind in ("first", "named", "lines", "middle")]
    broken = (
        "status-line",
        "field",
        "length",
        "chunk",
        "reason",
        "cut",
        "gzip",
        "huge",
        "not-json",
        "event",
        "event-cut",
    )
    return models + [f"broken/{kind}" for kind in broken] + ["ok"]


class Canaries:
    def __init__(self, folder, binary):
        self.folder = folder
        self.echo = Echo(WORDS["completion"].text)
        self.values = values(self.echo.port)
        folder.mkdir()
        (folder / "second.key").write_text(SECRETS["second provider key"].text + "\n")
        text = CONFIGURATION.format(**self.values).replace("file:second.key", f"file:{folder / 'second.key'}")
        self.stage = Stage(folder / "gateway", binary, text)
        self.good_text = text
        self.journal = Journal()
        self.made = []  # marks of keys that the API made
        self.metrics = b""
        self._local = threading.local()

    # --- asking ---

    def ask(self, plane, what, raw, placed=()):
        clients = self._local.__dict__.setdefault("clients", {})
        client = clients.setdefault(plane, Client(self.stage.ports[plane]))
        reply = client.ask(raw)
        while plane == "admin" and reply.status == 429:  # its rate is limited over all callers
            time.sleep(0.1)
            reply = client.ask(raw)
        self.journal.add(Entry(plane, what, frozenset(each.name for each in placed), reply))
        return reply

    def admin(self, what, method, target, body=None, token="owner", placed=()):
        raw = request(
            method, target, bearer(self.values[token]), json.dumps(body).encode() if body is not None else b""
        )
        return self.ask("admin", what, raw, placed)

    def callers(self):
        """Name -> the fields that make it."""
        text = {name: each.text for name, each in SECRETS.items()}
        passing = [f"x-tollgate-key: {text['key of the passing tenant']}"]
        return {
            "key of the file": bearer(text["key of the file"]),
            "key known by its digest": [f"x-api-key: {text['key known by its digest']}"],
            "key of the API": [f"api-key: {self.made[0].text}"],
            "tenant with its own credential": bearer(text["key of the tenant with its own credential"]),
            "passing tenant": passing + bearer(text["the caller's own credential"]),
        }

    def make_key(self, name):
        """A key made by the API; what is left of the answer without the key goes into the journal."""
        raw = request(
            "POST",
            "/admin/v1/keys",
            bearer(self.values["own"]),
            json.dumps({"tenant": "acme", "name": name, "may_delegate": True}).encode(),
        )
        reply = Client(self.stage.ports["admin"]).ask(raw)
        if reply.status != 201:
            raise RuntimeError(f"no key was made: {reply}")
        made = json.loads(reply.body)
        key = made.pop("key")
        self.made.append(Mark(f"key of the API {len(self.made)}", key, key[7:-4]))  # its hint tells the ends
        self.journal.add(
            Entry(
                "admin",
                "the answer that tells a new key",
                frozenset(),
                Reply(201, reply.head, json.dumps(made).encode()),
            )
        )
        return made["id"]

    # --- parts ---

    def echoes(self):
        """The provider repeats everything in each place that an answer has, for each caller."""
        faults, prompt = [], WORDS["prompt"]
        fields = [f"x-tollgate-user: {WORDS['end user'].text}", f"User-Agent: {WORDS['end user'].text}"]
        placed = (prompt, WORDS["end user"], WORDS["completion"])
        for caller, credentials in self.callers().items():
            for model in echo_models():
                for provider in ("sim", "other") if model.startswith("error/401") else ("sim",):
                    body = chat_body(
                        model=f"{provider}/{model}",
                        messages=[{"role": "user", "content": prompt.text}],
                        stream="event" in model,
                    )
                    raw = request("POST", CHAT, [*credentials, *fields], body)
                    reply = self.ask("data", f"{caller}, {provider}/{model}", raw, placed)
                    if model == "ok" and reply.status != 200:
                        faults.append(f"{caller}: a good request was answered with {reply.status} {reply.body[:200]}")
        return faults + self.other_endpoints(placed)

    def other_endpoints(self, placed):
        faults = []
        credentials = self.callers()["key of the file"]
        for path in ("/v1/completions", "/v1/responses", "/v1/embeddings", "/v1/moderations"):
            for model in ("error/401/json", "error/500/text", "event/first", "event/named", "id/500/prefixed"):
                body = json.dumps(
                    {
                        "model": f"sim/{model}",
                        "input": WORDS["prompt"].text,
                        "prompt": WORDS["prompt"].text,
                        "stream": model.startswith("event"),
                    }
                ).encode()
                reply = self.ask("data", f"{path}, {model}", request("POST", path, credentials, body), placed)
                if reply.status == 0 and not model.startswith("event"):
                    faults.append(f"{path}, {model}: no answer")
        return faults

    def places(self):
        """Every mark in every place of a request, with and without a good key, on each plane."""
        faults = []
        self.place_count = 0
        good = SECRETS["key of the file"].text
        for each in [*SECRETS.values(), *self.made, *WORDS.values()]:
            for place in all_places():
                placed = () if place.credential else (each, WORDS["completion"])
                for plane, key in (("data", good), ("data", ""), ("admin", ""), ("metrics", "")):
                    if plane == "admin" and self.is_token(each, place):
                        continue
                    raw = place.make(each.text, key)
                    self.ask(plane, f"{each.name}, {place.name}{'' if key else ', no key'}", raw, placed)
                    self.place_count += 1
        raw = request("POST", CHAT, bearer(good), chat_body(model="m"))
        reply = self.ask("data", "a good request at the end", raw, (WORDS["completion"],))
        if reply.status != 200:
            faults.append(f"a good request at the end was answered with {reply.status}")
        return faults

    def is_token(self, each, place):
        """With a true token it would be a call of the API, which has a part of its own."""
        return place.credential and "token" in each.name

    def doors(self):
        """The admin API as each role uses it, and every mark in each of its parameters."""
        faults = []
        made = self.make_key("second")
        for role in ("owner", *ROLES):
            for target in (
                "keys",
                "keys?include_revoked=true",
                f"keys/{made}",
                "keys/acme/ci",
                "tenants",
                "tenants/acme",
                "audit?limit=1000",
                "audit/verify",
                "config",
                "openapi.json",
            ):
                reply = self.admin(f"{role}, {target}", "GET", f"/admin/v1/{target}", token=role)
                if reply.status != 200:
                    faults.append(f"{role}, GET {target}: {reply.status} {reply.body[:200]}")
        for each in [*SECRETS.values(), *self.made]:
            for place in admin_places():
                placed = (each,)
                reply = self.ask(
                    "admin", f"{each.name}, {place.name}", place.make(each.text, self.values["owner"]), placed
                )
                if reply.status not in (400, 404, 405):
                    faults.append(f"{each.name}, {place.name}: {reply.status} {reply.body[:200]}")
        reply = self.admin("a key is revoked", "DELETE", f"/admin/v1/keys/{made}")
        if reply.status != 200:
            faults.append(f"revoking: {reply.status} {reply.body[:200]}")
        digest = hashlib.sha256(SECRETS["key that nobody has"].text.encode()).hexdigest()
        self.admin(
            "a key known by its digest is made",
            "POST",
            "/admin/v1/keys",
            {"tenant": "acme", "name": "carried", "sha256": digest},
        )
        self.admin("the same again", "POST", "/admin/v1/keys", {"tenant": "acme", "name": "carried", "sha256": digest})
        return faults

    def mistakes(self):
        """Configurations with a secret in a wrong place: what a reload says and writes down."""
        faults = []
        for what, right, wrong in MISTAKES:
            right, wrong = right.format(**self.values), wrong.format(**self.values)
            if right not in self.good_text:
                faults.append(f"{what}: there is nothing to replace")
                continue
            self.stage.file.write_text(self.good_text.replace(right, wrong, 1))
            reply = self.admin(f"reload, {what}", "POST", "/admin/v1/reload", {}, "operate")
            if reply.status != 422:
                faults.append(f"{what}: {reply.status} {reply.body[:200]}")
        self.stage.file.write_text(self.good_text)
        reply = self.admin("reload of the good one", "POST", "/admin/v1/reload", {}, "operate")
        if reply.status != 200:
            faults.append(f"the good configuration was refused: {reply.body[:300]}")
        self.admin("the audit of it", "GET", "/admin/v1/audit?limit=1000", token="read")
        return faults

    def refusals(self):
        """Limits, repeated requests, wrong listeners."""
        faults = []
        limited = bearer(SECRETS["key of the limited tenant"].text)
        body = chat_body(model="m", messages=[{"role": "user", "content": WORDS["prompt"].text}])
        placed = (WORDS["prompt"], WORDS["completion"])
        statuses = {
            self.ask("data", "the limited tenant", request("POST", CHAT, limited, body), placed).status
            for _ in range(5)
        }
        if 429 not in statuses:
            faults.append(f"the limited tenant was answered with {statuses}")
        for model in ("ok", "error/400/json", "error/401/text", "error/500/html"):
            for number in range(3):
                fields = [
                    *bearer(SECRETS["key of the file"].text),
                    f"Idempotency-Key: {WORDS['Idempotency-Key'].text}-{model}",
                ]
                body = chat_body(model=f"sim/{model}", messages=[{"role": "user", "content": WORDS["prompt"].text}])
                placed = (WORDS["prompt"], WORDS["completion"], WORDS["Idempotency-Key"])
                self.ask("data", f"{model} for the {number + 1}. time", request("POST", CHAT, fields, body), placed)
        return faults

    def take_metrics(self):
        reply = Client(self.stage.ports["metrics"]).ask(request("GET", "/metrics", bearer(self.values["metrics"])))
        self.metrics = reply.body
        return [] if reply.status == 200 else [f"GET /metrics: {reply.status}"]

    # --- what is searched ---

    def replies(self):
        """All replies as one text; what each may hold is judged by where a hit is."""
        search = Search([*SECRETS.values(), *self.made, *WORDS.values()])
        return search_entries(search, self.journal.entries)

    def texts(self):
        """Logs, metrics, what the system shows of the process: none of the marks."""
        proc = Path(f"/proc/{self.stage.pid}")
        names = b"\n".join(path.read_bytes() for path in proc.glob("task/*/comm"))
        sinks = {
            "access log": self.stage.access_log,
            "diagnostic log": self.stage.said,
            "metrics": self.metrics,
            "command line": (proc / "cmdline").read_bytes() + names,
        }
        faults = [f"{name}: it is empty, so nothing was searched" for name, text in sinks.items() if not text]
        search = Search([*SECRETS.values(), *self.made, *WORDS.values()])
        for name, text in sinks.items():
            faults += [
                f"{name}: {each.name} {form}: {text[max(0, at - 100) : at + 60]!r}"
                for each, form, at in search.in_text(text)
            ]
        for name in ("access log", "diagnostic log"):
            faults += [f"{name}: no JSON: {line[:200]!r}" for line in lines_that_are_no_json(sinks[name])]
        self.searched = {name: len(text) for name, text in sinks.items()}
        return faults

    def database(self):
        """The file as bytes, with its log: no secret in any form. Its rows: digests only where keys are kept."""
        path = self.stage.folder / "store.db"
        files = {name: folder_bytes(f"{path}{name}") for name in ("", "-wal", "-shm")}
        if not files[""]:
            return ["there is no database"]
        self.searched.update({f"store.db{name}": len(data) for name, data in files.items()})
        faults = search_files(files, [*SECRETS.values(), *self.made])
        return faults + search_rows(path, [*SECRETS.values(), *self.made, *WORDS.values()])


def play(suite, folder, binary):
    """Runs the parts; a line about what was searched."""
    canaries = Canaries(folder, binary)
    try:
        canaries.make_key("first")
        side = threading.Thread(target=lambda: suite.run("the admin API", canaries.doors))
        side.start()
        suite.run("echoes of a provider", canaries.echoes)
        suite.run("every place of a request", canaries.places)
        suite.run("limits and repeated requests", canaries.refusals)
        side.join()
        suite.run("mistakes in a configuration", canaries.mistakes)
        suite.run("metrics are told", canaries.take_metrics, always=True)
        suite.run("logs, metrics, command line", canaries.texts, always=True)
        suite.run("database", canaries.database, always=True)
    finally:
        suite.run("the gateway ends in order", canaries.stage.stop, always=True)
        canaries.echo.stop()
    suite.run("diagnostics to the end", lambda: search_end(canaries), always=True)
    suite.run("answers", canaries.replies, always=True)
    statuses = Counter(entry.reply.status for entry in canaries.journal.entries)
    replied = sum(len(entry.reply.head) + len(entry.reply.body) for entry in canaries.journal.entries)
    sinks = {"answers": replied, **canaries.searched}
    return (
        f"canaries: {len(SECRETS) + len(canaries.made) + len(WORDS)} marks, {len(canaries.journal.entries):,} requests "
        "and answers, "
        f"{len(all_places())} + {len(admin_places())} places, {len(MISTAKES)} broken configurations; searched "
        + ", ".join(f"{name} {size:,} B" for name, size in sinks.items())
        + f"; statuses {dict(sorted(statuses.items()))}"
    )


def search_end(canaries):
    search = Search([*SECRETS.values(), *canaries.made, *WORDS.values()])
    faults = [f"diagnostic log: {each.name} {form}" for each, form, _ in search.in_text(canaries.stage.said)]
    path = canaries.stage.folder / "store.db"
    return faults + search_files({"": folder_bytes(path)}, [*SECRETS.values(), *canaries.made])


def self_test():
    """Each judge finds what it is there to find."""
    secret, word = SECRETS["provider key"], WORDS["prompt"]
    search = Search([secret, word])
    leak = Entry("data", "a leak", frozenset(), Reply(500, b"HTTP/1.1 500", secret.text.encode()))
    own = Entry("data", "its own", frozenset([word.name]), Reply(500, b"HTTP/1.1 500", word.text.encode()))
    wrong = []
    if len(search_entries(search, [own, leak, own])) != 1:
        wrong.append("a leak in an answer is not told from what a client sent itself")
    if not search_files({"": b"x" + quote(secret.text, safe="").encode()}, [secret]):
        wrong.append("a secret in a file is not found")
    if not lines_that_are_no_json(b'{"a":1}\n{"b":\n2}\n'):
        wrong.append("a broken line is not found")
    return wrong
