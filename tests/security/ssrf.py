"""Requests that try to choose whom the gateway dials. It dials the configured provider and nothing else: every
connect() of the process is looked at, and listeners on all other addresses of this machine wait for it."""

import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

from client import Client, request
from dials import Catcher, Peers, can_trace, trace_prefix, traced
from echo import Echo
from hosts import LEAST, bare_hosts, spellings
from places import CHAT, MESSAGES, bearer
from stage import Stage

KEY, TOKEN = "key-of-the-ssrf-suite-0123456789", "token-of-the-ssrf-suite-0123456789"
PARTS = (
    "members of the body",
    "query",
    "header fields",
    "Host and target",
    "redirects",
    "admin API",
    "what was dialled",
)

CONFIGURATION = """
version: 1
server: {{listen: ["127.0.0.1:0"], threads: 2, trusted_proxies: ["127.0.0.0/8"]}}
admin: {{listen: "127.0.0.1:0", token: {token}}}
metrics: {{listen: "127.0.0.1:0"}}
log: {{access: ./access.log, level: debug}}
storage: {{path: store.db}}
providers:
  only: {{base_url: "http://127.0.0.1:{port}/v1", credentials: [{{name: main, key: provider-key-0123456789}}]}}
models:
  m: {{provider: only}}
  "sim/*": {{provider: only, name: "*"}}
tenants:
  acme: {{keys: [{{name: ci, secret: {key}, may_delegate: true}}]}}
"""

MEMBERS = {
    "base_url": lambda url: {"base_url": url, "api_key": "x"},
    "api_base": lambda url: {"api_base": url},
    "litellm_params": lambda url: {"litellm_params": {"api_base": url, "base_url": url}},
    "url": lambda url: {"url": url, "uri": url, "endpoint": url, "host": url, "target": url},
    "proxy": lambda url: {"proxy": url, "http_proxy": url, "https_proxy": url},
    "webhook": lambda url: {"webhook": url, "callback_url": url, "success_callback": [url]},
    "extra_body": lambda url: {"extra_body": {"base_url": url}, "extra_query": {"base_url": url}},
    "extra_headers": lambda url: {"extra_headers": {"Host": url}, "headers": {"X-Forwarded-Host": url}},
    "metadata": lambda url: {"metadata": {"base_url": url}},
    "model": lambda url: {"model": url},
    "a model's part": lambda url: {"model": f"sim/{url}"},
    "a provider's prefix": lambda url: {"model": f"only/{url}"},
    "user": lambda url: {"user": url},
    "image_url": lambda url: {"messages": [message({"type": "image_url", "image_url": {"url": url}})]},
    "input_image": lambda url: {"messages": [message({"type": "input_image", "image_url": url})]},
    "file_url": lambda url: {"messages": [message({"type": "input_file", "file_url": url})]},
    "input_audio": lambda url: {
        "messages": [message({"type": "input_audio", "input_audio": {"url": url, "data": url}})]
    },
    "tools": lambda url: {"tools": [{"type": "mcp", "server_label": "x", "server_url": url}]},
}
QUERIES = ("base_url={}", "api_base={}", "url={}", "target={}", "{}", "host={}&port=80", "model={}", "redirect_uri={}")
FIELDS = (
    "X-Forwarded-Host: {}", "X-Forwarded-Server: {}", "X-Forwarded-For: {}", "X-Forwarded-Proto: {}",
    "X-Forwarded-Prefix: {}", "Forwarded: for={};host={}", "X-Original-URL: {}", "X-Rewrite-URL: {}",
    "X-Original-Host: {}", "X-Host: {}", "X-HTTP-Host-Override: {}", "X-Real-IP: {}", "True-Client-IP: {}",
    "Referer: {}", "Via: 1.1 {}", "Proxy: {}", "Destination: {}", "Location: {}", "X-Accel-Redirect: {}",
    "x-tollgate-base-url: {}", "x-tollgate-upstream: {}", "x-tollgate-provider: {}", "x-tollgate-target: {}",
    "x-tollgate-route: {}", "x-tollgate-user: {}", "x-base-url: {}", "x-portkey-custom-host: {}",
    "x-portkey-config: {}", "x-litellm-api-base: {}", "helicone-target-url: {}", "helicone-openai-api-base: {}",
    "OpenAI-Beta: {}", "User-Agent: {}", "cf-aig-target: {}", "SOAPAction: {}",
)  # fmt: skip
KEY_MEMBERS = ("base_url", "url", "webhook", "callback_url", "credentials", "provider")


