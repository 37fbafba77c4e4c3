#!/usr/bin/env python3
"""Asks a real Prometheus everything that docker/ asks of it, and looks at the files of docker/.

runner.py BINARY [--junit FILE] [-k TEXT] [--whole-build]     parts whose name ("dashboards: cost") holds the text
runner.py --self-test                         shows that what judges can fail
"""

import argparse
import json
import math
import random
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import dashboards
import docker_files
import expressions
from expressions import Expression
from suite import MOST_TOLD, Suite, printable, write_junit
from watcher import Watcher, promtool, shipped_folder
from world import World, documented, families_with_samples, series_of

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 60  # for data of every expression
MANY_NAMES = 100_000
LONGEST_SCRAPE = 0.1


class Prometheus:
    """All parts share one gateway and one Prometheus."""

    def __init__(self, folder, binary):
        self.folder, self.binary = folder, binary
        self.figures = []

    def start(self):
        self.world = World(self.folder / "gateway", self.binary)
        told = self.world.canned_load()
        faults = [] if set(told["auto"]) == {200} else [f"auto was answered with {sorted(set(told['auto']))}"]
        faults += [] if 429 in told["small"] else [f"the small tenant was answered with {told['small']}"]
        statuses = [self.world.reload(text) for text in (self.world.good + "\n", "version: 2\n", self.world.good)]
        faults += [] if statuses == [200, 422, 200] else [f"reloads: {statuses}"]
        self.world.keep_calling()
        self.watcher = Watcher(self.folder / "prometheus", shipped_folder(ROOT), [self.world.metrics_address])
        return faults

    def stop(self):
        if hasattr(self, "watcher"):
            self.watcher.stop()
        return self.world.stop() if hasattr(self, "world") else []

    # --- the page ---

    def page_is_clean(self):
        page, _ = self.world.page()
        return promtool("check", "metrics", text=page)

    def page_is_documented(self):
        page, _ = self.world.page()
        there, types = families_with_samples(page)
        wanted = documented(ROOT)
        faults = [f"{name}: {types.get(name)} here, {wanted.get(name)} in docs/metrics.md" for name in wanted.keys() | types.keys() if types.get(name) != wanted.get(name)]
        silent = wanted.keys() - there
        return faults + [f"{name}: the load brings nothing of it" for name in sorted(silent)]

    # --- expressions ---

    def fault_of(self, expression):
        """Why it is not good, or nothing."""
        try:
            results = self.watcher.query(expression.text)
        except ValueError as problem:
            return f"{expression.where}: {problem}\n    {expression.text}"
        if not results:
            return f"{expression.where}: nothing\n    {expression.text}"
        if all(math.isnan(float(value)) for _, value in results):
            return f"{expression.where}: not a number\n    {expression.text}"
        for label in expression.labels:
            if not all(label in labels for labels, _ in results):
                return f"{expression.where}: results without the label {label}\n    {expression.text}"
        return self.fault_of_names(expression)

    def fault_of_names(self, expression):
        """`or vector(0)` and a matcher that takes everything hide a name that nothing has."""
        for metric in expressions.metrics_of(expression.text):
            if not self.watcher.query(f'count({{__name__="{metric}"}})'):
                return f"{expression.where}: there is no {metric}"
        for metric, label in expressions.matchers_of(expression.text):
            if not self.watcher.query(f'count({metric}{{{label}!=""}})'):
                return f"{expression.where}: {metric} has no label {label}"
        return None

    def all_answered(self, wanted):
        """Asks until all are good or the time is over: what waits for a second scrape is no fault."""
        until = time.monotonic() + PATIENCE
        while True:
            faults = {each: fault for each in wanted if (fault := self.fault_of(each))}
            if not faults or time.monotonic() > until:
                return list(faults.values())
            wanted = list(faults)
            time.sleep(0.5)

    def dashboard(self, board):
        wanted, variables = expressions.of_dashboard(board)
        self.count(f"{board['title']}: {len(board['panels'])} panels, {len(wanted)} expressions")
        faults = self.all_answered(wanted)
        for name, metric, label in variables:
            values = self.watcher.ask("label/" + label + "/values", **{"match[]": metric})
            faults += [] if values else [f"{board['title']}: ${name} has no value to choose"]
        return faults

    def groups(self, kind):
        until = time.monotonic() + PATIENCE
        while True:
            found = [rule for group in self.watcher.ask("rules")["groups"] for rule in group["rules"] if rule["type"] == kind]
            if all(rule["health"] != "unknown" for rule in found) or time.monotonic() > until:
                return found
            time.sleep(0.5)

    def recording_rules(self):
        found = self.groups("recording")
        self.count(f"{len(found)} recording rules")
        faults = [f"{rule['name']}: {rule['health']} {rule.get('lastError', '')}" for rule in found if rule["health"] != "ok"]
        wanted = [Expression(rule["name"], rule["query"]) for rule in found]
        return faults + self.all_answered(wanted + [Expression(f"{rule['name']}, kept", rule["name"]) for rule in found])

    def alerts(self):
        found = self.groups("alerting")
        self.count(f"{len(found)} alerts")
        faults = [f"{rule['name']}: {rule['health']} {rule.get('lastError', '')}" for rule in found if rule["health"] != "ok"]
        wanted = []
        for rule in found:
            text = expressions.sources(rule["query"])
            if text == rule["query"]:
                faults.append(f"{rule['name']} compares nothing")
            labels = tuple(set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"]))))
            wanted.append(Expression(rule["name"], text, labels, comparison=True))
            if set(rule["annotations"]) != {"summary", "description"} or rule["labels"].get("severity") not in ("page", "ticket"):
                faults.append(f"{rule['name']}: whom does it wake, and what does it tell?")
        return faults + self.all_answered(wanted)

    def open_circuit_is_pending(self):
        """One alert that this load has to set off, after the ten minutes that it waits."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            told = {(alert["labels"]["alertname"], alert["labels"].get("target")) for alert in self.watcher.ask("alerts")["alerts"]}
            if ("TollgateCircuitOpen", "down/broken") in told:
                return []
            time.sleep(0.5)
        return [f"no alert for the provider that is down: {sorted(map(str, told))}"]

    # --- series ---

    def many_names(self):
        """Names that nobody configured: of models, tasks, users, requests."""
        chance = random.Random(6)
        names = [f"{chance.getrandbits(64):016x}" for _ in range(MANY_NAMES)]
        self.world.pause_calling()
        self.world.call_with_names([f"before-{i}" for i in range(100)])
        before, _ = self.world.page()
        began = time.monotonic()
        statuses = Counter()
        told = []
        share = len(names) // 4
        threads = [
            threading.Thread(target=lambda part: told.append(self.world.call_with_names(part)), args=(names[i * share : (i + 1) * share],))
            for i in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.monotonic() - began
        for each in told:
            statuses += each
        after, _ = self.world.page()
        new = series_of(after) - series_of(before)
        self.figures.append(f"{statuses.total()} requests with names of their own ({dict(statuses)}) in {took:.0f} s: {len(series_of(before))} series before, {len(series_of(after))} after")
        faults = [f"new: {series}" for series in sorted(new)[:10]]
        return faults + ([] if statuses == {200: MANY_NAMES // 10, 404: MANY_NAMES * 9 // 10} else [f"answers: {dict(statuses)}"])

    def scrape_time(self):
        took = sorted(self.world.page()[1] for _ in range(20))
        page, _ = self.world.page()
        self.figures.append(f"a scrape: {took[10] * 1000:.1f} ms (of 20: {took[0] * 1000:.1f} to {took[-1] * 1000:.1f}), {len(page) >> 10} KiB")
        return [] if took[10] < LONGEST_SCRAPE else [f"a scrape takes {took[10]:.3f} s"]

    def count(self, text):
        self.figures.append(text)


def play(suite, folder, binary, whole_build):
    files = Suite("files", suite._wanted)
    boards = {name: json.loads(text) for name, text in dashboards.made().items()}
    files.run("dashboards are what their script makes", lambda: [f"{name} differs: docker/grafana/dashboards.py" for name in dashboards.differing()])
    files.run("dashboards are well formed", lambda: [f for name, board in boards.items() for f in expressions.faults_of_form(name, board)])
    shipped = shipped_folder(ROOT)
    files.run("promtool reads configuration and rules", lambda: promtool("check", "config", shipped / "prometheus.yml") + promtool("check", "rules", shipped / "rules.yml", shipped / "alerts.yml"))
    files.run("alerts fire when they should", lambda: promtool("test", "rules", Path(__file__).with_name("alerts.test.yml")))
    files.run("Dockerfile", lambda: docker_files.dockerfile(ROOT, binary))
    files.run("the steps of the build", lambda: docker_files.replay(ROOT, whole_build))
    files.run("compose", lambda: docker_files.compose(ROOT))
    files.run("provisioning of Grafana", lambda: docker_files.provisioning(ROOT))
    files.run("the configuration of the demo", lambda: docker_files.configuration(ROOT, binary))

    real = Prometheus(folder, binary)
    suite.run("starts under load", real.start, always=True)
    if hasattr(real, "watcher"):
        suite.run("promtool check metrics", real.page_is_clean)
        suite.run("the load brings every documented metric", real.page_is_documented)
        for name, board in boards.items():
            suite.run(f"dashboard {name.removesuffix('.json')}", lambda board=board: real.dashboard(board))
        suite.run("recording rules", real.recording_rules)
        suite.run("alerts", real.alerts)
        suite.run("an open circuit is noticed", real.open_circuit_is_pending)
        suite.run("names of callers make no series", real.many_names)
        suite.run("a scrape is quick", real.scrape_time)
        if real.world.without:
            real.figures.append(f"not configured, since this gateway does not know it: {', '.join(real.world.without)}")
    suite.run("ends in order", real.stop, always=True)
    if docker_files.yaml is None:
        real.figures.append("no module yaml: compose and provisioning were only searched for tabs")
    return files.parts + suite.parts, real.figures


def self_test():
    wrong = expressions.self_test()
    wrong += [] if "wrong" in str(docker_files.instructions("FROM a AS wrong\nRUN x \\\n  y\n")) else ["instructions"]
    board = json.loads(next(iter(dashboards.made().values())))
    board["panels"][1]["gridPos"].update(board["panels"][0]["gridPos"])
    board["panels"][2]["targets"][0]["expr"] += " + $nobody"
    wrong += [] if len(expressions.faults_of_form("bad", board)) == 2 else ["a bad dashboard passes"]
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"self-test: {len(wrong)} faults")
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", nargs="?")
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--junit")
    parser.add_argument("--whole-build", action="store_true", help="run the Dockerfile's compiler too: minutes")
    parser.add_argument("-k", default="", help="only parts whose name holds this text")
    arguments = parser.parse_args()
    if arguments.self_test:
        sys.exit(self_test())
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="prometheus-") as folder:
        parts, figures = play(Suite("prometheus", arguments.k), Path(folder), arguments.binary, arguments.whole_build)
    for part in parts:
        print(f"{part.name}: {'ok' if not part.faults else f'{len(part.faults)} FAULTS'} ({part.seconds:.1f} s)")
        for fault in part.faults[:MOST_TOLD]:
            print(f"    {printable(fault)}")
    print(*figures, sep="\n")
    if arguments.junit:
        write_junit(arguments.junit, parts, "prometheus")
    failed = sum(bool(part.faults) for part in parts)
    print(f"{len(parts)} parts in {time.monotonic() - started:.0f} s: {failed} failed")
    sys.exit(1 if failed or not parts else 0)


if __name__ == "__main__":
    main()
