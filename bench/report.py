#!/usr/bin/env python3
"""The side-by-side table of what run.sh measured: medians over the quiet rounds, ratios to nginx, and the bars.

report.py [--limit CORES] [--machine-file FILE] [--page PAGE] FILE...    prints the table, and writes it into the page
report.py --best FILE NAME SIZE      the highest closed-loop rate seen so far (for run.sh)
report.py --machine TOLLGATE NAME... what was measured, where and when, as JSON (for run.sh)"""

import argparse
import datetime
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median

BASE = "nginx"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def load(paths):
    lines = [line for path in paths if Path(path).exists() for line in Path(path).read_text().splitlines()]
    return [json.loads(line) for line in lines if line.startswith("{")]


def pick(row, path):
    for key in path.split("."):
        if not isinstance(row, dict) or key not in row:
            return None
        row = row[key]
    return row


class Rounds:
    """All rounds of all measurements; a disturbed round counts only where there is no quiet one."""

    def __init__(self, rows, limit):
        self.groups = defaultdict(list)
        self.limit = limit
        for row in rows:
            self.groups[key_of(row)].append(row)

    @staticmethod
    def noise(row):
        return row.get("foreign_cores", 0) + row.get("steal_cores", 0)

    def used(self, key):
        rows = self.groups.get(key, [])
        return [r for r in rows if self.noise(r) <= self.limit] or sorted(rows, key=self.noise)[:1]

    def disturbed(self, key):
        rows = self.groups.get(key, [])
        return bool(rows) and all(self.noise(r) > self.limit for r in rows)

    def value(self, key, path):
        values = [v for v in (pick(row, path) for row in self.used(key)) if v is not None]
        return median(values) if values else None

    def bad(self):
        """Targets of which a request failed in a round that counts, with how many."""
        found = defaultdict(int)
        for key in self.groups:
            for row in self.used(key):
                faults = ("broken", "not_ok", "incomplete", "out_of_order")
                found[row["name"]] += int(sum(row.get(fault, 0) for fault in faults))
        return {name: count for name, count in found.items() if count}


def key_of(row):
    """Suite, size, connections (where they are what differs) and target."""
    return row["suite"], row.get("size", 0), row.get("conns", 0) if row["suite"] == "growth" else 0, row["name"]


class Measure:
    """One row: what is read from where, and how it is shown. `over` is a name whose value is taken off (direct), or a
    number of connections whose value it is divided by."""

    def __init__(self, label, suite, path, size=0, conns=0, scale=1.0, digits=1, over=None, ratio=True):
        self.label, self.suite, self.path, self.size, self.conns = label, suite, path, size, conns
        self.scale, self.digits, self.over, self.ratio = scale, digits, over, ratio

    def key(self, name, conns=None):
        return self.suite, self.size, self.conns if conns is None else conns, name

    def raw(self, rounds, name):
        value = rounds.value(self.key(name), self.path)
        if value is None or self.over is None:
            return value if value is None else value * self.scale
        base = rounds.value(self.key(self.over) if isinstance(self.over, str) else self.key(name, self.over), self.path)
        if base is None:
            return None
        return (value - base) * self.scale if isinstance(self.over, str) else value / base

    def ratio_to_base(self, rounds, name):
        value, base = self.raw(rounds, name), self.raw(rounds, BASE)
        return value / base if value is not None and base and base > 0 else None  # noise can make "added" negative

    def is_disturbed(self, rounds, name):
        others = [BASE] if self.ratio else []
        others += [self.over] if isinstance(self.over, str) else []
        return any(rounds.disturbed(self.key(other)) for other in [name, *others])

    def cell(self, rounds, name):
        if self.over == name:
            total = rounds.value(self.key(name), self.path)
            return "-" if total is None else f"({total * self.scale:,.0f})"
        value = self.raw(rounds, name)
        if value is None:
            return "-"
        text = f"{value:,.{self.digits}f}"
        ratio = self.ratio_to_base(rounds, name) if self.ratio and name != BASE else None
        return text + (f" ({ratio:.2f})" if ratio else "") + ("~" if self.is_disturbed(rounds, name) else "")


