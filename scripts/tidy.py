#!/usr/bin/env python3
"""Checks what a text search can check of the house style.

usage: tidy.py [ROOT]        prints file:line: complaint, one a line
       tidy.py --self-test   proves that every rule can fail
"""
import pathlib
import re
import shutil
import subprocess
import sys

LINES_MAX = 400
TEST_LINES_MAX = 500
CPP_SUFFIXES = {".hpp", ".cpp"}
CODE_SUFFIXES = CPP_SUFFIXES | {".js", ".py", ".sh", ".cmake", ".proto"}
LIBRARIES = ("bridge", "broker", "actors")
# The last words of a program that ends itself have no observer.
MAY_PRINT = {"bridge/assert.cpp"}
# Words that say nothing of what a file is for.
EMPTY_NAMES = {"utils", "util", "common", "helpers", "helper", "misc",
               "manager"}
# Other versions of clang-format break lines elsewhere.
CLANG_FORMAT_MAJOR = 14

TODO = re.compile(r"\b(TODO|FIXME)\b(?!\(#\d+\))")
SLEEP = re.compile(r"\b(sleep_for|sleep_until|u?sleep|nanosleep)\s*\(")
PRINT = re.compile(r"\bstd::(cout|cerr|clog|print|println)\b"
                   r"|\b(printf|fprintf|vprintf|puts|fputs|putchar)\s*\(")
USING = re.compile(r"^using\s+namespace\b")
CASE = re.compile(r'^\s*(?:TEST_CASE|SCENARIO)\s*\(\s*"([^"]*)"?')
COMMENT = re.compile(r"//.*$")


def is_code(path):
    return (path.suffix in CODE_SUFFIXES or path.name == "CMakeLists.txt"
            or path.parts[0] in ("scripts", ".ci"))


def check_name(path):
    for part in (*path.parts[:-1], path.stem):
        words = EMPTY_NAMES.intersection(re.split(r"[_\-.]", part.lower()))
        if words:
            yield 1, f"the name says nothing: '{words.pop()}'"


def check_cpp(path, lines):
    if path.suffix == ".hpp" and "#pragma once" not in lines:
        yield 1, "no #pragma once"
    for number, line in enumerate(lines, 1):
        code = COMMENT.sub("", line)
        if path.suffix == ".hpp" and USING.match(code):
            yield number, "a header opens a namespace for all who include it"
        if (path.parts[0] in LIBRARIES and PRINT.search(code)
                and path.as_posix() not in MAY_PRINT):
            yield number, "a library prints; tell the observer instead"
        if path.parts[0] != "tests":
            continue
        if SLEEP.search(code):
            yield number, "a test sleeps; wait for the event, with a deadline"
        case = CASE.match(code)
        if case and not re.match(r"[^:]+: \S", case.group(1)):
            yield number, 'name the test "unit: behaviour in plain words"'


def check_text(path, text):
    """Yields (line, complaint) for `path`, relative to the root."""
    yield from check_name(path)
    lines = text.splitlines()
    limit = TEST_LINES_MAX if path.parts[0] == "tests" else LINES_MAX
    if len(lines) > limit:
        yield limit, f"{len(lines)} lines; the limit is {limit}"
    if text and not text.endswith("\n"):
        yield len(lines), "no newline at the end"
    for number, line in enumerate(lines, 1):
        if TODO.search(line) and path.name != "tidy.py":
            yield number, "work left for later needs an issue: TODO(#12)"
        if line != line.rstrip():
            yield number, "blanks at the end of the line"
    if path.suffix in CPP_SUFFIXES:
        yield from check_cpp(path, lines)


def format_complaints(files):
    """What clang-format would change, if the right version is here."""
    tool = shutil.which(f"clang-format-{CLANG_FORMAT_MAJOR}")
    tool = tool or shutil.which("clang-format")
    if not tool or not files:
        return [], "no clang-format here"
    version = subprocess.run([tool, "--version"], capture_output=True,
                             text=True, check=True).stdout
    if f"version {CLANG_FORMAT_MAJOR}." not in version:
        return [], f"formatting wants clang-format {CLANG_FORMAT_MAJOR}"
    run = subprocess.run([tool, "--dry-run", "--fno-color-diagnostics",
                          *files], capture_output=True, text=True, check=False)
    found = re.findall(r"^(.+?:\d+):\d+: warning: code should be clang-form",
                       run.stderr, re.MULTILINE)
    if run.returncode and not found:
        return [run.stderr.strip()], "clang-format failed"
    first = {place.rsplit(":", 1)[0]: place for place in reversed(found)}
    return [f"{place}: run clang-format -i" for place in first.values()], ""


