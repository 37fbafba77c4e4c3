#!/usr/bin/env python3
"""Lets nginx or HAProxy read each accepted request and compares what they send on to an upstream that records:
compare_proxy.py nginx|haproxy RECORDS. Ends with 1 where one is read in another way."""

import collections
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import records

sys.path.insert(0, str(Path(__file__).parent.parent / "hostile"))
from servers import free_ports, wait_until_listening  # noqa: E402
from upstream import request_size  # noqa: E402

WORKERS = 16
PORT_FIELD, VERSION_FIELD = "x-seen-port", "x-seen-version"
# What a proxy writes itself, or takes as meant for itself.
OWN = {
    "connection",
    "keep-alive",
    "te",
    "expect",
    "upgrade",
    "content-length",
    "transfer-encoding",
    "proxy-connection",
    "http2-settings",
}
OWN |= {PORT_FIELD, VERSION_FIELD}

NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
events {{ worker_connections 2048; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  client_max_body_size 0;
  client_header_timeout 3s; client_body_timeout 3s;
  large_client_header_buffers 4 64k;
  ignore_invalid_headers off;
  upstream recorder {{ server 127.0.0.1:{upstream}; keepalive 32; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://recorder;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Seen-Port $remote_port;
      proxy_set_header X-Seen-Version $server_protocol;
    }}
  }}
}}
"""

HAPROXY = """
global
  tune.maxrewrite 8192
  tune.bufsize 65536
defaults
  mode http
  timeout connect 3s
  timeout client 3s
  timeout server 3s
  timeout http-request 3s
frontend clients
  bind 127.0.0.1:{port}
  http-request set-header X-Seen-Port %[src_port]
  http-request set-header X-Seen-Version HTTP/%[req.ver]
  default_backend recorder
backend recorder
  server recorder 127.0.0.1:{upstream}
"""


class Recorder:
    """An upstream that keeps the requests it gets by the port of the proxy's client."""

    def __init__(self):
        self._lock = threading.Lock()
        self._seen = collections.defaultdict(list)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def take(self, port):
        with self._lock:
            return self._seen.pop(str(port), [])

    def _accept(self):
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        held = b""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection:
            while True:
                size = request_size(held)
                if size is None:
                    try:
                        more = connection.recv(65536)
                    except OSError:
                        return
                    if not more:
                        return
                    held += more
                    continue
                request = parse(held[:size])
                held = held[size:]
                with self._lock:
                    self._seen[request["port"]].append(request)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def parse(raw):
    """A request as a proxy wrote it, which is well formed."""
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ")
    fields = [(name, value.strip(" \t")) for name, _, value in (line.partition(":") for line in lines[1:])]
    values = {name.lower(): value for name, value in fields}
    if "chunked" in values.get("transfer-encoding", "").lower():
        body = unchunk(body)
    return {
        "method": method, "target": target, "fields": fields, "body": body,
        "port": values.get(PORT_FIELD, ""), "version": values.get(VERSION_FIELD, ""),
    }  # fmt: skip


def unchunk(body):
    content, at = b"", 0
    while True:
        line_end = body.index(b"\r\n", at)
        size = int(body[at:line_end].split(b";")[0], 16)
        if size == 0:
            return content
        content += body[line_end + 2 : line_end + 2 + size]
        at = line_end + 2 + size + 2


def send(port, raw):
    """The port that was sent from, and everything that came back."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        local = connection.getsockname()[1]
        connection.sendall(raw + records.NEXT)
        try:
            while more := connection.recv(65536):
                answer += more
        except (ConnectionResetError, TimeoutError):
            pass
    return local, answer


def difference(record, seen, without):
    first = seen[0]
    if first["method"] != record["method"]:
        return "method"
    if first["target"] != record["target"]:
        return "target"
    if first["version"] != ("HTTP/1.0" if record["http_1_0"] else "HTTP/1.1"):
        return "version"
    if records.by_name(first["fields"], without) != records.by_name(record["fields"], without):
        return "fields"
    if first["body"] != record["body"]:
        return "body"
    if len(seen) > 2 or (len(seen) == 2 and seen[1]["target"] != "/next"):
        return "another end"
    return ""


def compare(peer, recorder, port, report, lock, record):
    local, answer = send(port, record["raw"])
    seen = recorder.take(local)
    status = re.match(rb"(?:HTTP/1.1 100 Continue\r\n\r\n)*HTTP/1.1 (\d{3})", answer)
    with lock:
        if not seen or seen[0]["target"] == "/next" and record["target"] != "/next":
            if seen and not (status and int(status[1]) < 500):
                report.disagree("refused, and then answered what follows", record)
            report.refused(status[1].decode() if status else "closed", record)
        elif what := difference(record, seen, OWN):
            report.disagree(what, record)
        else:
            report.same()


def main():
    name, path = sys.argv[1:]
    report, recorder, lock = records.Report(name), Recorder(), threading.Lock()
    threading.stack_size(256 * 1024)
    port = free_ports(1)[0]
    with tempfile.TemporaryDirectory(prefix="differential-") as folder:
        file = Path(folder) / "configuration"
        file.write_text(
            {"nginx": NGINX, "haproxy": HAPROXY}[name].format(folder=folder, port=port, upstream=recorder.port)
        )
        program = shutil.which(name) or f"/usr/sbin/{name}"
        flags = ["-p", folder, "-c", str(file)] if name == "nginx" else ["-db", "-f", str(file)]
        process = subprocess.Popen(
            [program, *flags], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            wait_until_listening(port, process, name)
            with ThreadPoolExecutor(WORKERS) as pool:
                for _ in pool.map(
                    lambda record: compare(name, recorder, port, report, lock, record), records.read(path)
                ):
                    pass
        finally:
            process.terminate()
            process.wait(timeout=10)
    sys.exit(report.print())


if __name__ == "__main__":
    main()
