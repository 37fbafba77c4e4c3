"""The expressions of dashboards: where they stand, what Grafana makes of their variables, and what of a comparison is
asked so that an answer means that there was something to compare."""

import json
import re
from dataclasses import dataclass

# What Grafana would put in; windows are as short as the test.
BUILT_IN = {"$__rate_interval": "10s", "$__interval": "1s", "$__range": "1m"}
METRIC = re.compile(r"(?<![\w:])(?:\w+:[\w:]+|up|(?:tollgate|gen_ai|process)_\w+)(?![\w:]|\s*\()")
SELECTOR = re.compile(r"\b([a-zA-Z_:][\w:]*)\{([^{}]*)\}")
LEGEND_LABEL = re.compile(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}")
COMPARISON = re.compile(r"(==|!=|<=|>=|<|>)(?!\s*bool\b)")
QUOTED_OR_BRACED = re.compile(r'"(?:\\.|[^"\\])*"|\{(?:"(?:\\.|[^"\\])*"|[^{}"])*\}')


@dataclass(frozen=True)
class Expression:
    where: str  # for people
    text: str
    labels: tuple = ()  # that every result must have
    comparison: bool = False  # it may well be false: what is compared has to be there


def substituted(text, variables):
    for name, value in {**BUILT_IN, **{f"${name}": ".*" for name in variables}}.items():
        text = re.sub(re.escape(name) + r"\b", value.replace("\\", r"\\"), text)
    return text


def sources(text):
    """The same with every comparison as a number, 0 or 1: it has a result where both of its sides have one."""
    parts, end = [], 0
    for kept in QUOTED_OR_BRACED.finditer(text):
        parts += [COMPARISON.sub(r"\1 bool", text[end : kept.start()]), kept.group()]
        end = kept.end()
    return "".join(parts) + COMPARISON.sub(r"\1 bool", text[end:])


def metrics_of(text):
    bare = QUOTED_OR_BRACED.sub("", re.sub(r"\b(?:by|on|without|ignoring)\s*\([^)]*\)", "", text))
    return set(METRIC.findall(bare))


def matchers_of(text):
    """(metric, label) wherever an expression chooses by a label."""
    return {
        (metric, label)
        for metric, inside in SELECTOR.findall(text)
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", re.sub(r'"(?:\\.|[^"\\])*"', '""', inside))
    }


def of_dashboard(board):
    """Its expressions as Prometheus is asked them, and (variable, metric, label) of its variables."""
    variables = [each for each in board["templating"]["list"] if each["type"] == "query"]
    names = [each["name"] for each in variables]
    found = []
    for panel in board["panels"]:
        for target in panel["targets"]:
            labels = tuple(sorted(set(LEGEND_LABEL.findall(target["legendFormat"]))))
            found.append(Expression(f"{board['title']}: {panel['title']}", substituted(target["expr"], names), labels))
    for note in board["annotations"]["list"]:
        text = sources(substituted(note["expr"], names))
        found.append(Expression(f"{board['title']}: {note['name']}", text, comparison=True))
    asked = []
    for variable in variables:
        metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]["query"]).groups()
        asked.append((variable["name"], metric, label))
    return found, asked


def faults_of_form(name, board):
    """What Grafana would not refuse, and yet nobody wants to see."""
    faults = []
    known = {f"${each['name']}" for each in board["templating"]["list"]} | BUILT_IN.keys() | {"${datasource}"}
    used = set(re.findall(r"\$\{?\w+\}?", json.dumps([board["panels"], board["annotations"]])))
    faults += [f"{name}: nothing is called {each}" for each in used if each not in known]
    faults += [f"{name}: nobody uses ${each['name']}" for each in board["templating"]["list"] if each["type"] == "query" and f"${each['name']}" not in used]
    ids = [panel["id"] for panel in board["panels"]]
    faults += [f"{name}: two panels have one id"] if len(set(ids)) != len(ids) else []
    taken = {}
    for panel in board["panels"]:
        title, place = panel["title"], panel["gridPos"]
        if not title.endswith("?"):
            faults.append(f"{name}: '{title}' is no question")
        if not panel["fieldConfig"]["defaults"].get("unit"):
            faults.append(f"{name}: '{title}' has no unit")
        if any(each["datasource"]["uid"] != "${datasource}" for each in (panel, *panel["targets"])):
            faults.append(f"{name}: '{title}' is bound to one data source")
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if x >= 24 or taken.setdefault((x, y), title) != title:
                    faults.append(f"{name}: '{title}' lies over '{taken.get((x, y))}'")
                    break
            else:
                continue
            break
    return faults


def self_test():
    wanted = {
        "a > 1 and b == 2": "a > bool 1 and b == bool 2",
        'a{x!="1", y=~">"} - b >= 0': 'a{x!="1", y=~">"} - b >= bool 0',
        "max by (file) (a) - time() < 14 * 86400": "max by (file) (a) - time() < bool 14 * 86400",
    }
    wrong = [f"{text}: {sources(text)}" for text, good in wanted.items() if sources(text) != good]
    if substituted('a{m=~"$model"}[$__rate_interval]', ["model"]) != 'a{m=~".*"}[10s]':
        wrong.append("variables are not put in")
    text = 'sum by (up, le) (rate(tollgate_a_total{up="x"}[5m])) / route:b:c + tollgate_d:e'
    if metrics_of(text) != {"tollgate_a_total", "route:b:c", "tollgate_d:e"} or matchers_of(text) != {("tollgate_a_total", "up")}:
        wrong.append(f"metrics: {metrics_of(text)}, matchers: {matchers_of(text)}")
    return wrong
