"""Strings that want to be statements, in every credential, parameter and member: each is a value like any other that
nobody knows. What is stored stays as it was, and a log line stays a line."""

import json
import re
import sqlite3
import threading
import time
from pathlib import Path

from client import Client, Reply, request
from corpus import LEAST, SINGLES, strings
from echo import Echo
from places import ADMIN_TARGETS, CHAT, MESSAGES, admin_places, bearer
from stage import Stage, lines_that_are_no_json

KEY, TOKEN = "key-of-the-injection-suite-0123456789", "token-of-the-injection-suite-0123456789"
PARTS = ("credentials", "admin API", "fields and members", "what is stored", "logs")
LANES = 4  # gateways side by side: the admin API takes 50 requests a second
LARGEST_FIELD = 30_000  # bytes that fit into a head beside the rest
TARGETS_EACH, BODIES_EACH = 2, 3  # admin places that each string is put into, in turn; the single ones into all
TELLTALE = re.compile(
    rb"sqlite|syntax error|near \"|no such (table|column)|constraint|prepare|statement", re.IGNORECASE
)
PATTERN = re.compile(r"[\w.:/@-]*\*")  # what may stand in `allow`: it is no name that nobody knows
METRICS_PAGE = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"

CONFIGURATION = """
version: 1
server: {{listen: ["127.0.0.1:0"], threads: 1}}
admin: {{listen: "127.0.0.1:0", token: {token}}}
metrics: {{listen: "127.0.0.1:0", token: {token}-metrics}}
log: {{access: ./access.log, level: debug}}
storage: {{path: store.db}}
providers:
  only: {{base_url: "http://127.0.0.1:{port}/v1"}}
models:
  m: {{provider: only}}
  "sim/*": {{provider: only, name: "*"}}
tenants:
  acme:
    keys: [{{name: ci, secret: {key}, may_delegate: true}}]
    end_user_limits: {{requests_per_minute: 100000}}
"""


class Lane:
    """A gateway with a store of its own, and a share of the strings."""

    def __init__(self, folder, binary, number, echo):
        text = CONFIGURATION.format(port=echo.port, key=KEY, token=TOKEN)
        self.stage = Stage(folder / f"gateway-{number}", binary, text)
        self.clients = {plane: Client(port) for plane, port in self.stage.ports.items()}
        self.strings = strings()[number::LANES]
        self.requests, self.faults = 0, []
        self.revoked = self._fill()
        self.before = stored(self.stage.folder / "store.db")

    def _fill(self):
        """So that there is something to be lost, and a line in the log."""
        self.ask("data", chat({}))
        made = []
        for name in ("one", "two", "three"):
            reply = self.ask(
                "admin",
                request("POST", "/admin/v1/keys", bearer(TOKEN), json.dumps({"tenant": "acme", "name": name}).encode()),
            )
            if reply.status != 201:
                raise RuntimeError(f"no key was made: {reply.status} {reply.body[:300]}")
            made.append(json.loads(reply.body))
        reply = self.ask("admin", request("DELETE", f"/admin/v1/keys/{made[0]['id']}", bearer(TOKEN)))
        if reply.status != 200:
            raise RuntimeError(f"the key was not revoked: {reply.status} {reply.body[:300]}")
        return made[0]["key"]

    def ask(self, plane, raw, text=""):
        while True:
            reply = self.clients[plane].ask(raw)
            self.requests += 1
            if "\n" in text:  # it may have been a head's end: what follows is answered too
                self.clients[plane].close()
            if reply.status != 429:
                return reply
            time.sleep(0.1)

    def fault(self, what, text, reply):
        self.faults.append(f"{what}, {text[:60]!r} ({len(text)} characters): {reply.status} {reply.body[:200]!r}")

    # --- credentials ---

    def credentials(self):
        places = [
            (plane, target, name)
            for plane, target in (("data", "/v1/models"), ("admin", "/admin/v1/keys"), ("metrics", "/metrics"))
            for name in ("Authorization: Bearer ", "Authorization: ", "x-api-key: ", "api-key: ", "x-tollgate-key: ")
        ]
        for plane, target, name in places:
            unknown = self.ask(plane, request("GET", target, [f"{name}nobody-knows-me"]))
            if unknown.status != 401:
                self.fault(f"{plane}, {name}", "an unknown key", unknown)
            for text in [*self.strings, self.revoked]:
                reply = self.ask(plane, request("GET", target, [f"{name}{text}"]), text)
                if not as_unknown(text, reply, unknown):
                    self.fault(f"{plane}, {name}", text, reply)

    # --- the admin API ---

    def admin(self):
        places = admin_places()
        targets, bodies = places[: len(ADMIN_TARGETS)], places[len(ADMIN_TARGETS) :]
        known = {place.name: self.ask("admin", place.make("unknown-value", TOKEN)) for place in places}
        for number, text in enumerate(self.strings):
            some = [targets[(number * TARGETS_EACH + i) % len(targets)] for i in range(TARGETS_EACH)]
            some += [bodies[(number * BODIES_EACH + i) % len(bodies)] for i in range(BODIES_EACH)]
            for place in places if text in SINGLES[:12] else some:
                if PATTERN.fullmatch(text) and place.name.startswith(("member allow", "member deny")):
                    continue
                reply = self.ask("admin", place.make(text, TOKEN))
                # A target may be refused before anybody looks for what it names; long ones break a limit.
                if reply.status not in (known[place.name].status, 400, 413, 414) or tells(reply, text):
                    self.fault(place.name, text, reply)

    # --- the data port ---

    def fields(self):
        places = {
            "model": lambda text: chat({"model": text}),
            "a model's part": lambda text: chat({"model": f"sim/{text}"}),
            "user": lambda text: chat({"user": text}),
            "metadata": lambda text: chat({"metadata": {text: text}}),
            "x-tollgate-user": lambda text: chat({}, f"x-tollgate-user: {text}"),
            "Idempotency-Key": lambda text: chat({}, f"Idempotency-Key: {text}"),
            "x-request-id": lambda text: chat({}, f"x-request-id: {text}"),
            "User-Agent": lambda text: chat({}, f"User-Agent: {text}"),
        }
        for text in self.strings:
            for name, make in places.items():
                reply = self.ask("data", make(text), text)
                if reply.status not in (200, 400, 404, 413, 414, 431) and not (
                    reply.status == 0 and len(text) > LARGEST_FIELD
                ):
                    self.fault(name, text, reply)
                elif reply.status != 200 and tells(reply, text):
                    self.fault(name, text, reply)
        reply = self.ask("data", chat({}))
        if reply.status != 200:
            self.fault("a good request at the end", "", reply)

    # --- what is left ---

    def store(self):
        after = stored(self.stage.folder / "store.db")
        faults = []
        for table in sorted(self.before.keys() | after.keys()):
            old, new = self.before.get(table), after.get(table)
            if old != new and table != "answer":  # kept answers come and go
                faults.append(f"{table}: {len(old or [])} rows before, {len(new or [])} after, and not the same")
        return faults

    def logs(self):
        faults = []
        known = set(re.findall(r"`([a-z_]+)`", METRICS_PAGE.read_text()))
        for name, text in (("access log", self.stage.access_log), ("diagnostic log", self.stage.said)):
            faults += [f"{name}: no JSON: {line[:200]!r}" for line in lines_that_are_no_json(text)]
        lines = [json.loads(line) for line in self.stage.access_log.splitlines()]
        if not lines:
            faults.append("the access log is empty")
        strangers = {member for line in lines for member in line} - known
        return faults + [f"access log: a member that nobody documented: {each}" for each in sorted(strangers)]


