#!/usr/bin/env python3
"""What the invoices of invoices.jsonl come to, by exact fractions and from the rules of docs/prices.md alone.

It shares nothing with the gateway's arithmetic, so that the two can only agree by being right. Each line of the table is
a case: where its price stands (`prices`: shipped or own), provider, model, the moment, the usage, and `nanos`.

    compute.py           says which lines are wrong
    compute.py --write   puts the right amounts in
"""
import json
import math
import pathlib
import sys
from datetime import datetime, timezone
from fractions import Fraction

import yaml

HERE = pathlib.Path(__file__).resolve().parent
TABLE = HERE / "invoices.jsonl"
FILES = {"shipped": HERE.parents[2] / "config" / "prices.yaml", "own": HERE / "prices.yaml"}

# A class, and what it is charged as where it has no rate.
INPUT = {"cached_input": "input", "cache_write": "input", "cache_write_long": "cache_write",
         "audio_input": "input", "image_input": "input"}
OUTPUT = {"reasoning": "output", "audio_output": "output", "image_output": "output"}
# The beginning of a prompt is what a cache can hold.
ORDER = ["cached_input", "cache_write_long", "cache_write", "audio_input", "image_input", "input"]


class TextLoader(yaml.SafeLoader):
    """Leaves every scalar a text: a rate must not pass through a float."""


TextLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag == "tag:yaml.org,2002:merge"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def percent(text):
    return Fraction(text.removesuffix("%")) / 100


def moment(text):
    whole = text if "T" in text else text + "T00:00:00Z"
    return datetime.strptime(whole, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def entry_of(models, name):
    """By its own name or one of its names, else by the longest one with a star."""
    names = {}
    for key, entry in models.items():
        for each in [key, *entry.get("names", [])]:
            names[each] = entry
    stars = [each for each in names if each.endswith("*") and name.startswith(each[:-1])]
    return names[name] if name in names else names[max(stars, key=len)]


def row_at(entry, when):
    holding = []
    for row in entry.get("rows", [entry]):
        valid = row.get("valid", {})
        begin = moment(valid.get("from", "1970-01-01"))
        if begin <= when and ("until" not in valid or when < moment(valid["until"])):
            holding.append((begin, row))
    return max(holding, key=lambda pair: pair[0])[1]


def rate(name, *rows):
    """Of the first row that says it, else that of the class it counts as."""
    for row in rows:
        if name in row:
            return Fraction(row[name])
    other = {**INPUT, **OUTPUT}.get(name)
    return rate(other, *rows) if other else Fraction(0)


def in_classes(usage, whole, parts):
    """The tokens of each class, and those in none; parts that are more than their whole are what was counted."""
    counts = {part: usage.get(part, 0) for part in parts}
    counts[whole] = max(0, usage.get(whole, 0) - sum(counts.values()))
    return counts


def reached(tier, tokens):
    return tokens >= int(tier["from"]) if "from" in tier else tokens > int(tier["above"])


def tokens_cost(row, usage):
    prompt, answer = in_classes(usage, "input", INPUT), in_classes(usage, "output", OUTPUT)
    tiers = row.get("tiers", [])
    if any(tier.get("marginal") == "true" for tier in tiers):
        total, position = Fraction(0), 0
        for name in ORDER:
            left = prompt[name]
            while left > 0:  # runs of tokens between two thresholds
                inside = [tier for tier in tiers if reached(tier, position + 1)]
                ahead = [int(t["from"]) - 1 if "from" in t else int(t["above"]) for t in tiers
                         if not reached(t, position + 1)]
                run = min([left, *(end - position for end in ahead)])
                total += run * rate(name, *inside[-1:], row)
                left, position = left - run, position + run
        return total + sum(count * rate(name, row) for name, count in answer.items())
    over = [tier for tier in tiers if reached(tier, sum(prompt.values()))][-1:]
    return sum(count * rate(name, *over, row) for name, count in [*prompt.items(), *answer.items()])


def nanos(row, usage):
    if row.get("free") == "true":
        return 0
    tier = usage.get("tier", "standard")
    share = percent(row.get("service_tiers", {}).get(tier, "100%"))
    dollars = (tokens_cost(row, usage) / 10**6 + Fraction(row.get("per_call", "0"))) * share
    dollars += usage.get("searches", 0) * Fraction(row.get("per_1000_searches", "0")) / 1000
    return math.floor(dollars * (1 - percent(row.get("discount", "0%"))) * 10**9 + Fraction(1, 2))


def main():
    books = {name: yaml.load(path.read_text(), TextLoader)["providers"] for name, path in FILES.items()}
    lines, wrong = [], 0
    for number, line in enumerate(TABLE.read_text().splitlines(), 1):
        case = json.loads(line)
        row = row_at(entry_of(books[case["prices"]][case["provider"]], case["model"]), moment(case["at"]))
        amount = nanos(row, case["usage"])
        if case.get("nanos") != amount:
            wrong += 1
            print(f"{TABLE.name}:{number}: {case['name']}: {amount}, not {case.get('nanos')}")
        lines.append(json.dumps({**case, "nanos": amount}))
    if "--write" in sys.argv[1:]:
        TABLE.write_text("\n".join(lines) + "\n")
        return 0
    print(f"{len(lines)} invoices, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
