#!/usr/bin/env python3
"""What the gateway bears, one experiment a function, one line of figures each; resilience.sh builds what it needs.

resilience.py [--quick] [L1 L2 L3 L5 R1 R2 R3]

Mock, driver and hostile clients run on one core, the gateway with one worker on another. "added" is what a client sees
through the gateway less what it sees of the mock itself, in the same run. The bars are those of a first proposal,
at sizes that two cores can bear; the exit code tells whether all were met."""

import contextlib
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import gateway
import rounds
from rounds import CORE_LOAD, CORE_PROXY

STREAMS = int(os.environ.get("STREAMS", "1000"))
API = "/v1/chat/completions"


def status_of(pid, name):
    """A line of /proc/PID/status, in KiB."""
    return int(re.search(rf"^{name}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.M).group(1))


def cpu_seconds(pid):
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def descriptors(pid):
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def await_true(condition, seconds):
    """Seconds until it held, or None."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > seconds:
            return None
        time.sleep(0.01)
    return time.monotonic() - started


class Peak:
    """The highest resident memory while it runs, sampled; and where it began."""

    def __init__(self, pid):
        self.pid, self.base, self.highest, self._stop = pid, status_of(pid, "VmRSS"), 0, threading.Event()
        self.thread = threading.Thread(target=self._sample)

    def _sample(self):
        while not self._stop.wait(0.1):
            self.highest = max(self.highest, status_of(self.pid, "VmRSS"))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self.thread.join()

    @property
    def growth(self):
        return max(0, self.highest - self.base)


class Health:
    """Asks a listener for its health over and over; the answers' times in seconds, None for one that did not come."""

    def __init__(self, port, pause=0.05):
        self.port, self.pause, self.times, self._stop = port, pause, [], threading.Event()
        self.thread = threading.Thread(target=self._ask)

    def _ask(self):
        while not self._stop.wait(self.pause):
            self.times.append(ask_health(self.port))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self.thread.join()

    def worst_ms(self):
        return max((float("inf") if t is None else t * 1000 for t in self.times), default=float("inf"))

    def percentile_ms(self, share):
        times = sorted(float("inf") if t is None else t * 1000 for t in self.times)
        return times[min(len(times) - 1, int(share * len(times)))] if times else float("inf")


def ask_health(port, timeout=5):
    started = time.monotonic()
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        connection.request("GET", "/health/live")
        good = connection.getresponse().status == 200
        connection.close()
    except (OSError, http.client.HTTPException):
        return None
    return time.monotonic() - started if good else None


class Scene:
    """A mock and a gateway in front of it."""

    def __init__(self, server_keys=(), pool_idle="600s", prefix=(), more="", provider_keys=()):
        self.stack = contextlib.ExitStack()
        try:
            self._start(server_keys, pool_idle, prefix, more, provider_keys)
        except BaseException:  # nothing that was started is left behind
            self.stack.close()
            raise

    def _start(self, server_keys, pool_idle, prefix, more, provider_keys):
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.mock_port = free.getsockname()[1]
        command = ["taskset", "-c", CORE_LOAD, str(gateway.TOOLS / "mock"), "--port", str(self.mock_port)]
        self.mock = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        self.stack.callback(self._end_mock)
        if await_true(self._mock_listens, 10) is None:
            raise SystemExit("the mock does not listen")
        config = gateway.configuration(self.folder, self.mock_port, server_keys, provider_keys, pool_idle, more)
        self.gateway = self.stack.enter_context(
            gateway.Gateway(config, self.folder, ["taskset", "-c", CORE_PROXY, *prefix]))
        self.pid, self.port, self.admin_port = self.gateway.pid, *(self.gateway.ports[p] for p in ("data", "admin"))

    def _mock_listens(self):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.mock_port)).close()
            return True
        return False

    def _end_mock(self):
        self.mock.kill()
        self.mock.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stack.close()

    def load(self, *arguments, direct=False, also=()):
        """One run of the driver; its figures. `also`: further processes that belong to the experiment."""
        url = f"http://127.0.0.1:{self.mock_port if direct else self.port}{API}"
        command = ["taskset", "-c", CORE_LOAD, str(gateway.TOOLS / "load"), "run", "--url", url, "--pid", str(self.pid),
                   "--also", ",".join(map(str, [self.mock.pid, *also]))]
        done = subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True, check=False)
        if not done.stdout:
            raise SystemExit(f"the driver failed: {done.stderr}")
        return json.loads(done.stdout)

    def request(self, *arguments):
        url = f"http://127.0.0.1:{self.port}{API}"
        return subprocess.run([gateway.TOOLS / "load", "request", "--url", url, *map(str, arguments)], check=True,
                              capture_output=True).stdout

    def ended(self, client_request_id):
        """Requests with this id of the client's that are over."""
        mark = f'"client_request_id":"{client_request_id}"'
        return (self.folder / "access.log").read_text().count(mark)