def message(part):
    return {"role": "user", "content": [{"type": "text", "text": "what is this?"}, part]}


class Ssrf:
    def __init__(self, folder, binary):
        folder.mkdir()
        self.echo, self.catcher = Echo(), Catcher()
        self.trace = folder / "connects" if can_trace() else None
        text = CONFIGURATION.format(port=self.echo.port, key=KEY, token=TOKEN)
        # A proxy of the environment is a dial that nobody configured.
        proxy = f"http://127.0.0.1:{self.catcher.port}"
        names = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        prefix = ["env", *(f"{name}={proxy}" for name in names), *(trace_prefix(self.trace) if self.trace else [])]
        self.stage = Stage(folder / "gateway", binary, text, prefix)
        self.peers = Peers(self.stage.pid, self.stage.ports.values())
        self.data, self.admin = Client(self.stage.ports["data"]), Client(self.stage.ports["admin"])
        self.urls, self.hosts = spellings(self.catcher.port), bare_hosts(self.catcher.port)
        self.sent, self.admin_sent, self.statuses = 0, 0, {}
        self.dials = 0

    def ask(self, method, target, fields=(), body=b"", host="localhost"):
        reply = self.data.ask(request(method, target, [*bearer(KEY), *fields], body, host))
        self.sent += 1
        self.statuses[reply.status] = self.statuses.get(reply.status, 0) + 1
        return reply

    def chat(self, fields=(), target=CHAT, host="localhost", **members):
        body = json.dumps({"model": "m", "messages": MESSAGES, **members}).encode()
        return self.ask("POST", target, fields, body, host)

    def members(self):
        for url in self.urls:
            for make in MEMBERS.values():
                self.chat(**make(url))
        return self.alive()

    def queries(self):
        for url in self.urls:
            for query in QUERIES:
                self.chat(target=f"{CHAT}?{query.replace('{}', quote(url, safe=''))}")
        for url in self.urls[:40]:
            self.ask("GET", f"/v1/models/{quote(url, safe='')}")
        return self.alive()

    def fields(self):
        for url in self.urls:
            for line in FIELDS:
                self.chat([line.replace("{}", url)])
        return self.alive()

    def targets(self):
        """Where the gateway is told whom it is: a Host of every spelling, targets with a host, a tunnel."""
        faults = []
        for host in self.hosts:
            self.chat(host=host)
            self.chat(["X-Forwarded-Host: " + host], host=host)
        for url in self.urls:
            for target in (
                url,
                f"/{url}",
                f"/v1/{url}",
                f"//{url}",
                url.partition("://")[2] or url,
                f"/v1/chat/completions/../{url}",
            ):
                if re.search(r"[\s]", target):
                    continue
                self.chat(target=target)
        for host in self.hosts:
            if " " in host or "\t" in host:
                continue
            if self.ask("CONNECT", host, host=host).status == 200:
                faults.append(f"CONNECT {host} was answered with 200")
        return faults + self.alive()

    def redirects(self):
        faults = []
        for status in (300, 301, 302, 303, 305, 307, 308):
            for url in self.urls:
                if '"' in url or "\\" in url:
                    continue
                reply = self.chat(model=f"sim/redirect/{status}/{url}")
                if b"\r\nlocation:" in reply.head.lower():
                    faults.append(f"{status} to {url}: the client was told where to go")
        return faults + self.alive()

    def admin_api(self):
        """Addresses in everything that the admin API reads. What it takes it must not call up."""
        faults = []
        members = iter(range(1 << 20))
        for url in self.urls:
            member = KEY_MEMBERS[next(members) % len(KEY_MEMBERS)]
            body = {
                "tenant": "acme",
                "name": "n",
                member: url,
                "addresses": [url],
                "expires_at": url,
                "allow": {"models": [url]},
            }
            reply = self.ask_admin("POST", "/admin/v1/keys", body)
            if reply.status != 400:
                faults.append(f"{url}: {reply.status} {reply.body[:200]}")
            reply = self.ask_admin("POST", "/admin/v1/reload", {"file": url, "url": url})
            if reply.status != 400:
                faults.append(f"reload of {url}: {reply.status} {reply.body[:200]}")
        return faults + self.alive()

    def ask_admin(self, method, target, body):
        while True:
            raw = request(method, target, bearer(TOKEN), json.dumps(body).encode())
            reply = self.admin.ask(raw)
            self.admin_sent += 1
            if reply.status != 429:
                return reply
            time.sleep(0.05)

    def alive(self):
        reply = self.chat()
        return [] if reply.status == 200 else [f"a good request was answered with {reply.status} {reply.body[:200]}"]

    def judge(self):
        """After the end: all dials, and what the provider was told of its name."""
        wanted = self.echo.port
        faults = [f"caught: {each}" for each in self.catcher.caught]
        strangers = {peer for peer in self.peers.peers if peer[2] != wanted}
        faults += [f"a socket to {peer}" for peer in sorted(strangers)]
        if self.trace:
            connects = traced(self.trace)
            self.dials = len(connects)
            faults += judge_connects(connects, wanted)
        named = {sent.value("host") for sent in self.echo.requests}
        if named - {f"127.0.0.1:{wanted}"}:
            faults.append(f"the provider was called by other names: {sorted(named)[:5]}")
        paths = {sent.line.split(" ")[1] for sent in self.echo.requests}
        faults += [f"the provider was asked for {path}" for path in sorted(paths) if not path.startswith("/v1/")]
        return faults


