#!/usr/bin/env python3
"""Checks that every #include follows an arrow of the architecture.

usage: check_layers.py [ROOT]        prints file:line: what is broken, and why
       check_layers.py --self-test   proves that it can fail
"""
import fnmatch
import pathlib
import re
import sys

# The arrows. A layer is named by the files it holds (the first pattern that
# matches a path decides), and may include itself and what its line lists:
# other layers, and third parties as named in THIRD_PARTIES; "*" is all of
# them, "-x" all but x. The standard library and the system are open to all.
LAYERS = {
    "proto": (["proto/*"], "caf protobuf"),
    # The bridge. Its values and cores know nothing but the standard library.
    "bridge/values": (
        [f"bridge/{name}.?pp" for name in
         ("address", "assert", "envelope", "expected", "percent",
          "topology")], "bridge/core"),
    "bridge/core": (["bridge/core/*"], "bridge/values"),
    "bridge/border": (["bridge/border/*"], "bridge/values bridge/core"),
    "bridge/profiles": (["bridge/profiles/*"], "bridge/values bridge/core"),
    "bridge/wal": (["bridge/wal/*"], "sqlite"),
    "bridge/spill/options": (["bridge/spill/spill_options.hpp"], ""),
    "bridge/spill": (
        ["bridge/spill/*"],
        "bridge bridge/spill/options bridge/values bridge/border bridge/amqp"
        " bridge/wal sqlite"),
    "bridge/amqp": (
        ["bridge/amqp/*"],
        "bridge/values bridge/core bridge/border bridge/profiles asio proton"),
    "bridge": (
        ["bridge/*"],
        "bridge/values bridge/core bridge/border bridge/profiles bridge/amqp"
        " bridge/spill bridge/spill/options proto proto/bridge caf protobuf"
        " asio"),
    # The embedded broker: an AMQP program without actors.
    "broker/core": (["broker/core/*"], ""),
    "broker": (
        ["broker/*"],
        "broker/core bridge/values bridge/core bridge/border bridge/amqp asio"),
    # What tests of actors use, ours and others'.
    "testing": (
        ["testing/*"],
        "bridge bridge/values bridge/core bridge/amqp broker broker/core caf"),
    # The service: actors that do not know how their messages travel.
    "actors/store": (
        ["actors/store/*"],
        "actors bridge/wal proto proto/service caf protobuf sqlite"),
    "actors": (
        ["actors/*"], "actors/store proto proto/service caf protobuf"),
    "nodes/program": (
        ["nodes/program/*"],
        "bridge bridge/values bridge/border broker nodes proto caf asio cli11"
        " protobuf spdlog"),
    "nodes": (["nodes/*"], "* -testing"),
    "tests": (["tests/*"], "*"),
    "bench": (["bench/*"], "*"),
    # Examples see what a user of the installed library sees.
    "examples": (
        ["examples/*"],
        "bridge bridge/values testing nodes/program proto proto/examples caf"
        " protobuf"),
    # Generated headers, included by the path of their .proto file.
    "proto/bridge": (["rookery/bridge/*.pb.h"], ""),
    "proto/service": (["rookery/service/*.pb.h"], ""),
    "proto/examples": (["*.pb.h"], ""),
}

THIRD_PARTIES = {
    "asio": ["asio.hpp", "asio/*"],
    "caf": ["caf/*"],
    "catch2": ["catch2/*"],
    "cli11": ["CLI/*"],
    "protobuf": ["google/protobuf/*"],
    "proton": ["proton/*"],
    "spdlog": ["spdlog/*", "fmt/*"],
    "sqlite": ["sqlite3.h"],
}

# What a pure core may take from CAF: values, no actors, no clock.
CORE_FILES = ["*_core.hpp", "*_core.cpp"]
CORE_CAF = ["caf/error.hpp", "caf/expected.hpp"]