def ms(figures, name, quantile="p99"):
    return figures.get(name, {}).get(quantile, float("nan")) / 1000


def disturbance(*runs):
    """A word on what else ran on the machine, where it was enough to spoil figures."""
    cores = max(run.get("foreign_cores", 0) + run.get("steal_cores", 0) for run in runs)
    return f" [disturbed: {cores:.2f} cores of other load]" if cores > 0.08 else ""


def faults(figures):
    return int(sum(figures.get(name, 0) for name in ("broken", "not_ok", "incomplete", "out_of_order", "backlog")))


def l1():
    """Many streams: nothing lost, doubled or overtaken, little added, little memory, descriptors given back."""
    seconds = 12 if rounds.quick else 120
    # Streams of 10 s that begin one after the other; the warm-up is over when the first ones end.
    stream = ("--stream", "--model", "mock,chunks=100,gap_ms=100", "--rate", STREAMS / 10, "--conns", STREAMS * 5 // 4,
              "--warm", 11)
    with Scene(pool_idle="1s") as scene:
        direct = scene.load(*stream, "--secs", max(6, seconds // 4), direct=True)
        base = descriptors(scene.pid)
        with Peak(scene.pid) as peak:
            through = scene.load(*stream, "--secs", seconds)
        returned = await_true(lambda: descriptors(scene.pid) <= base, 10)
    first = ms(through, "first_us") - ms(direct, "first_us")
    gap = ms(through, "gap_us") - ms(direct, "gap_us")
    each = peak.growth / STREAMS
    good = faults(through) == 0 and first <= 10 and gap <= 20 and each <= 64 and returned is not None
    return good, (
        f"{STREAMS} streams x 10 events/s for {seconds} s: {through['events']:,} events, {faults(through)} lost, "
        f"doubled, overtaken or broken; added first event p99 {first:.1f} ms (<= 10), added gap p99 {gap:.1f} ms "
        f"(<= 20), {each:.1f} KiB per stream (<= 64), descriptors back "
        f"{'never' if returned is None else f'after {returned:.1f} s'}{disturbance(direct, through)}"
    )


def find_knee(scene):
    """The highest rate of a ladder that is kept, with an answer's p99 below 20 ms."""
    rate, knee = 4000.0, 0.0
    while rate < 200000:
        step = scene.load("--rate", rate, "--secs", 2, "--conns", 256)
        if step["rps"] < 0.97 * rate or ms(step, "latency_us") > 20:
            break
        knee, rate = rate, rate * 1.25
    return knee


def l2():
    """Saturation: where it is, and that 70 % of it is served without an error and with little added."""
    seconds = 10 if rounds.quick else 60
    with Scene() as scene:
        knee = find_knee(scene)
        if not knee:
            return False, "not even 4,000/s were kept"
        run = ("--rate", 0.7 * knee, "--conns", 256, "--secs")
        direct, through = scene.load(*run, max(5, seconds // 6), direct=True), scene.load(*run, seconds)
    added = ms(through, "latency_us") - ms(direct, "latency_us")
    good = faults(through) == 0 and added <= 5
    return good, (
        f"knee {knee:,.0f}/s; 70 % of it for {seconds} s: {through['ok']:,} answers, {faults(through)} faults, "
        f"added p99 {added:.2f} ms (<= 5){disturbance(direct, through)}"
    )


def l3():
    """Overload: five times the knee on 2,000 connections. There is no admission control yet: all are let wait."""
    seconds = 8 if rounds.quick else 30
    with Scene() as scene:
        knee = find_knee(scene)
        calm = scene.load("--rate", 0.3 * knee, "--conns", 64, "--secs", 3)
        with Health(scene.port) as data, Health(scene.admin_port) as admin:
            over = scene.load("--rate", 5 * knee, "--conns", 2000, "--secs", seconds)
        after = scene.load("--rate", 0.3 * knee, "--conns", 64, "--secs", 3, "--warm", 2)
    goodput = over["rps"] / knee if knee else 0
    recovered = faults(after) == 0 and ms(after, "latency_us") <= 2 * ms(calm, "latency_us") + 1
    good = goodput >= 0.8 and max(data.percentile_ms(0.99), admin.percentile_ms(0.99)) < 100 and recovered
    broken = int(over["broken"] + over["not_ok"])
    return good, (
        f"5 x {knee:,.0f}/s offered for {seconds} s: goodput {goodput:.0%} of the knee (>= 80 %), {broken} broken; "
        f"accepted p99 {ms(over, 'service_us'):.0f} ms ({ms(calm, 'service_us'):.1f} unloaded); health p99 "
        f"{data.percentile_ms(0.99):.0f} ms on the data port, {admin.percentile_ms(0.99):.0f} ms on the admin "
        f"port (< 100); {'normal' if recovered else 'NOT normal'} 2 s later{disturbance(calm, over, after)}"
    )


def slow_reader(port, request):
    """A client whose kernel holds little, so that what it does not read stays with the gateway."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    client.connect(("127.0.0.1", port))
    client.sendall(request)
    client.setblocking(False)
    return client


def read_slowly(readers, seconds, per_second=100 * 1000):
    """Every reader takes so many bytes a second; how many were taken in all."""
    taken, started = 0, time.monotonic()
    for tick in range(1, int(seconds * 10) + 1):
        for reader in readers:
            with contextlib.suppress(OSError):
                taken += len(reader.recv(per_second // 10))
        time.sleep(max(0.0, started + tick / 10 - time.monotonic()))
    return taken


def l5():
    """Backpressure: readers far slower than the upstream cost bounded memory; one that reads nothing is cut."""
    count, seconds, stalled = 200, 6 if rounds.quick else 20, 5
    with Scene(server_keys=["write_timeout: 4s"], pool_idle="1s") as scene:
        stream = ("--stream", "--model", "mock,chunks=100000000,gap_ms=0")
        slow, never = (scene.request(*stream, "--header", f"X-Request-Id: {name}") for name in ("slow", "never"))
        with Peak(scene.pid) as peak, contextlib.ExitStack() as clients:
            for _ in range(stalled):
                clients.enter_context(slow_reader(scene.port, never))
            readers = [clients.enter_context(slow_reader(scene.port, slow)) for _ in range(count)]
            taken, lost = read_slowly(readers, seconds), scene.ended("slow")
            # That it was cut does not reach a client that reads nothing (kernels hold megabytes first); the log tells.
            cut = await_true(lambda: scene.ended("never") == stalled, 30)
        settled = await_true(lambda: scene.ended("slow") == count, 10)
    each = peak.growth / (count + stalled)
    good = each <= 256 and lost == 0 and None not in (cut, settled)
    return good, (
        f"{count} readers of 100 KB/s for {seconds} s: {taken / count / seconds / 1000:.0f} KB/s each, {lost} of them "
        f"cut (0), {each:.1f} KiB of memory per stream (<= 256); the {stalled} that read nothing were "
        f"{'NOT ' if cut is None else ''}cut at the write timeout; {'all' if settled is not None else 'NOT all'} "
        "in the access log"
    )


ATTACKS = {  # slowhttptest's modes: slow heads, slow bodies, slow reading
    "-H": ["-H", "-t", "GET", "-i", "2", "-x", "8"],
    "-B": ["-B", "-t", "POST", "-s", "8192", "-i", "2", "-x", "8", "-f", "application/json"],
    "-X": ["-X", "-t", "GET", "-k", "3", "-n", "2", "-w", "8", "-y", "16", "-z", "8"],
}


def attack(scene, mode, connections, seconds):
    """Good traffic beside one attack: (its figures, peak KiB per held connection, how many were held, seconds until the
    attackers were gone after the limits had run out, or None)."""
    path = API if mode == "-B" else "/v1/models"
    base = descriptors(scene.pid)
    # Of low priority: it shares the driver's core, and what it takes there would else be charged to the gateway.
    command = ["nice", "-n", "19", "taskset", "-c", CORE_LOAD, "slowhttptest", *ATTACKS[mode], "-v", 0, "-p", 3,
               "-c", connections, "-r", connections, "-l", seconds, "-u", f"http://127.0.0.1:{scene.port}{path}"]
    most = 0
    with Peak(scene.pid) as peak:
        attacker = subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        await_true(lambda: descriptors(scene.pid) - base >= connections * 0.9, 3)
        most = descriptors(scene.pid) - base
        good = scene.load("--rate", 50, "--conns", 8, "--secs", seconds, "--warm", 0, also=[attacker.pid])
        gone = await_true(lambda: descriptors(scene.pid) <= base + 16, 5)
        attacker.wait(60)
    return good, peak.growth / max(1, most), most, gone


def r1():
    """Slow clients by the thousand next to good traffic."""
    connections, seconds = 1000, 8 if rounds.quick else 20
    limits = ["header_timeout: 3s", "body_timeout: 3s", "min_body_rate: 1KiB", "write_timeout: 5s", "keep_alive: 5s"]
    with Scene(server_keys=limits, pool_idle="1s") as scene:
        calm = scene.load("--rate", 50, "--conns", 8, "--secs", 4)
        good, told = True, []
        for mode in ATTACKS:
            traffic, each, most, gone = attack(scene, mode, connections, seconds)
            added = ms(traffic, "latency_us") - ms(calm, "latency_us")
            good &= faults(traffic) == 0 and added <= 20 and each <= 32 and gone is not None
            told.append(f"{mode}: {most} held, good traffic {traffic['ok']:,} ok {faults(traffic)} bad, "
                        f"p99 {added:+.1f} ms, {each:.1f} KiB each, "
                        f"attackers {'STILL THERE' if gone is None else 'gone'}{disturbance(calm, traffic)}")
    head = f"slowhttptest with {connections} connections, {seconds} s each (<= +20 ms, <= 32 KiB): "
    return good, head + "; ".join(told)


def bombs():
    """Name -> what an oversized request consists of, in pieces."""
    post = f"POST {API} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n".encode()
    chunked = post + b"Transfer-Encoding: chunked\r\n\r\n"
    body = b'{"model":"mock","messages":[{"role":"user","content":"' + b"x" * (1 << 20)
    return {
        "header field of 1 MB": [b"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\nx: " + b"a" * 1_000_000],
        "10,000 fields": [b"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"a: b\r\n" * 10_000 + b"\r\n"],
        "target of 1 MB": [b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"],
        "trailers of 1 MB": [chunked + b"2\r\n{}\r\n0\r\n" + b"a: b\r\n" * 170_000 + b"\r\n"],
        "chunk extension of 1 MB": [chunked + b"2;" + b"a" * 1_000_000 + b"\r\n{}\r\n0\r\n\r\n"],
        "a million chunks of one byte": [chunked + b"1\r\nx\r\n" * 1_000_000 + b"0\r\n\r\n"],
        "Content-Length over the limit": [post + b"Content-Length: %d\r\n\r\n" % len(body), body],
        "chunked body over the limit": [chunked, b"%x\r\n" % len(body), body, b"\r\n0\r\n\r\n"],
        "compressed body": [post + b"Content-Encoding: gzip\r\nContent-Length: 1048576\r\n\r\n", b"\0" * 1048576],
    }


def refused_with(port, pieces):
    """Sends as much as the gateway takes; the status it answers, or 0 where it only closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        with contextlib.suppress(OSError):
            for piece in pieces:
                client.sendall(piece)
        with contextlib.suppress(OSError):
            answer = client.recv(64)
            return int(answer.split()[1]) if answer.startswith(b"HTTP/1.1 ") else 0
    return 0


def r2():
    """Oversized requests: each is refused, for little CPU and memory."""
    repeats, limit_kib = 20, 1024
    statuses, costs, peaks = {}, {}, {}
    with Scene(server_keys=["max_body: 1MiB"]) as scene:
        for name, pieces in bombs().items():
            refused_with(scene.port, pieces)
            Path(f"/proc/{scene.pid}/clear_refs").write_text("5")  # the peak begins anew
            base, cpu = status_of(scene.pid, "VmRSS"), cpu_seconds(scene.pid)
            statuses[name] = {refused_with(scene.port, pieces) for _ in range(repeats)}
            costs[name] = (cpu_seconds(scene.pid) - cpu) * 1000 / repeats
            peaks[name] = status_of(scene.pid, "VmHWM") - base
        alive = ask_health(scene.port) is not None
    good = alive and max(costs.values()) <= 50 and max(peaks.values()) <= 2 * limit_kib
    good &= all(0 == s or 400 <= s < 500 for found in statuses.values() for s in found)
    told = "; ".join(f"{name} {'/'.join(map(str, sorted(found)))} {costs[name]:.1f} ms {max(0, peaks[name])} KiB"
                     for name, found in statuses.items())
    return good, f"{len(statuses)} bombs x {repeats} (<= 50 ms of CPU, <= {2 * limit_kib} KiB each): {told}"


def r3():
    """No descriptors left: no spinning, no crash, and back at once when there are some again."""
    with Scene(prefix=["prlimit", "--nofile=128"], pool_idle="1s") as scene:
        clients = [socket.create_connection(("127.0.0.1", scene.port)) for _ in range(300)]
        await_true(lambda: descriptors(scene.pid) >= 120, 5)
        cpu, started = cpu_seconds(scene.pid), time.monotonic()
        with Health(scene.admin_port, pause=0.2) as admin:
            time.sleep(3)
        busy = (cpu_seconds(scene.pid) - cpu) / (time.monotonic() - started)
        answered = sum(t is not None for t in admin.times)
        for client in clients:
            client.close()
        recovered = await_true(lambda: ask_health(scene.port, 0.5) is not None, 5)
        served = scene.load("--rate", 50, "--conns", 4, "--secs", 1, "--warm", 0)
        alive = scene.gateway.process.poll() is None
    good = busy < 0.1 and alive and recovered is not None and recovered < 1 and faults(served) == 0 and answered > 0
    return good, (
        f"300 connections on 128 descriptors: {busy:.1%} of a core (< 10 %), admin health answered {answered} of "
        f"{len(admin.times)} (> 0), recovered after {'never' if recovered is None else f'{recovered:.2f} s'} (< 1), "
        f"{'alive' if alive else 'DEAD'}, then {served['ok']} ok {faults(served)} bad"
    )


EXPERIMENTS = {"L1": l1, "L2": l2, "L3": l3, "L5": l5, "R1": r1, "R2": r2, "R3": r3}


if __name__ == "__main__":
    sys.exit(rounds.run(EXPERIMENTS, __doc__, pinned=False))
