#!/usr/bin/env python3
"""Puts each deliberate bug of tests/mutants into a copy of the tree, builds
the simulation with it and runs seeds until one fails. A bug that no seed finds
survives: the simulation lacks a fault or a check. Exit code 0: all are killed.
"""
import argparse
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PATCHES = ROOT / "tests/mutants"
WORK = ROOT / "build/mutants"
TREE, BUILD = WORK / "tree", WORK / "build"
SIM = BUILD / "tests/sim/rookery_sim"

BUILD_SECONDS_MAX = 3600  # a first build on a small machine
# Of a chunk of seeds: some bugs make a run slow, and that is not yet a hang.
SLOWNESS_MAX = 20
HANG_SECONDS_MIN = 60
MEMORY_MAX = 4 << 30  # bytes a process; a bug may make a queue grow for ever
CHUNK_MIN, CHUNK_MAX = 50, 400  # seeds


def run(command, seconds, memory_max=resource.RLIM_INFINITY):
    """Exit code (None: it took too long and was killed), stdout, stderr."""
    child = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, errors="replace", start_new_session=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS,
                                              (memory_max, memory_max)))
    try:
        out, err = child.communicate(timeout=seconds)
        return child.returncode, out, err
    except BaseException as trouble:  # Ctrl-C, too: nothing may stay behind
        os.killpg(child.pid, signal.SIGKILL)  # its children with it
        out, err = child.communicate()
        if not isinstance(trouble, subprocess.TimeoutExpired):
            raise
        return None, out, err


