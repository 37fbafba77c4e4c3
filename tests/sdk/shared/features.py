"""`features.json`, and how the names of tests in reports relate to it."""

import json
from pathlib import Path

PLAN = json.loads((Path(__file__).resolve().parent / "features.json").read_text())
# Longest first: one column's name may begin another's.
COLUMNS = sorted(PLAN["columns"], key=len, reverse=True)


def target_of(test):
    """(target, feature) of a test of the lanes for Anthropic's SDKs: `test_error_has_its_class[claude-quota-stream]`. What
    else is in the brackets is not told apart."""
    name, _, parameters = test.removeprefix("test_").removesuffix("]").partition("[")
    return parameters.partition("-")[0], name


def feature_of(test):
    """(column, feature) of a test's name. The column is None where no parameter names one: pytest's names do,
    `test_chat_answer_is_whole[curl]` or `test_error_has_its_class[curl-error_400]`."""
    name, bracket, parameters = test.removeprefix("test_").removesuffix("]").partition("[")
    if not bracket:
        return None, name
    for column in COLUMNS:
        if parameters == column:
            return column, name
        if parameters.startswith(column + "-"):
            return column, f"{name}[{parameters.removeprefix(column + '-')}]"
    return None, f"{name}[{parameters}]"
