"""Sees whom a process dials: every connect() by strace where it may be used, and listeners on other addresses of this
machine that would be reached."""

import os
import re
import shutil
import socket
import subprocess
import threading
import time

CONNECT = re.compile(r"connect\(\d+, \{(.*?)\}, \d+\)")
FAMILIES = (socket.AF_INET, socket.AF_INET6)


class Catcher:
    """Listens on every address of this machine, IPv4 and IPv6, at one port, and writes down who comes."""

    def __init__(self):
        self.caught = []
        self._sockets = []
        for family in FAMILIES:
            with_port = self._sockets[0].getsockname()[1] if self._sockets else 0
            listener = socket.socket(family)
            try:
                if family == socket.AF_INET6:
                    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                listener.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", with_port))
                listener.listen(128)
            except OSError:  # no IPv6 here
                listener.close()
                continue
            self._sockets.append(listener)
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        self.port = self._sockets[0].getsockname()[1]

    def _accept(self, listener):
        while True:
            try:
                connection, peer = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(0.2)
                try:
                    data = connection.recv(200)
                except OSError:
                    data = b""
                self.caught.append(f"{connection.getsockname()[:2]} was dialled from {peer[:2]}: {data[:80]!r}")

    def stop(self):
        for listener in self._sockets:
            listener.close()


def can_trace():
    """strace may be missing, or forbidden in a container."""
    if not shutil.which("strace"):
        return False
    command = ["strace", "-D", "-f", "--seccomp-bpf", "-e", "trace=connect", "-o", "/dev/null", "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def trace_prefix(path):
    # -D: the traced process is the one that was started, so that it has the id and gets the signals. The filter in the
    # kernel stops it at connect() alone.
    return ["strace", "-D", "-f", "--seccomp-bpf", "-e", "trace=connect", "-s", "200", "-o", str(path)]


def traced(path, seconds=5):
    """What was dialled, in strace's words; complete once the tracer has written the process's end."""
    deadline = time.monotonic() + seconds
    while True:
        text = path.read_text(errors="replace") if path.exists() else ""
        if re.search(r"\+\+\+ (exited|killed)", text.rstrip().split("\n")[-1]) or time.monotonic() > deadline:
            return [found[1] for found in CONNECT.finditer(text)]
        time.sleep(0.05)


class Peers:
    """Samples the sockets of a process in /proc: peers of connections that it has opened or is opening."""

    def __init__(self, pid, own_ports):
        self.pid, self.own_ports, self.peers = pid, set(own_ports), set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def _sample(self):
        while not self._stop.wait(0.01):
            try:
                self.peers |= self._look()
            except OSError:
                return

    def _look(self):
        inodes = set()
        for link in self._links():
            if link.startswith("socket:["):
                inodes.add(link[8:-1])
        peers = set()
        for name in ("tcp", "tcp6", "udp", "udp6"):
            with open(f"/proc/{self.pid}/net/{name}", encoding="ascii") as lines:
                next(lines)
                for line in lines:
                    words = line.split()
                    local, remote = (word.rsplit(":", 1) for word in words[1:3])
                    if words[9] in inodes and int(remote[1], 16) and int(local[1], 16) not in self.own_ports:
                        peers.add((name, remote[0], int(remote[1], 16)))
        return peers

    def _links(self):
        folder = f"/proc/{self.pid}/fd"
        for name in os.listdir(folder):
            try:
                yield os.readlink(f"{folder}/{name}")
            except OSError:
                continue

    def stop(self):
        self._stop.set()
        self._thread.join()
        return self.peers