def code_files(root):
    for file in sorted(root.rglob("*")):
        path = file.relative_to(root)
        hidden = any(part[0] == "." for part in path.parts)
        if hidden and path.parts[0] != ".ci":
            continue
        if path.parts[0] == "build" or "__pycache__" in path.parts:
            continue
        if file.is_file() and is_code(path):
            yield path


def check_tree(root):
    complaints, cpp, count = [], [], 0
    for path in code_files(root):
        count += 1
        if path.suffix in CPP_SUFFIXES:
            cpp.append(str(root / path))
        text = (root / path).read_text(encoding="utf-8")
        complaints += [f"{path}:{line}: {complaint}"
                       for line, complaint in check_text(path, text)]
    unformatted, note = format_complaints(cpp)
    complaints += [line.removeprefix(f"{root}/") for line in unformatted]
    for complaint in complaints:
        print(complaint)
    note = f" ({note})" if note else ""
    print(f"tidy: {count} files, {len(complaints)} complaints{note}")
    return 1 if complaints or not count else 0


GOOD = [
    ("bridge/core/x.hpp", "#pragma once\n// see std::cout\n"),
    ("bridge/core/x.hpp", "#pragma once\n  using namespace std::chrono;\n"),
    ("bridge/x.cpp", "std::snprintf(a, n, f);\n"),
    ("bridge/x.cpp", "// TODO(#12): later\n"),
    ("bridge/assert.cpp", 'std::fprintf(stderr, "x");\n'),
    ("nodes/main.cpp", 'std::cout << "hello";\n'),
    ("nodes/main.cpp", "std::this_thread::sleep_for(1s);\n"),
    ("tests/core/x_test.cpp", 'TEST_CASE("x: does y", "[x]") {\n'),
    ("tests/core/x_test.cpp", "x\n" * TEST_LINES_MAX),
]

BAD = [
    ("bridge/x.hpp", "int f();\n", "pragma once"),
    ("bridge/x.hpp", "#pragma once\nusing namespace std;\n", "namespace"),
    ("bridge/x.cpp", "x\n" * (LINES_MAX + 1), "the limit is 400"),
    ("tests/x.cpp", "x\n" * (TEST_LINES_MAX + 1), "the limit is 500"),
    ("bridge/x.cpp", "// TODO: later\n", "needs an issue"),
    ("scripts/x", "# FIXME\n", "needs an issue"),
    ("broker/x.cpp", 'std::cerr << "hello";\n', "prints"),
    ("actors/x.cpp", 'printf("hello");\n', "prints"),
    ("tests/core/x.cpp", "std::this_thread::sleep_for(1s);\n", "sleeps"),
    ("tests/core/x.cpp", "usleep(3);\n", "sleeps"),
    ("tests/core/x.cpp", 'TEST_CASE("it works") {\n', "name the test"),
    ("bridge/utils.hpp", "#pragma once\n", "'utils'"),
    ("bridge/string_helpers.cpp", "\n", "'helpers'"),
    ("bridge/common/x.cpp", "\n", "'common'"),
    ("bridge/x.cpp", "int x; \n", "blanks"),
    ("bridge/x.cpp", "int x;", "no newline"),
]


def self_test():
    failures = 0
    for path, text, wanted in [(*case, "") for case in GOOD] + BAD:
        found = check_text(pathlib.Path(path), text)
        got = " ".join(complaint for _, complaint in found)
        if (wanted not in got) if wanted else got:
            failures += 1
            print(f"self-test: {path}: {text[:60]!r}\n  wanted:"
                  f" {wanted or 'silence'}\n  got: {got or 'silence'}")
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
