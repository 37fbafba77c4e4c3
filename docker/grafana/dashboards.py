#!/usr/bin/env python3
"""Makes the dashboards below dashboards/; that is where they are edited.

dashboards.py            writes them
dashboards.py --check    says whether the files are what this makes
"""

import json
import sys
from pathlib import Path

from panels import GREEN, RED, YELLOW, bars, chosen, dashboard, lines, query, stat, states, steps, words

FOLDER = Path(__file__).resolve().parent / "dashboards"
FAILED = 'outcome=~"upstream_error|timeout|truncated|internal"'


def share(part, whole):
    """Of rates; 0 where the part has never happened."""
    return f"({part} or vector(0)) / {whole}"


def quantiles(metric, matchers, by=""):
    grouped = f"{by}, le" if by else "le"
    shown = "".join(f"{{{{{label}}}}} " for label in by.split(", ") if label)
    return [
        query(
            f"histogram_quantile({q}, sum by ({grouped}) (rate({metric}_bucket{matchers}[$__rate_interval])))",
            f"{shown}p{q * 100:.0f}",
        )
        for q in (0.5, 0.95, 0.99)
    ]


def cost():
    money = '{tenant=~"$tenant", task=~"$task", model=~"$model"}'
    wasted = '{tenant=~"$tenant", model=~"$model"}'
    requests = '{tenant=~"$tenant", task=~"$task", model=~"$model"}'
    answered = '{tenant=~"$tenant", task=~"$task", model=~"$model", outcome="ok"}'
    budget = '{tenant=~"$tenant"}'

    def hourly(label):
        return [query(f"3600 * sum by ({label}) (rate(tollgate_cost_usd_total{money}[$__rate_interval]))", f"{{{{{label}}}}}")]

    used = f"max by (tenant, budget) (tollgate_budget_spent_usd{budget}) / (max by (tenant, budget) (tollgate_budget_limit_usd{budget}) > 0)"
    left = (
        f"max by (tenant, budget) (tollgate_budget_limit_usd{budget} - tollgate_budget_spent_usd{budget} - tollgate_budget_reserved_usd{budget})"
    )
    pace = f"clamp_min(max by (tenant, budget) (deriv(tollgate_budget_spent_usd{budget}[1h])), 1e-9)"
    return dashboard(
        "cost",
        "tollgate: cost",
        "Who spends how much on what, what of it is wasted, and how long the budgets last. A bill is made of the ledger: tollgate usage.",
        [
            chosen("tenant", "tollgate_requests_total"),
            chosen("model", "tollgate_requests_total"),
            chosen("task", "tollgate_requests_total"),
        ],
        [
            stat("What does an hour cost now?", f"3600 * sum(rate(tollgate_cost_usd_total{money}[5m]))", "currencyUSD"),
            stat("What has this time cost?", f"sum(increase(tollgate_cost_usd_total{money}[$__range]))", "currencyUSD"),
            stat(
                "How much of it is wasted?",
                share(
                    f"sum(increase(tollgate_wasted_cost_usd_total{wasted}[$__range]))",
                    f"sum(increase(tollgate_cost_usd_total{wasted}[$__range]))",
                ),
                "percentunit",
                steps((0.02, YELLOW), (0.1, RED)),
                "Paid, and no client got an answer for it: repeats, second attempts, streams that broke or that nobody waited for.",
            ),
            stat(
                "What does an answer cost?",
                f"sum(rate(tollgate_cost_usd_total{money}[$__rate_interval])) / sum(rate(tollgate_requests_total{answered}[$__rate_interval]))",
                "currencyUSD",
                help_text="All that is spent, over requests that were answered.",
            ),
            stat(
                "Is anything in no bill?",
                'sum(increase(tollgate_unpriced_requests_total{model=~"$model"}[$__range])) or vector(0)',
                "short",
                steps((1, RED)),
                "Requests to models without a price. prices.yaml wants a row.",
                decimals=0,
            ),
            stat(
                "How much is estimated?",
                share(
                    'sum(increase(tollgate_estimated_requests_total{model=~"$model"}[$__range]))',
                    f"sum(increase(tollgate_requests_total{requests}[$__range]))",
                ),
                "percentunit",
                steps((0.05, YELLOW), (0.2, RED)),
                "Requests whose provider did not tell its count: streams that broke or that clients left, and silent providers.",
            ),
            lines("Which tenant spends?", hourly("tenant"), "currencyUSD", "USD an hour.", stacked=True),
            lines("On which model?", hourly("model"), "currencyUSD", "USD an hour.", stacked=True),
            lines("For which task?", hourly("task"), "currencyUSD", "USD an hour.", stacked=True),
            lines(
                "What is wasted, and why?",
                [query(f"3600 * sum by (reason) (rate(tollgate_wasted_cost_usd_total{wasted}[$__rate_interval]))", "{{reason}}")],
                "currencyUSD",
                "USD an hour.",
                stacked=True,
            ),
            bars(
                "How full are the budgets?",
                f"sort_desc({used})",
                "{{tenant}}: {{budget}}",
                "percentunit",
                steps((0.8, YELLOW), (1, RED)),
                "What is spent of what may be, in the window that is on.",
                width=8,
                most=1,
            ),
            bars(
                "How long do they last?",
                f"sort(clamp_max({left} / {pace}, 30 * 86400))",
                "{{tenant}}: {{budget}}",
                "s",
                steps((3600, YELLOW), (86400, GREEN), base=RED),
                "At the pace of the last hour, a month at most. Many a window begins anew before.",
                width=8,
                most=30 * 86400,
            ),
            bars(
                "What do calls in flight hold?",
                f"sort_desc(max by (tenant, budget) (tollgate_budget_reserved_usd{budget}))",
                "{{tenant}}: {{budget}}",
                "currencyUSD",
                steps(),
                "The most that they may come to. It is given back when they end.",
                width=8,
            ),
            lines(
                "What does a million tokens cost?",
                [
                    query(
                        f"1e6 * sum by (model) (rate(tollgate_cost_usd_total{money}[$__rate_interval])) / sum by (model) (rate(tollgate_tokens_total{money}[$__rate_interval]))",
                        "{{model}}",
                    )
                ],
                "currencyUSD",
                "Of all kinds together: what list prices come to on what is really asked.",
            ),
            lines(
                "What are the tokens?",
                [query(f"60 * sum by (kind) (rate(tollgate_tokens_total{money}[$__rate_interval]))", "{{kind}}")],
                "short",
                "Tokens a minute. What is read from providers' caches is cheap, reasoning is not.",
                stacked=True,
            ),
        ],
        span="now-24h",
    )


