#!/usr/bin/env python3
"""Checks that the code in a document is the code that is compiled and run.

usage: check_quotes.py DOCUMENT...   prints document:line: what differs
       check_quotes.py --self-test   proves that it can fail

A block of code is preceded by a line that names its file, from the root:

    <!-- examples/job_queue/jobs.proto -->

and its lines are lines of that file, one after the other, perhaps less
indented. The file is one of examples/, which the tests build and run. What is
typed into a shell and what it prints (sh, text) is not looked at.
"""
import pathlib
import re
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent
FREE = {"sh", "text"}
FENCE = re.compile(r"^```(\w*)\s*$")
NAME = re.compile(r"^<!-- (\S+) -->$")


def blocks(text):
    """Yields (line number, language, file named before it, content)."""
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        fence = FENCE.match(lines[at])
        if fence:
            begin = at
            at += 1
            while at < len(lines) and lines[at] != "```":
                at += 1
            named = NAME.match(lines[begin - 1]) if begin else None
            yield (begin + 1, fence.group(1), named and named.group(1),
                   lines[begin + 1:at])
        at += 1


def is_quoted(block, source):
    """Whether `block` is a run of lines of `source`, dedented."""
    wanted = "\n".join(block)
    for begin in range(len(source) - len(block) + 1):
        part = "\n".join(source[begin:begin + len(block)])
        if wanted in (part, textwrap.dedent(part)):
            return True
    return False


def check_text(text, read):
    """Yields (line, complaint); `read` gives the text of a file, or None."""
    count = 0
    for line, language, name, block in blocks(text):
        if language in FREE and not name:
            continue
        count += 1
        if not name:
            yield line, f"code ({language or 'plain'}) that names no file"
            continue
        source = read(name) if name.startswith("examples/") else None
        if source is None:
            yield line, f"{name} is no file of examples/"
        elif not "".join(block).strip():
            yield line, "an empty block"
        elif not is_quoted(block, source.splitlines()):
            yield line, f"differs from {name}"
    if not count:
        yield 1, "quotes no code"


def read_file(name):
    file = ROOT / name
    return file.read_text(encoding="utf-8") if file.is_file() else None


def check(documents):
    complaints = [f"{document}:{line}: {what}" for document in documents
                  for line, what in check_text(
                      pathlib.Path(document).read_text(encoding="utf-8"),
                      read_file)]
    for complaint in complaints:
        print(complaint)
    print(f"quotes: {len(documents)} documents, {len(complaints)} complaints")
    return 1 if complaints else 0


FILES = {"examples/x.cpp": "int a;\nvoid f() {\n  int b;\n  int c;\n}\n"}
NAMED = "<!-- examples/x.cpp -->\n"
GOOD = [
    NAMED + "```cpp\nvoid f() {\n  int b;\n```\n",
    NAMED + "```cpp\nint b;\nint c;\n```\n",
    NAMED + "```cpp\nint a;\n```\n\n```sh\nmake\n```\n",
]
BAD = [
    (NAMED + "```cpp\nint b;\nint d;\n```\n", "differs"),
    (NAMED + "```cpp\nint a;\nint b;\n```\n", "differs"),
    (NAMED + "```cpp\nint b;\n    int c;\n```\n", "differs"),
    (NAMED + "```cpp\n```\n", "empty"),
    ("```cpp\nint a;\n```\n", "names no file"),
    (NAMED + "\n```cpp\nint a;\n```\n", "names no file"),
    ("<!-- examples/gone.cpp -->\n```cpp\nint a;\n```\n", "no file of"),
    ("<!-- tests/x.cpp -->\n```cpp\nint a;\n```\n", "no file of"),
    ("```sh\nmake\n```\n", "no code"),
]


def self_test():
    failures = 0
    for text, wanted in [(text, "") for text in GOOD] + BAD:
        got = " ".join(what for _, what in check_text(text, FILES.get))
        if (wanted not in got) if wanted else got:
            failures += 1
            print(f"self-test: {text!r}\n  wanted: {wanted or 'silence'}"
                  f"\n  got: {got or 'silence'}")
    print(f"self-test: {len(GOOD) + len(BAD)} cases, {failures} failed")
    return 1 if failures else 0


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    if not arguments or arguments[0].startswith("-"):
        print(__doc__)
        return 2
    return check(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