REASONS = {
    "proton": "only bridge/amqp sees Proton",
    "caf": "CAF stays out of pure cores, bridge/amqp and broker",
    "sqlite": "only actors/store sees SQLite",
    "bridge": "actors and broker do not know the bridge",
    "proto/service": "the bridge and its broker know nothing of the service",
    "actors": "only nodes and tests put actors and transport together",
    "nodes": "nodes stand on top: nothing below includes them",
    "testing": "no product code needs what tests need",
    "tests": "tests stand on top: nothing below includes them",
}

SUFFIXES = {".hpp", ".cpp", ".h"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def matches(path, patterns):
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)


def layer_of(path):
    for layer, (patterns, _) in LAYERS.items():
        if matches(path, patterns):
            return layer
    return None


def third_party_of(header):
    for name, patterns in THIRD_PARTIES.items():
        if matches(header, patterns):
            return name
    return None


def check_include(path, layer, bracket, header, exists):
    """The complaint about one include, or None."""
    if bracket == '"':
        # A program of a user's own has a root of its own.
        if (layer == "examples" and not layer_of(header)
                and exists(f"examples/{header}")):
            header = f"examples/{header}"
        target = layer_of(header)
        if ".." in header.split("/") or target is None:
            return f'"{header}" is not spelled from the root of the repository'
        if not header.endswith(".pb.h") and not exists(header):
            return f'"{header}" does not exist below the root'
    else:
        if exists(header):
            return f"<{header}> is our own file: include it with quotes"
        target = third_party_of(header)
        if target is None:
            return None
        if (target == "caf" and layer not in ("tests", "bench")
                and matches(path, CORE_FILES)):
            if header in CORE_CAF:
                return None
            return (f"a core includes <{header}>: of CAF, cores may use"
                    f" {' and '.join(CORE_CAF)} only")
    allowed = LAYERS[layer][1].split()
    if target == layer or target in allowed or (
            "*" in allowed and f"-{target}" not in allowed):
        return None
    reason = REASONS.get(target)
    if not reason and target.split("/")[0] != layer.split("/")[0]:
        reason = REASONS.get(target.split("/")[0])
    because = f" ({reason})" if reason else ""
    return f"no arrow from {layer} to {target}: {header}{because}"


def check_text(path, text, exists):
    """Yields "path:line: complaint" for the file `path` with content `text`."""
    layer = layer_of(path)
    if layer is None:
        yield f"{path}:1: belongs to no layer of scripts/check_layers.py"
        return
    for number, line in enumerate(text.splitlines(), 1):
        found = INCLUDE.match(line)
        if found:
            complaint = check_include(path, layer, *found.groups(), exists)
            if complaint:
                yield f"{path}:{number}: {complaint}"


def sources(root):
    """All C++ files below `root`, but for builds and hidden directories."""
    for file in sorted(root.rglob("*")):
        parts = file.relative_to(root).parts
        if parts[0] == "build" or any(part[0] == "." for part in parts):
            continue
        if file.suffix in SUFFIXES and file.is_file():
            yield file


def check_tree(root):
    count, complaints = 0, []
    for file in sources(root):
        count += 1
        complaints += check_text(file.relative_to(root).as_posix(),
                                 file.read_text(encoding="utf-8"),
                                 lambda header: (root / header).is_file())
    for complaint in complaints:
        print(complaint)
    print(f"layers: {count} files, {len(complaints)} broken arrows")
    return 1 if complaints or not count else 0