def reliability():
    requests = '{route=~"$route", model=~"$model"}'
    failed = f'{{route=~"$route", model=~"$model", {FAILED}}}'
    of_target = '{target=~"$target"}'

    def failing(window):
        return share(f"sum(rate(tollgate_requests_total{failed}[{window}]))", f"sum(rate(tollgate_requests_total{requests}[{window}]))")

    def by_route(matchers):
        return f"sum by (route) (rate(tollgate_requests_total{matchers}[$__rate_interval]))"

    upstream = f"sum by (target) (rate(tollgate_attempts_total{of_target}[$__rate_interval]))"
    broken = f'sum by (target) (rate(tollgate_attempts_total{{target=~"$target", outcome!~"ok|client_error|cancelled"}}[$__rate_interval]))'
    return dashboard(
        "reliability",
        "tollgate: reliability",
        "Do clients see failures, and whose are they? Who fails, what is done about it, how long does everything take.",
        [
            chosen("route", "tollgate_requests_total"),
            chosen("model", "tollgate_requests_total"),
            chosen("target", "tollgate_attempts_total"),
        ],
        [
            stat(
                "Do clients see failures?",
                failing("5m"),
                "percentunit",
                steps((0.005, YELLOW), (0.05, RED)),
                "Share of requests of the last five minutes that failed by no fault of the client's. The promise is less than 0.5 %.",
                decimals=2,
            ),
            stat(
                "Do providers fail?",
                share(
                    'sum(rate(tollgate_attempts_total{target=~"$target", outcome!~"ok|client_error|cancelled"}[5m]))',
                    f"sum(rate(tollgate_attempts_total{of_target}[5m]))",
                ),
                "percentunit",
                steps((0.1, YELLOW), (0.5, RED)),
                "Share of attempts. What lies between this and the number on its left was hidden from clients.",
                decimals=1,
            ),
            stat(
                "How many circuits are open?",
                "count(max by (target, credential) (tollgate_circuit_state{target=~\"$target\"}) == 2) or vector(0)",
                "none",
                steps((1, YELLOW), (3, RED)),
                "Nobody is sent to those targets.",
            ),
            stat(
                "Are credentials refused?",
                "sum(max by (provider, credential) (tollgate_credentials_set_aside)) or vector(0)",
                "none",
                steps((1, RED)),
                "A provider refuses them, or their account is empty.",
            ),
            stat(
                "How long to the first token?",
                f"histogram_quantile(0.95, sum by (le) (rate(tollgate_time_to_first_token_seconds_bucket{requests}[5m])))",
                "s",
                steps((5, YELLOW), (20, RED)),
                "19 of 20 streams are faster.",
            ),
            stat(
                "Is the configuration in force?",
                "min(tollgate_config_last_reload_successful)",
                "none",
                steps((1, GREEN), base=RED),
                "No: the last one was refused, and the one before is in force.",
                mappings=words([(0, "refused", RED), (1, "yes", GREEN)]),
            ),
            lines(
                "How do requests end?",
                [query(f"sum by (outcome) (rate(tollgate_requests_total{requests}[$__rate_interval]))", "{{outcome}}")],
                "reqps",
                stacked=True,
            ),
            lines(
                "Which route fails?",
                [query(f"({by_route(failed)} or 0 * {by_route(requests)}) / {by_route(requests)}", "{{route}}")],
                "percentunit",
                "Share of its requests.",
                limits=steps((0.05, RED)),
            ),
            lines(
                "Which target fails?",
                [query(f"({broken} or 0 * {upstream}) / {upstream}", "{{target}}")],
                "percentunit",
                "Share of the attempts at it, whether or not a client noticed.",
                most=1,
            ),
            states(
                "Who is left alone?",
                "max by (target, credential) (tollgate_circuit_state{target=~\"$target\"})",
                "{{target}} ({{credential}})",
                [(0, "closed", GREEN), (1, "half-open", YELLOW), (2, "open", RED)],
                "Circuits. Open: nobody is sent there; half-open: a few try it.",
            ),
            lines(
                "What is done about it?",
                [
                    query(f'sum by (target) (rate(tollgate_retries_total{of_target}[$__rate_interval]))', "again: {{target}}"),
                    query("sum by (from, to) (rate(tollgate_fallbacks_total[$__rate_interval]))", "{{from}} → {{to}}"),
                    query(f"sum by (target) (rate(tollgate_retry_denied_total{of_target}[$__rate_interval]))", "not again: {{target}}"),
                ],
                "reqps",
                "Attempts that followed one that failed, and those that were not made since the budget for repeats was spent.",
            ),
            lines(
                "How fast is the error budget used up?",
                [query(f"{failing(window)} / 0.005", window) for window in ("5m", "1h", "6h")],
                "short",
                "1: as fast as the promise of 0.5 % allows. At 14 a month's share is gone in two days.",
                limits=steps((1, YELLOW), (14.4, RED)),
            ),
            lines(
                "How long do requests take?",
                quantiles("tollgate_request_duration_seconds", requests),
                "s",
                "First byte of the request to last byte of the answer, streams as well.",
            ),
            lines(
                "How long until a model speaks?",
                [quantiles("tollgate_time_to_first_token_seconds", requests, by="model")[1]],
                "s",
                "Streams only; 19 of 20 are faster.",
            ),
        ],
        span="now-3h",
    )


