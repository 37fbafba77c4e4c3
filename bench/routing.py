#!/usr/bin/env python3
"""How requests fare while providers fail, one experiment a function, one line of figures each.

routing.py [--quick] [R1 R2 R3 R5 R6]

Providers are simulators, processes of their own; they and the clients run on one core, the gateway with one worker on
another. What happened at a provider is what its simulator says. A failure is anything but a whole answer: another status
than 200, a stream without its end, a body that is not whole JSON. The exit code tells whether all bars were met."""

import asyncio
import os
import subprocess
import sys
import time
from dataclasses import dataclass

import gateway
import rounds
from callers import chat
from resilience import await_true
from retry_after import run_forms
from stage import Call, Stage, at_once, crowd, failed, half_streamed, timetable

# Two providers, one behind the other. @mark@ is filled in by with_settings() and by the stage.
PAIR = """
providers:
  primary: {base_url: "http://@primary@/v1", @settings@}
  fallback: {base_url: "http://@fallback@/v1", @settings@}
models:
  first: {provider: primary, name: sim}
  second: {provider: fallback, name: sim}
routes:
  auto: {primary: first, fallbacks: [second]}
"""
# Providers of one model that answer equally well.
EQUALS = """
providers:
@providers@
models:
  one: {targets: [@targets@]}
routes:
  auto: {primary: one}
"""
SHORT_TIMERS = "timeouts: {first_token: 1s, attempt: 1s}"
NEVER_OPEN = "circuit: {failures: 1000, min_requests: 1000000}"
BAD_DAY = ("rate_limit", "error_500", "error_503", "reset_before_head", "hang_before_head", "close_before_content")


def with_settings(routes, settings=""):
    return routes.replace(", @settings@", f", {settings}" if settings else "")


def equals(*names, settings=""):
    providers = "\n".join(f'  {name}: {{base_url: "http://@{name}@/v1", @settings@}}' for name in names)
    targets = ", ".join(f"{{provider: {name}}}" for name in names)
    return with_settings(EQUALS.replace("@providers@", providers).replace("@targets@", targets), settings)


def failing(share, *faults):
    """Options of a simulator that fails so, in equal parts."""
    return ["--failure-rate", share, *(option for fault in faults for option in ("--fault", f"{fault}=1"))]


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def good_ms(calls, share):
    """A quantile of the time that whole answers took."""
    return percentile([call.seconds * 1000 for call in calls if call.good], share)


def at_provider(simulator):
    """Calls that were over at a provider, and how many of them had failed."""
    told = simulator.stats()["finished"]
    return told["requests"], told["requests"] - told["outcomes"].get("complete", 0)


# --- R1 ---


def through_bad_day(count, clients, settings="", patience=30):
    with Stage({"primary": failing("25%", *BAD_DAY), "fallback": []}, with_settings(PAIR, settings)) as stage:
        calls = asyncio.run(crowd(stage.port, half_streamed(), count, clients, patience))
        await_true(stage.is_idle, 5)
        return calls, at_provider(stage["primary"]), len(stage.told("circuit_open"))


def straight_at_bad_day(count, clients):
    """The same load without a gateway; who is left hanging leaves after 2 s."""
    with Stage({"primary": failing("25%", *BAD_DAY), "fallback": []}, with_settings(PAIR)) as stage:
        return asyncio.run(crowd(stage["primary"].port, half_streamed("sim"), count, clients, 2))


def words_on(calls, at_primary, opened):
    asked, broken = at_primary
    lost = failed(calls)
    return (f"of {asked:,} calls to the primary {broken:,} failed ({broken / asked:.1%}), its circuit opened {opened} "
            f"times, of the clients' {len(calls):,} {lost} failed ({lost / len(calls):.3%}, <= 0.05 %)")


