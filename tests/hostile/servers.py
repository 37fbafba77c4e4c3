"""What the table is sent to: tollgate, and for comparison Debian's nginx and HAProxy as plain reverse proxies, each
with an upstream of its own that records."""

import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

from process import PLANES, Process
from upstream import Upstream

GATEWAY = """
version: 1
server:
  listen: ["127.0.0.1:0"]
  threads: 1
  max_body: 1MiB
  header_timeout: {timeout}
  body_timeout: {timeout}
  {tls}
admin: {{listen: "127.0.0.1:0"}}
metrics: {{listen: "127.0.0.1:0"}}
log: {{access: "off"}}
providers:
  recorder: {{base_url: "http://127.0.0.1:{port}/v1"}}
models:
  m: {{provider: recorder}}
"""

NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  client_header_timeout 1s;
  client_body_timeout 1s;
  upstream recorder {{ server 127.0.0.1:{port}; keepalive 16; }}
  server {{
    listen 127.0.0.1:{plain};
    listen 127.0.0.1:{secure} ssl;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    location / {{
      proxy_pass http://recorder;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
    }}
  }}
}}
"""

HAPROXY = """
global
  log stdout format raw local0 emerg
defaults
  mode http
  timeout connect 2s
  timeout client 2s
  timeout server 2s
  timeout http-request 1s
frontend clients
  bind 127.0.0.1:{plain}
  bind 127.0.0.1:{secure} ssl crt {pem}
  default_backend recorder
backend recorder
  server recorder 127.0.0.1:{port}
"""


def make_certificate(folder):
    """A certificate for 127.0.0.1 and its key, made for this run."""
    certificate, key, pem = folder / "cert.pem", folder / "key.pem", folder / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    pem.write_bytes(certificate.read_bytes() + key.read_bytes())
    return certificate, key, pem


class Gateway:
    """One process; it listens either plain or with TLS."""

    name = "tollgate"

    def __init__(self, folder, binary, certificate=None, timeout="10s"):
        folder.mkdir()
        self.upstream = Upstream()
        tls = f'tls: {{certificate: "{certificate[0]}", private_key: "{certificate[1]}"}}' if certificate else ""
        file = folder / "routes.yaml"
        file.write_text(GATEWAY.format(port=self.upstream.port, tls=tls, timeout=timeout))
        self._process = Process([binary, "serve", "--config", str(file)], PLANES, subprocess.DEVNULL)
        self.port = int(self._process.addresses["data"].rsplit(":", 1)[1])

    def in_flight(self):
        with urllib.request.urlopen(f"http://{self._process.addresses['metrics']}/metrics", timeout=5) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith("tollgate_in_flight_requests "):
                    return float(line.split()[1])
        raise KeyError("tollgate_in_flight_requests")

    def stop(self):
        """The exit code, and what it said."""
        code = self._process.stop()
        self.upstream.stop()
        return code, "".join(self._process.said)


class Peer:
    """nginx or HAProxy: one process with a plain and a TLS listener."""

    def __init__(self, name, folder, certificate):
        folder.mkdir()
        self.name = name
        self.upstream = Upstream()
        self.plain, self.secure = free_ports(2)
        text = {"nginx": NGINX, "haproxy": HAPROXY}[name].format(
            folder=folder, port=self.upstream.port, plain=self.plain, secure=self.secure,
            certificate=certificate[0], key=certificate[1], pem=certificate[2],
        )  # fmt: skip
        file = folder / "configuration"
        file.write_text(text)
        program = shutil.which(name) or f"/usr/sbin/{name}"
        flags = ["-p", str(folder), "-c", str(file)] if name == "nginx" else ["-db", "-f", str(file)]
        self._process = subprocess.Popen(
            [program, *flags], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for port in (self.plain, self.secure):
            wait_until_listening(port, self._process, name)

    def stop(self):
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(timeout=10)
        self.upstream.stop()


def wait_until_listening(port, process, name):
    """For servers that do not say when they listen."""
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline or process.poll() is not None:
                raise RuntimeError(f"{name} does not listen") from None
            time.sleep(0.01)


def free_ports(count):
    """Ports that the system has just had free, for servers that cannot say which one they were given."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