def copy_tree():
    """Brings TREE to the tracked files as they are here. Only what differs is
    written, so nothing else is built again; and with the time of now, since
    what was built of the older text may be newer than the file here."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True,
                            capture_output=True, text=True, timeout=60).stdout
    wanted = {name for name in listed.split("\0") if (ROOT / name).is_file()}
    for name in wanted:
        source, copy = ROOT / name, TREE / name
        data = source.read_bytes()
        if not copy.is_file() or copy.read_bytes() != data:
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(data)
            shutil.copymode(source, copy)
    for file in [x for x in TREE.rglob("*") if x.is_file()]:
        if file.relative_to(TREE).as_posix() not in wanted:
            file.unlink()


def build(jobs):
    """What went wrong, or None."""
    if not (BUILD / "build.ninja").exists():
        code, out, err = run(["cmake", "-G", "Ninja", "-S", TREE, "-B", BUILD,
                              "-DCMAKE_BUILD_TYPE=Release"], 600)
        if code != 0:
            return out + err
    code, out, err = run(["cmake", "--build", BUILD, "--parallel", str(jobs),
                          "--target", "rookery_sim"], BUILD_SECONDS_MAX)
    return None if code == 0 else out + err


def simulate(first, count, jobs, seconds):
    """Runs `count` seeds. None when all pass, or (seed, what failed)."""
    code, out, err = run([SIM, "--first-seed", str(first), "--seeds",
                          str(count), "--jobs", str(jobs)], seconds, MEMORY_MAX)
    if code == 0:
        return None
    if code is None:
        return first, f"hangs, in one of {count} seeds"
    failed = re.search(r"^FAILED seed (\d+): (.*)$", out, re.MULTILINE)
    failed = (int(failed[1]), failed[2]) if failed else None
    if "ended without a word" not in out:
        return failed or (first, f"exit code {code}")
    if jobs > 1:  # one process stops right at the seed it dies of
        return simulate(first, count, 1, seconds * jobs)
    died = first + int(re.search(r"seeds=(\d+)", out)[1])
    words = err.strip().splitlines() or ["without a word"]
    return failed or (died, f"dies: {words[-1]}")


def search(seeds, jobs, per_seed):
    """The first seed of 1..seeds that fails, and how; or None."""
    first, chunk = 1, CHUNK_MIN
    while first <= seeds:
        count = min(chunk, seeds - first + 1)
        patience = max(HANG_SECONDS_MIN, SLOWNESS_MAX * per_seed * count)
        found = simulate(first, count, jobs, patience)
        if found:
            return found
        first, chunk = first + count, min(2 * chunk, CHUNK_MAX)
    return None


def git_apply(patch, *options):
    return subprocess.run(
        ["git", "apply", *options, patch], cwd=TREE, capture_output=True,
        text=True, check=False, timeout=60,
        # The tree lies inside a repository and is none of its own.
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(WORK)})


def first_error(text):
    lines = text.splitlines() or ["touches nothing"]
    return next((x for x in lines if "error" in x.lower()), lines[0]).strip()


def try_mutant(patch, options, per_seed):
    """(verdict, details) of one patch. Leaves TREE as it was."""
    listed = git_apply(patch, "--numstat")
    touched = [x.split("\t")[2] for x in listed.stdout.splitlines()]
    before = {x: (TREE / x).read_bytes() for x in touched
              if (TREE / x).is_file()}
    applied = git_apply(patch)
    if applied.returncode != 0 or not touched:
        return "does not apply", first_error(applied.stderr)
    try:
        trouble = build(options.jobs)
        if trouble is not None:
            return "does not compile", first_error(trouble)
        found = search(options.seeds, options.jobs, per_seed)
        if found is None:
            return "SURVIVED", f"{options.seeds} seeds"
        return "killed", f"seed {found[0]}  {found[1]}"
    finally:
        for name in touched:
            (TREE / name).unlink(missing_ok=True)
        for name, data in before.items():
            (TREE / name).write_bytes(data)  # a new time, so it is built again


def try_unmutated(options):
    """Builds and runs what has no bug; returns the seconds a seed takes."""
    copy_tree()
    trouble = build(options.jobs)
    if trouble is not None:
        sys.exit(f"mutants: the tree does not build\n{trouble}")
    start = time.monotonic()
    found = search(options.seeds, options.jobs, 1)
    seconds = time.monotonic() - start
    if found:
        sys.exit(f"mutants: without any bug: seed {found[0]}  {found[1]}")
    print(f"unmutated: {options.seeds} seeds pass in {seconds:.0f} s",
          flush=True)
    return seconds / max(options.seeds, 1)


def parse(names):
    parser = argparse.ArgumentParser(prog="scripts/mutants",
                                     description=__doc__)
    add = parser.add_argument
    add("names", metavar="NAME", nargs="*", help="only these; default: all")
    add("--seeds", type=int, default=2000,
        help="how many seeds a mutant must survive; default: %(default)s")
    add("--jobs", type=int, default=int(os.environ.get("ROOKERY_JOBS", 0))
        or os.cpu_count(), help="processes; default: %(default)s")
    add("--check", action="store_true",
        help="build nothing: only see whether each still fits the tree")
    options = parser.parse_args()
    for name in options.names:
        if name not in names:
            parser.error(f"no such mutant: {name}")
    return options


def check(patches):
    """Whether all fit the files as they are here; takes no time."""
    misfits = 0
    for patch in patches:
        done = subprocess.run(["git", "apply", "--check", patch], cwd=ROOT,
                              capture_output=True, text=True, timeout=60,
                              check=False)
        if done.returncode != 0:
            misfits += 1
            print(f"{patch.relative_to(ROOT)}: {done.stderr.strip()}")
    print(f"mutants: {len(patches)}, misfits {misfits}")
    return 1 if misfits else 0


def main():
    patches = {x.stem: x for x in sorted(PATCHES.glob("*.patch"))}
    options = parse(patches)
    names = [x for x in patches if not options.names or x in options.names]
    if options.check:
        return check([patches[x] for x in names])
    per_seed = try_unmutated(options)
    verdicts = {}
    for name in names:
        verdict, details = try_mutant(patches[name], options, per_seed)
        verdicts.setdefault(verdict, []).append(name)
        print(f"{verdict:8}  {name:28}  {details}", flush=True)
    tally = f"mutants: {len(names)}, killed {len(verdicts.pop('killed', []))}"
    for verdict, which in verdicts.items():
        word = "survived" if verdict == "SURVIVED" else verdict
        tally += f", {word}: {' '.join(which)}"
    print(tally)
    return 1 if verdicts else 0


if __name__ == "__main__":
    sys.exit(main())