def r1():
    """A provider that fails a quarter of its calls, in every way that a gateway can mend, and a healthy one behind it."""
    count, patience = (2_000, 70) if rounds.quick else (20_000, 90)
    direct = straight_at_bad_day(count, 64)
    always = through_bad_day(count, 64, f"{NEVER_OPEN}, {SHORT_TIMERS}")
    timed = through_bad_day(count, 64, SHORT_TIMERS)
    # Whole answers that hang do so for the ten minutes of the default's attempt timer: they are let wait for less, and
    # there are enough clients for the others to go on meanwhile. What became of them in the end is not seen here.
    default = through_bad_day(count // 10, 128, patience=patience)
    ended = [call for call in default[0] if call.patient]
    good = all(failed(calls) <= len(calls) * 0.0005 for calls in (always[0], timed[0], ended))
    good &= always[1][0] > 0.9 * count and always[1][1] > 0.2 * always[1][0] and failed(direct) > 0.2 * count
    added = " and ".join(f"{name} {good_ms(direct, share):.0f} ms straight, {good_ms(always[0], share):.0f} ms through"
                         for name, share in (("p50", 0.5), ("p99", 0.99)))
    return good, (
        f"{count:,} requests, half streamed, 64 at a time; straight at the primary {failed(direct):,} fail "
        f"({failed(direct) / count:.1%}); timers of 1 s: {words_on(*timed)}; with a circuit that never opens: "
        f"{words_on(*always)}; of the good {added}; nothing set, {len(default[0]):,} requests, 128 at a time: "
        f"{len(default[0]) - len(ended)} whole answers still hung after {patience} s (the attempt timer is 10 min) and are "
        f"in no count; {words_on(ended, *default[1:])}"
    )


# --- R2 ---


@dataclass
class Seen:
    """A call as the provider saw it, by the clients' clock."""

    at: float
    over: float
    good: bool


@dataclass
class Day:
    """What the primary saw of its outage."""

    began: float
    ended: float
    during: list
    closed: float  # when the third success in a row had ended the circuit; 0: it did not
    probes: list


def run_day(stage, down, length, after):
    """The clients' calls, 200 a second, and the primary's day."""
    calls = asyncio.run(timetable(stage.port, half_streamed(), 200, down + length + after))
    wall = time.time() - time.monotonic()
    seen = [Seen(at, at + each["finished_us"] / 1e6, each["status"] == 200)
            for each in stage["primary"].truth() for at in [each["at_us"] / 1e6 - wall]]
    seen.sort(key=lambda each: each.at)
    began, ended = seen[0].at + down, seen[0].at + down + length
    successes = sorted(each.over for each in seen if each.good and each.at >= ended)
    closed = successes[2] if len(successes) > 2 else 0.0
    during = [each for each in seen if began <= each.at < ended]
    return calls, Day(began, ended, during, closed, [each for each in seen if ended <= each.at < closed])


def most_at_once(seen):
    return max((sum(each.at <= other.at < each.over for each in seen) for other in seen), default=0)


def shares(calls, provider, begin, seconds, step):
    """The provider's share of the answers, each `step` seconds from `begin` on, in percent."""
    told = []
    for start in range(0, seconds, step):
        part = [call for call in calls if begin + start <= call.sent < begin + start + step]
        told.append(round(100 * sum(call.provider == provider for call in part) / max(1, len(part))))
    return told


def outage():
    """The primary is gone for a minute; a healthy fallback."""
    down, length, after = (3, 12, 30) if rounds.quick else (5, 60, 66)
    phase = f"from={down}s,to={down + length}s,failure_rate=100%,faults=error_503:1"
    with Stage({"primary": ["--phase", phase], "fallback": []}, with_settings(PAIR)) as stage:
        calls, day = run_day(stage, down, length, after)
        opened = stage.told("circuit_open")
    if not day.closed:
        return False, f"the primary was not asked again: {len(day.during)} calls, opened by {opened}"
    offered = sum(day.began <= call.sent < day.ended for call in calls)
    # The circuit was open when the last call of the first burst had begun. What was under way then is not its matter.
    burst = [each for each in day.during if each.at < day.began + 2]
    until = sum(each.over <= burst[-1].at for each in burst)
    good = failed(calls) == 0 and len(day.during) <= 1.2 * offered and until <= 20 and most_at_once(day.probes) <= 3
    returned = shares(calls, "primary", day.closed, min(40, after - 24), 4)
    return good, (
        f"503 for {length} s at 200/s: {failed(calls)} of {len(calls):,} failed (0), {len(day.during)} calls to the "
        f"primary for {offered:,} requests ({len(day.during) / offered:.3f} each, <= 1.2); open after {until} failures "
        f"({opened[0]['reason']}; <= 20) with {len(burst) - until} more under way, {len(opened)} times; tried "
        f"{day.probes[0].at - day.ended:.1f} s after the end, closed by {len(day.probes)} probes, "
        f"{most_at_once(day.probes)} at one time (<= 3); its share then, "
        f"each 4 s: {'/'.join(map(str, returned))} %"
    )


def slow_start():
    """Of two equal targets one comes back from an outage: by its circuit's slow start, where that had opened, and else
    when its failures have faded from the estimate by which targets are compared."""
    length, after = (6, 30) if rounds.quick else (6, 56)
    phase = f"from=2s,to={2 + length}s,failure_rate=100%,faults=error_503:1"
    with Stage({"primary": ["--phase", phase], "other": []}, equals("primary", "other")) as stage:
        calls, day = run_day(stage, 2, length, after)
        opened = len(stage.told("circuit_open"))
    head = f"one of two equal targets, 503 for {length} s, {failed(calls)} failed, its circuit opened {opened} times"
    if not day.closed:
        return False, f"{head}; NOT asked again in the {after} s after the end"
    told = shares(calls, "primary", day.closed, min(40, int(calls[-1].sent - day.closed)), 1)
    good = failed(calls) == 0 and (opened == 0 or not told or told[0] < 25)
    return good, f"{head}; back {day.closed - day.ended:.0f} s after the end, its share each second: " + (
        f"{'/'.join(map(str, told))} %")


def worst_stretch(calls, seconds=10, slack=1):
    """Repeats at the primary in the worst stretch, less what its budget allows: 30, and a fifth of those who came to it.
    The budget forgets by tenths of the stretch, hence the slack."""
    told = [(call, *call.repeats("primary")) for call in calls]
    worst = (float("-inf"), 0)
    for end in range(int(calls[0].sent), int(calls[-1].received) + 2):
        repeats = sum(each[1] for each in told if end - seconds <= each[0].received < end)
        came = sum(each[2] for each in told if end - seconds - slack <= each[0].sent < end)
        worst = max(worst, (repeats - 30 - came / 5, repeats))
    return worst


def budget():
    """The same without circuits: what keeps repeats from doubling the load of who is in trouble."""
    seconds = 12 if rounds.quick else 40
    with Stage({"primary": failing("95%", "error_503"), "fallback": []}, with_settings(PAIR, NEVER_OPEN)) as stage:
        calls = asyncio.run(timetable(stage.port, half_streamed(), 200, seconds))
        asked = stage["primary"].received()
    over, repeats = worst_stretch(calls)
    came = sum(call.repeats("primary")[1] for call in calls)
    good = failed(calls) == 0 and over <= 0 and asked > len(calls)
    return good, (
        f"503 for 95 % and a circuit that never opens, {seconds} s: {asked:,} calls to it for {came:,} requests "
        f"({asked / came:.3f} each), {repeats} repeats in the worst 10 s ({over:+.0f} against the budget, <= 0), "
        f"{failed(calls)} failed"
    )


def half_open(leave_within=None):
    """200 callers at the moment at which a circuit would be tried, while the target hangs."""
    settings = f"circuit: {{open_for: 1s, longest_open: 1s, slow_start: 0s}}, {SHORT_TIMERS}"
    turns = (2 if rounds.quick else 8) if leave_within else 1
    bad = most = 0
    with Stage({"primary": failing("100%", "error_503"), "fallback": []}, with_settings(PAIR, settings)) as stage:
        asyncio.run(crowd(stage.port, half_streamed(), 10, 1))
        opened = stage.circuit("primary") == "open"
        stage["primary"].become(*failing("100%", "hang_before_head"))
        for _ in range(turns):
            ready = await_true(lambda: stage.circuit("primary") == "half_open", 5)
            before = stage["primary"].received()
            calls = asyncio.run(at_once(stage.port, half_streamed(), 200, 30, leave_within))
            bad += failed(calls) + (ready is None)
            most = max(most, stage["primary"].received() - before)
        stage["primary"].become()
        idle = await_true(stage.is_idle, 10) is not None
        back = await_true(lambda: comes_back(stage), 10) is not None
        after = asyncio.run(crowd(stage.port, half_streamed(), 400, 64))
    served = sum(call.provider == "primary" for call in after)
    good = opened and bad == 0 and idle and back and failed(after) == 0 and served == 400
    return good, turns, bad, most, idle, served


def comes_back(stage):
    asyncio.run(crowd(stage.port, half_streamed(), 4, 1))
    return stage.circuit("primary") == "closed"


def probes():
    good, _, bad, most, idle, served = half_open()
    good &= most == 3
    words = f"200 callers at half open, the primary hangs: {most} probes (3), {bad} failed"
    calm, turns, bad, _, settled, again = half_open(leave_within=0.3)
    return good and calm, (
        f"{words}; the same {turns} times while half of them leave: {bad} failed; afterwards {served} and {again} of 400 "
        f"served by the primary, in flight {'0' if idle and settled else 'NOT 0'}"
    )


def r2():
    """An outage and its end: what the target in trouble gets to see of it, and how it comes back."""
    told = [part() for part in (outage, slow_start, budget, probes)]
    return all(good for good, _ in told), "; ".join(words for _, words in told)


# --- R3 ---


def r3():
    """The official SDK with its own two retries in front of a gateway that retries as well."""
    lane = gateway.ROOT / "tests" / "sdk" / "python"
    environment = {**os.environ, "TOLLGATE_BINARY": gateway.binary()}
    done = subprocess.run([lane / "run.sh", "-k", "makes_three_attempts"], env=environment, capture_output=True, text=True,
                          check=False)
    last = (done.stdout.strip().splitlines() or [done.stderr])[-1]
    return done.returncode == 0, f"attempts at the provider for one call of the SDK: 3, not 9 (test_retries.py: {last})"


# --- R5 ---


def one_slow():
    seconds = 20 if rounds.quick else 60
    providers = {"one": [], "two": [], "slow": ["--slow", "10"]}
    with Stage(providers, equals(*providers)) as stage:
        calls = asyncio.run(timetable(stage.port, half_streamed(), 100, seconds))
    begin = calls[0].sent + 10
    early = [call.provider == "slow" for call in calls if call.sent < begin]
    later = [call.provider == "slow" for call in calls if call.sent >= begin]
    share = sum(later) / len(later)
    return failed(calls) == 0 and share <= 0.1, (
        f"three equal targets, one 10 times slower, 100/s for {seconds} s: its share {sum(early) / len(early):.1%} in the "
        f"first 10 s, {share:.1%} after (<= 10), {failed(calls)} failed"
    )


def one_failing(settings=""):
    seconds = 10 if rounds.quick else 30
    providers = {"one": [], "two": [], "failing": [*failing("100%", "error_500"), "--first-token", "1ms"]}
    with Stage(providers, equals(*providers, settings=settings)) as stage:
        calls = asyncio.run(timetable(stage.port, half_streamed(), 100, seconds))
        asked = {name: stage[name].received() for name in providers}
    share, success = asked["failing"] / sum(asked.values()), 1 - failed(calls) / len(calls)
    good = share <= 0.05 and success >= 0.995
    return good, f"its share {share:.2%} (<= 5), {success:.2%} of the clients' succeed (>= 99.5)"


def r5():
    """Equal targets of which one is slow, or fails faster than the others answer."""
    slow, slow_words = one_slow()
    fails, words = one_failing()
    bare, bare_words = one_failing(NEVER_OPEN)
    return slow and fails and bare, (
        f"{slow_words}; one that fails in 1 ms: {words}; with circuits that never open: {bare_words}"
    )


# --- R6 ---


def deadlines():
    count = 400 if rounds.quick else 2_000
    alone = with_settings(PAIR.replace(", fallbacks: [second]", ""))

    def within(number):
        return 200 + number * 7919 % 1801

    def requests(number):
        stream = number % 2 == 1
        return chat("test-key", "auto", stream, fields=[f"X-Tollgate-Timeout-Ms: {within(number)}"]), stream

    with Stage({"primary": failing("100%", "hang_before_head"), "fallback": []}, alone) as stage:
        calls: list[Call] = asyncio.run(crowd(stage.port, requests, count, 100))
        circuit = stage.circuit("primary")
    over = [call.seconds * 1000 - within(call.number) for call in calls]
    late = sum(call.status != 504 for call in calls)
    p50, p99 = percentile(over, 0.5), percentile(over, 0.99)
    good = late == 0 and p99 <= 50 and min(over) > -1 and circuit == "closed"
    return good, (
        f"{count:,} requests with 200 to 2,000 ms at an upstream that hangs: over by {p50:.1f} ms p50, {p99:.1f} ms p99 "
        f"(<= 50), {late} not answered 504, the circuit {circuit} (closed: the callers' deadlines are no fault of it)"
    )


def r6():
    """Waits that a provider asks for, and deadlines that a caller sets."""
    kept, words = run_forms()
    good, more = deadlines()
    return kept and good, f"{words}; {more}"


if __name__ == "__main__":
    sys.exit(rounds.run({"R1": r1, "R2": r2, "R3": r3, "R5": r5, "R6": r6}, __doc__))
