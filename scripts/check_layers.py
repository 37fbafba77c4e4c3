#!/usr/bin/env python3
"""Holds the rooms to their one-way arrows (docs/architecture.md): who may include whom, which rooms know no Asio, and
which never look at a clock, a file or a random device."""

import re

import checks

# Bottom up. A room may use the rooms before it.
ROOMS = ["base", "protocol", "policy", "config", "pipeline", "io", "simulator", "server", "app"]
# Compiles a library's bodies once and is no room: includes nothing of ours, and nobody includes it.
LIBRARY_BODIES = {"asio"}
# The simulator is the tests' independent upstream: it must not share the code that it helps to test.
HIDDEN_FROM = {"simulator": {"protocol", "policy", "pipeline", "io"}}
# Only app, which puts everything together, may use these.
ONLY_FOR_APP = {"simulator"}

WITHOUT_NETWORK = {"base", "protocol", "policy", "config", "pipeline"}
# Digests are no network: of OpenSSL the lower rooms may have those two headers, in bodies.
NETWORK_HEADER = re.compile(r"^(boost/(asio|beast)\b|openssl/(?!(crypto|evp)\.h$))")

PURE = {"base", "protocol", "policy", "config"}
IMPURE = re.compile(
    r"\b(?:(?:steady|system|high_resolution)_clock\s*::\s*now|clock_gettime|gettimeofday|random_device"
    r"|(?:std::)?[io]?fstream\b|fopen|getrandom|(?:std::)?time\s*\(\s*(?:0|NULL|nullptr)\s*\))"
)

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.M)


def room_of(path):
    """(room, is the header public) of a path like include/tollgate/ROOM/... or src/ROOM/..."""
    parts = path.split("/")
    if parts[:2] == ["include", "tollgate"] and len(parts) > 3:
        return parts[2], True
    if parts[0] == "src" and len(parts) > 2:
        return parts[1], False
    return None, False


def room_of_include(target, own_room):
    """(room, is the header public) of an included project header."""
    parts = target.split("/")
    if parts[0] == "tollgate" and len(parts) > 2:
        return parts[1], True
    if len(parts) > 1 and parts[0] in ROOMS:
        return parts[0], False
    return own_room, False


def check_include(room, is_public, target):
    """What is wrong with a quoted include, or None."""
    used, target_is_public = room_of_include(target, room)
    if is_public and not target_is_public:
        return "a public header includes one that is not"
    if used == room:
        return None
    if used not in ROOMS:
        return f"'{used}' is no room"
    if not target_is_public:
        return f"a header inside {used} belongs to {used} alone"
    if ROOMS.index(used) > ROOMS.index(room):
        return f"{room} lies below {used}"
    if used in HIDDEN_FROM.get(room, ()):
        return f"{room} shares no code with {used}"
    if used in ONLY_FOR_APP and room != "app":
        return f"only app uses {used}"
    return None


def check_file(path, text):
    room, is_public = room_of(path)
    if room in LIBRARY_BODIES:
        own = [include.group(1) for include in INCLUDE.finditer(text) if include.group(1)]
        return [f"{path}:1: compiles a library and includes nothing of ours: {header}" for header in own]
    if room not in ROOMS:
        return [f"{path}:1: lies in no room"]
    findings = []
    code = checks.strip_cpp(text, keep_strings=True)
    for include in INCLUDE.finditer(code):
        quoted, system = include.groups()
        if quoted:
            fault = check_include(room, is_public, quoted)
        else:
            fault = f"{room} knows no network" if room in WITHOUT_NETWORK and NETWORK_HEADER.match(system) else None
        if fault:
            findings.append(f"{path}:{checks.line_of(code, include.start(1 if quoted else 2))}: {fault}: {quoted or system}")
    if room in PURE:
        plain = checks.strip_cpp(text)
        for use in IMPURE.finditer(plain):
            line = checks.line_of(plain, use.start())
            findings.append(f"{path}:{line}: {room} reads no clock, file or random device: {use.group()}")
    return findings


def check():
    files = checks.project_files(".hpp", ".cpp", below=("include", "src"))
    findings = [f for path in files for f in check_file(checks.name_of(path), path.read_text())]
    return findings, f"{len(files)} files"


def self_test():
    good = [
        ("src/io/a.cpp", '#include "tollgate/pipeline/ports.hpp"\n#include <boost/asio/io_context.hpp>\n#include "io/b.hpp"'),
        ("src/app/a.cpp", '#include "tollgate/simulator/simulator.hpp"\n#include <fstream>'),
        ("include/tollgate/config/a.hpp", '#include "tollgate/base/clock.hpp"\n// std::ifstream is not used'),
        ("src/protocol/a.cpp", '#include "b.hpp"\nauto s = "system_clock::now";\nstd::chrono::system_clock::time_point t;'),
        ("src/asio/asio.cpp", "#include <boost/asio/impl/src.hpp>"),
        ("src/base/a.cpp", "#include <openssl/evp.h>"),
    ]
    bad = [
        ("src/pipeline/a.cpp", '#include "tollgate/io/pool.hpp"'),
        ("src/base/a.cpp", '#include "tollgate/protocol/sse.hpp"'),
        ("src/pipeline/a.cpp", "#include <boost/asio/awaitable.hpp>"),
        ("src/config/a.cpp", "#  include <openssl/sha.h>"),
        ("src/simulator/a.cpp", '#include "tollgate/protocol/sse.hpp"'),
        ("src/server/a.cpp", '#include "tollgate/simulator/simulator.hpp"'),
        ("src/server/a.cpp", '#include "io/pool.hpp"'),
        ("include/tollgate/io/a.hpp", '#include "io/pool.hpp"'),
        ("include/tollgate/io/a.hpp", '#include "pool.hpp"'),
        ("src/base/a.cpp", "auto t = std::chrono::steady_clock::now();"),
        ("src/config/a.cpp", "std::ifstream in(path);"),
        ("src/protocol/a.cpp", "std::random_device device;"),
        ("src/server/a.cpp", '#include "tollgate/misc/x.hpp"'),
        ("src/helpers.cpp", ""),
        ("src/asio/asio.cpp", '#include "tollgate/base/ids.hpp"'),
    ]
    for path, text in good:
        assert not check_file(path, text), (path, check_file(path, text))
    for path, text in bad:
        assert len(check_file(path, text)) == 1, (path, text, check_file(path, text))


if __name__ == "__main__":
    checks.run(__doc__, check, self_test)