def chat(members, *fields):
    body = json.dumps({"model": "m", "messages": MESSAGES, **members}).encode()
    return request("POST", CHAT, [*bearer(KEY), *fields], body)


def tells(reply, text):
    """Whether an answer has a database's words in it that its client did not send."""
    return TELLTALE.search(reply.body) and not TELLTALE.search(text.encode("utf-8", "surrogateescape"))


def as_unknown(text, reply, unknown):
    """Whether a string in a field was taken for an unknown key, or refused as no part of a head."""
    data = text.encode("utf-8", "surrogateescape")
    if len(data) > LARGEST_FIELD:
        return reply.status in (0, 401, 431)
    if b"\r\n" in data:  # that is another field, or the end of the head
        return reply.status in (400, 401)
    if re.search(rb"[\x00-\x08\x0a-\x1f\x7f-\xff]", data):
        return reply.status == 400
    if not data.strip():
        return reply.status == 401
    return reply.stable() == unknown.stable()


def stored(path):
    """Table -> its rows, in the order of their own."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    rows = {table: sorted(map(repr, connection.execute(f'SELECT * FROM "{table}"'))) for table in tables}
    rows["the schema"] = sorted(map(repr, connection.execute("SELECT type, name, sql FROM sqlite_schema")))
    connection.close()
    return rows


def play(suite, folder, binary):
    folder.mkdir()
    echo = Echo()
    lanes = [Lane(folder, binary, number, echo) for number in range(LANES)]

    def on_each(action):
        """Runs a part on all lanes at the same time."""

        def guarded(lane):
            try:
                action(lane)
            except Exception as problem:  # noqa: BLE001, told as a fault
                lane.faults.append(f"{type(problem).__name__}: {problem}")

        def run():
            threads = [threading.Thread(target=guarded, args=(lane,)) for lane in lanes]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            faults = [fault for lane in lanes for fault in lane.faults]
            for lane in lanes:
                lane.faults = []
            return faults

        return run

    try:
        suite.run("credentials", on_each(Lane.credentials))
        suite.run("admin API", on_each(Lane.admin))
        suite.run("fields and members", on_each(Lane.fields))
        suite.run("what is stored", lambda: [fault for lane in lanes for fault in lane.store()], always=True)
    finally:
        suite.run(
            "the gateways end in order", lambda: [fault for lane in lanes for fault in lane.stage.stop()], always=True
        )
    suite.run("logs", lambda: [fault for lane in lanes for fault in lane.logs()], always=True)
    echo.stop()
    rows = sum(len(rows) for lane in lanes for rows in lane.before.values())
    return (
        f"injection: {len(strings())} strings (at least {LEAST}), {sum(lane.requests for lane in lanes):,} requests to "
        f"{LANES} gateways; {rows} rows and schema entries compared"
    )


def self_test():
    wrong = []
    unknown = Reply(401, b"HTTP/1.1 401 Unauthorized\r\nDate: a", b"{}")
    if as_unknown("' OR 1=1", Reply(200, b"", b""), unknown) or as_unknown("'", Reply(500, b"", b""), unknown):
        wrong.append("a string that opens a door is taken for an unknown one")
    if not as_unknown("'", Reply(401, b"HTTP/1.1 401 Unauthorized\r\nDate: b", b"{}"), unknown):
        wrong.append("a refusal of another second is taken for another one")
    if not TELLTALE.search(b'near "OR": syntax error'):
        wrong.append("a database's words are not known")
    return wrong