def capacity():
    here = '{instance=~"$instance"}'
    rate = "[$__rate_interval]"
    return dashboard(
        "capacity",
        "tollgate: capacity",
        "How much is going on, how close it is to what can go on, and what the gateway itself adds.",
        [chosen("instance", "tollgate_build_info")],
        [
            stat("How many requests now?", f"sum(tollgate_in_flight_requests{here})", "none", help_text="In flight."),
            stat("How many of them are streams?", f"sum(tollgate_streams_active{here})", "none", help_text="Being relayed."),
            stat(
                "What does the gateway add?",
                f"histogram_quantile(0.99, sum by (le) (rate(tollgate_overhead_seconds_bucket{here}[5m])))",
                "s",
                steps((0.01, YELLOW), (0.1, RED)),
                "Of 100 requests 99 wait less for the gateway itself; limits, queues and slow clients are in it.",
            ),
            stat(
                "How busy is it?",
                f"max by (instance) (rate(process_cpu_seconds_total{here}[5m]))",
                "none",
                help_text="Processor cores in use by the busiest instance.",
                decimals=2,
            ),
            stat(
                "Are there descriptors left?",
                f"max(process_open_fds{here} / process_max_fds{here})",
                "percentunit",
                steps((0.5, YELLOW), (0.8, RED)),
                "Share of those that may be open that are.",
                decimals=1,
            ),
            stat(
                "Is the ledger behind?",
                f"max(tollgate_ledger_lag_seconds{here})",
                "s",
                steps((10, YELLOW), (60, RED)),
                "Age of the oldest record that its store does not have yet. Nothing is lost while the journal has room.",
            ),
            lines(
                "How much is asked?",
                [query('sum by (route) (rate(tollgate_requests_total{instance=~"$instance"}[$__rate_interval]))', "{{route}}")],
                "reqps",
                stacked=True,
            ),
            lines(
                "How much goes on at a time?",
                [
                    query(f"sum by (instance) (tollgate_in_flight_requests{here})", "{{instance}} requests"),
                    query(f"sum by (instance) (tollgate_streams_active{here})", "{{instance}} streams"),
                ],
                "none",
            ),
            lines(
                "Who is turned away?",
                [query(f"sum by (tenant, limit) (rate(tollgate_rate_limited_requests_total{here}{rate}))", "{{tenant}}: {{limit}}")],
                "reqps",
                "By limits, and by which.",
            ),
            lines(
                "What do the pools hold?",
                [query(f"sum by (provider, state) (tollgate_upstream_connections{here})", "{{provider}} {{state}}")],
                "none",
                "Connections to providers. Where none is ever idle, each call pays for a handshake.",
            ),
            lines(
                "What does the gateway add?",
                quantiles("tollgate_overhead_seconds", here),
                "s",
                "Duration of requests less the time in which only the upstream could go on.",
            ),
            lines(
                "How many tokens flow?",
                [query(f"60 * sum by (model) (rate(tollgate_tokens_total{here}{rate}))", "{{model}}")],
                "short",
                "A minute, all kinds.",
                stacked=True,
            ),
            lines(
                "How busy are the instances?",
                [query(f"rate(process_cpu_seconds_total{here}{rate})", "{{instance}}")],
                "none",
                "Processor cores in use.",
                width=8,
            ),
            lines(
                "How much memory do they take?",
                [query(f"process_resident_memory_bytes{here}", "{{instance}}")],
                "bytes",
                width=8,
            ),
            lines(
                "What waits for the disk?",
                [
                    query(f"sum by (instance) (tollgate_ledger_journal_bytes{here})", "{{instance}} journal"),
                ],
                "bytes",
                "The journal grows while its store is locked or full.",
                width=8,
            ),
            bars(
                "How long are certificates good?",
                "sort(min by (file) (tollgate_certificate_expiry_timestamp_seconds) - time())",
                "{{file}}",
                "s",
                steps((2 * 86400, YELLOW), (14 * 86400, GREEN), base=RED),
                "Those that clients are shown.",
                width=8,
                height=6,
            ),
            stat(
                "Are lines of the access log lost?",
                f"sum(increase(tollgate_access_log_dropped_total{here}[$__range]))",
                "none",
                steps((1, RED)),
                "What it is written to is too slow.",
                width=8,
                decimals=0,
            ),
            stat(
                "How long is it up?",
                f"time() - max by (instance) (process_start_time_seconds{here})",
                "s",
                width=8,
            ),
        ],
        span="now-3h",
    )


def made():
    """File name to text."""
    return {
        f"{board['uid'].removeprefix('tollgate-')}.json": json.dumps(board, indent=1, ensure_ascii=False) + "\n"
        for board in (cost(), reliability(), capacity())
    }


def differing():
    """What --check tells: the files that are not what this makes, or that this does not make."""
    wanted = made()
    there = {path.name: path.read_text() for path in FOLDER.glob("*.json")}
    return sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        stale = differing()
        print(*(f"{name}: not what dashboards.py makes" for name in stale), sep="\n", end="\n" if stale else "")
        sys.exit(1 if stale else 0)
    if sys.argv[1:]:
        sys.exit(__doc__)
    FOLDER.mkdir(exist_ok=True)
    for name, text in made().items():
        (FOLDER / name).write_text(text)