def measures():
    rows = {}
    for size, label in ((1024, "1 KB"), (10240, "10 KB"), (102400, "100 KB")):
        rows[f"cpu{size}"] = Measure(f"CPU us per request, {label}", "closed", "cpu_us_per_req", size)
    rows["rps"] = Measure("requests/s on one core, 1 KB", "closed", "rps", 1024, digits=0)
    for size, label in ((1024, "1 KB"), (102400, "100 KB")):
        for rate in (2000, 10000):
            for quantile in ("p50", "p99"):
                rows[f"{quantile}-{rate}-{size}"] = Measure(
                    f"added {quantile}, us, {rate:,}/s, {label}", f"open-{rate}", f"latency_us.{quantile}", size,
                    digits=0, over="direct")
    for suite, label in (("fast", "back to back"), ("paced", "100 streams x 50/s"), ("many", "1,000 streams x 50/s")):
        rows[f"event-{suite}"] = Measure(f"CPU us per event, {label}", f"sse-{suite}", "cpu_us_per_event", 1024,
                                         digits=2)
    rows["delay"] = Measure("event delay p99, us, 1,000 streams", "sse-many", "transit_us.p99", 1024, digits=0)
    rows["first"] = Measure("first event p50, us, 100 streams", "sse-paced", "first_us.p50", 1024, digits=0)
    for connections in (8, 512, 2000):
        rows[f"growth-{connections}"] = Measure(f"CPU per request, {connections:,} connections over 64", "growth",
                                                "cpu_us_per_req", 1024, connections, digits=2, over=64, ratio=False)
    rows["idle"] = Measure("KB per idle connection", "hold-idle", "bytes_per_conn", scale=1 / 1024, digits=2)
    rows["stream"] = Measure("KB per live stream", "hold-streams", "bytes_per_conn", scale=1 / 1024, digits=2)
    rows["left"] = Measure("KB left of each, 0.5 s after", "hold-streams", "bytes_per_conn_after_close", scale=1 / 1024,
                           digits=2)
    rows["start"] = Measure("ms from start to first answer", "startup", "startup_us.p50", scale=1e-3)
    return rows


# (label, row, target, at most, whether the bar is on the ratio to nginx)
BARS = [
    ("CPU, 1 KB", "cpu1024", "tollgate", 1.1, True),
    ("CPU, 100 KB", "cpu102400", "tollgate", 1.2, True),
    ("CPU per event, back to back", "event-fast", "tollgate", 1.2, True),
    ("CPU per event, paced", "event-paced", "tollgate", 1.2, True),
    ("added p50, 2,000/s", "p50-2000-1024", "tollgate", 1.1, True),
    ("added p99, 2,000/s", "p99-2000-1024", "tollgate", 1.3, True),
    ("added p50, 10,000/s", "p50-10000-1024", "tollgate", 1.1, True),
    ("added p99, 10,000/s", "p99-10000-1024", "tollgate", 1.3, True),
    ("added p50, 2,000/s, spinning", "p50-2000-1024", "tollgate-spin", 0.5, True),
    ("KB per idle connection", "idle", "tollgate", 2, False),
    ("KB per live stream", "stream", "tollgate", 6, False),
    ("KB left of a stream", "left", "tollgate", 1, False),
    ("CPU per request, 2,000 over 64 connections", "growth-2000", "tollgate", 1.2, False),
    ("start, ms", "start", "tollgate", 20, False),
]
BINARY_BAR_MB = 8


def table(rounds, names):
    yield "| | " + " | ".join(names) + " |"
    yield "|---|" + "---|" * len(names)
    for measure in measures().values():
        cells = [measure.cell(rounds, name) for name in names]
        if set(cells) != {"-"}:
            yield f"| {measure.label} | " + " | ".join(cells) + " |"