GOOD = [
    ("bridge/core/x.cpp", '#include "bridge/assert.hpp"'),
    ("bridge/core/x.cpp", "#include <vector>"),
    ("bridge/amqp/x.cpp", "#include <proton/link.h>"),
    ("bridge/amqp/x.cpp", '#include "bridge/envelope.hpp"'),
    ("testing/x.hpp", '#include "broker/connection.hpp"'),
    ("bridge/caf/x.cpp", '#include "rookery/bridge/v1/control.pb.h"'),
    ("broker/x.cpp", '#include "bridge/amqp/engine.hpp"'),
    ("actors/tweet/tweet_core.hpp", "#include <caf/expected.hpp>"),
    ("actors/tweet/tweet.cpp", '#include "actors/store/db.hpp"'),
    ("actors/store/db.cpp", "#include <sqlite3.h>"),
    ("nodes/main.cpp", '#include "actors/errc.hpp"'),
    ("tests/core/x_core.cpp", "#include <caf/all.hpp>"),
    ("nodes/main.cpp", "#include <spdlog/spdlog.h>"),
    ("examples/ping/ping.cpp", '#include "bridge/bridge.hpp"'),
    ("examples/ping/ping.cpp", '#include "testing/cluster.hpp"'),
    ("examples/ping/ping.cpp", '#include "ping/ball.hpp"'),
    ("bridge/x.cpp", '// #include "nodes/main.hpp"'),
]

BAD = [
    ("bridge/core/x.cpp", "#include <caf/actor.hpp>", "CAF stays out"),
    ("bridge/border/x.hpp", "#include <proton/link.h>", "only bridge/amqp"),
    ("bridge/assert.hpp", '#include "bridge/border/x.hpp"', "no arrow"),
    ("bridge/amqp/x.cpp", "#include <caf/actor.hpp>", "CAF stays out"),
    ("bridge/bridge.cpp", "#include <proton/link.h>", "only bridge/amqp"),
    ("bridge/caf/x.cpp", '#include "actors/errc.hpp"', "only nodes"),
    ("bridge/x.cpp", '#include "rookery/service/v1/log.pb.h"', "the service"),
    ("broker/core/x.cpp", '#include "bridge/assert.hpp"', "no arrow"),
    ("broker/core/x.cpp", '#include "broker/broker.hpp"', "no arrow"),
    ("broker/x.cpp", '#include "bridge/bridge.hpp"', "know the bridge"),
    ("actors/x.cpp", '#include "bridge/address.hpp"', "know the bridge"),
    ("actors/x.cpp", "#include <sqlite3.h>", "only actors/store"),
    ("actors/a_core.hpp", "#include <caf/actor.hpp>", "cores may use"),
    ("actors/x.cpp", '#include "nodes/main.hpp"', "nodes stand on top"),
    ("nodes/main.cpp", '#include "testing/seed.hpp"', "what tests need"),
    ("bridge/x.cpp", '#include "testing/seed.hpp"', "what tests need"),
    ("testing/x.cpp", '#include "nodes/main.hpp"', "nodes stand on top"),
    ("examples/x.cpp", '#include "bridge/core/x.hpp"', "no arrow"),
    ("examples/x.cpp", '#include "ping/gone.hpp"', "root of the repo"),
    ("bridge/x.cpp", '#include "../actors/errc.hpp"', "root of the repo"),
    ("bridge/x.cpp", '#include "x.hpp"', "root of the repo"),
    ("bridge/x.cpp", '#include "bridge/gone.hpp"', "does not exist"),
    ("bridge/x.cpp", "#include <bridge/own.hpp>", "with quotes"),
    ("elsewhere/x.cpp", "#include <vector>", "no layer"),
]


def self_test():
    failures = 0

    def expect(path, text, wanted):
        nonlocal failures
        own = ("bridge/own.hpp",)
        exists = lambda header: (  # noqa: E731
            "gone" not in header if "<" not in text else header in own)
        got = " ".join(check_text(path, text, exists))
        if (wanted not in got) if wanted else got:
            failures += 1
            print(f"self-test: {path}: {text}\n  wanted: {wanted or 'silence'}"
                  f"\n  got: {got or 'silence'}")

    for path, text in GOOD:
        expect(path, text, "")
    for path, text, wanted in BAD:
        expect(path, text, wanted)
    print(f"self-test: {len(GOOD) + len(BAD)} cases, {failures} failed")
    return 1 if failures else 0


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    if len(arguments) > 1 or arguments[:1] in (["-h"], ["--help"]):
        print(__doc__)
        return 2
    default = pathlib.Path(__file__).resolve().parent.parent
    return check_tree(pathlib.Path(arguments[0]) if arguments else default)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