def judge_connects(connects, port):
    """A process that has dialled nobody would prove nothing."""
    good = f'sa_family=AF_INET, sin_port=htons({port}), sin_addr=inet_addr("127.0.0.1")'
    faults = sorted({f"dialled {connect}" for connect in connects if connect != good})
    return faults if good in connects else [*faults, "strace has not seen the provider dialled"]


def play(suite, folder, binary):
    ssrf = Ssrf(folder, binary)
    try:
        suite.run("members of the body", ssrf.members)
        suite.run("query", ssrf.queries)
        suite.run("header fields", ssrf.fields)
        suite.run("Host and target", ssrf.targets)
        suite.run("redirects", ssrf.redirects)
        suite.run("admin API", ssrf.admin_api)
        suite.run("a good request", ssrf.alive, always=True)
    finally:
        ssrf.peers.stop()
        suite.run("the gateway ends in order", ssrf.stage.stop, always=True)
    suite.run("what was dialled", ssrf.judge, always=True)
    ssrf.echo.stop()
    ssrf.catcher.stop()
    seen = f"{ssrf.dials} connects by strace" if ssrf.trace else "connects not traced (no strace)"
    return (
        f"ssrf: {len(ssrf.urls)} spellings (at least {LEAST}), {ssrf.sent:,} requests and {ssrf.admin_sent:,} to the "
        f"admin API, {len(ssrf.echo.requests):,} reached the provider; {seen}, {len(ssrf.peers.peers)} peers in /proc, "
        f"{len(ssrf.catcher.caught)} caught; statuses {dict(sorted(ssrf.statuses.items()))}"
    )


def self_test():
    """A dial to the listener is caught by each of the ways to see one."""
    wrong = []
    catcher = Catcher()
    dial = (
        f"import socket, time; s = socket.create_connection(('127.0.0.1', {catcher.port})); s.sendall(b'x'); "
        "time.sleep(0.3)"
    )
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "connects"
        prefix = trace_prefix(path) if can_trace() else []
        process = subprocess.Popen([*prefix, sys.executable, "-c", dial])
        peers = Peers(process.pid, [])
        process.wait(timeout=30)
        peers.stop()
        if prefix and not any(f"htons({catcher.port})" in connect for connect in traced(path)):
            wrong.append("strace does not see a dial")
    if not catcher.caught:
        wrong.append("a dial is not caught")
    if not any(port == catcher.port for _, _, port in peers.peers):
        wrong.append("a dial is not seen in /proc")
    catcher.stop()
    if len(judge_connects(['sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("10.0.0.1")'], 80)) != 2:
        wrong.append("a stranger is taken for the provider")
    return wrong