def bars(rounds, machine):
    rows = measures()
    yield "| bar for tollgate | measured | at most | |"
    yield "|---|---|---|---|"
    for label, row, name, limit, relative in BARS:
        measure = rows[row]
        value = measure.ratio_to_base(rounds, name) if relative else measure.raw(rounds, name)
        mark = "~" if measure.is_disturbed(rounds, name) else ""
        unit = "x nginx" if relative else ""
        shown = "-" if value is None else f"{value:.2f} {unit}".strip() + mark
        verdict = "not measured" if value is None else "met" if value <= limit else "**not met**"
        yield f"| {label} | {shown} | {limit} {unit}".rstrip() + f" | {verdict} |"
    size = machine.get("stripped_mb")
    if size is not None:
        verdict = "met" if size < BINARY_BAR_MB else "**not met**"
        yield f"| stripped binary, MB | {size:.2f} | {BINARY_BAR_MB} | {verdict} |"


def report(rounds, machine):
    found = {key[3] for key in rounds.groups}
    order = ["direct", "floor", "nginx", "haproxy", "tollgate", "tollgate-full", "tollgate-spin", "portkey", "litellm"]
    names = [name for name in order if name in found]
    lines = []
    if machine:
        lines += [f"{machine['date']}; {machine['processor']}, {machine['cores']} cores; {machine['system']}, "
                  f"kernel {machine['kernel']}; " + ", ".join(machine["versions"]) + ".", ""]
    legend = "In brackets: ratio to nginx, for `direct` the total. `~`: no round was quiet."
    lines += [*table(rounds, names), "", legend, ""]
    tls = [name for name in ("nginx-tls", "tollgate-tls") if name in found]
    if tls:
        memory = {label: measure for label, measure in measures().items() if label in ("idle", "stream", "left")}
        lines += ["| over TLS | " + " | ".join(tls) + " |", "|---|" + "---|" * len(tls)]
        lines += [f"| {m.label} | " + " | ".join(m.cell(rounds, name) for name in tls) + " |" for m in memory.values()]
        lines += [""]
    lines += [*bars(rounds, machine)]
    bad = rounds.bad()
    told = ", ".join(f"{name} {count:,}" for name, count in bad.items()) or "none"
    lines += ["", f"Requests that failed or came back broken, in the rounds that count: {told}."]
    return "\n".join(lines) + "\n"


def write_page(path, text):
    page = Path(path).read_text()
    before, _, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise SystemExit(f"{path} has no lines {BEGIN} and {END}")
    Path(path).write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}")


def first_line(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return (done.stdout + done.stderr).strip().splitlines()[0] if (done.stdout + done.stderr).strip() else None


def machine_of(tollgate, names):
    versions = {"tollgate": [tollgate, "version"], "nginx": ["nginx", "-v"], "haproxy": ["haproxy", "-v"],
                "portkey": ["node", "--version"]}
    told = []
    for name in names:
        line = first_line(versions[name]) if name in versions else None
        if line:
            number = re.search(r"\d+\.\d+[\w.+-]*", line)
            told.append(f"{'node' if name == 'portkey' else name} {number.group() if number else line}")
    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    system = re.search(r'PRETTY_NAME="(.*)"', Path("/etc/os-release").read_text())
    with tempfile.NamedTemporaryFile() as stripped:
        done = subprocess.run(["strip", "-o", stripped.name, tollgate], check=False)
        size = os.path.getsize(stripped.name) / 1e6 if done.returncode == 0 else None
    return {"date": datetime.date.today().isoformat(), "cores": os.cpu_count(), "kernel": platform.release(),
            "processor": processor.group(1) if processor else platform.machine(),
            "system": system.group(1) if system else "Linux", "versions": told, "stripped_mb": size}


def main():
    if sys.argv[1:2] == ["--best"]:
        path, name, size = sys.argv[2:5]
        wanted = ("closed", name, int(size))
        rates = [row["rps"] for row in load([path]) if (row["suite"], row["name"], row.get("size")) == wanted]
        print(int(max(rates, default=0)))
        return
    if sys.argv[1:2] == ["--machine"]:
        print(json.dumps(machine_of(sys.argv[2], sys.argv[3:])))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit", type=float, default=0.08)
    parser.add_argument("--machine-file")
    parser.add_argument("--page")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    machine = json.loads(Path(options.machine_file).read_text()) if options.machine_file else {}
    text = report(Rounds(load(options.files), options.limit), machine)
    print(text, end="")
    if options.page:
        write_page(options.page, text)


if __name__ == "__main__":
    main()
