#!/usr/bin/env python3
"""What is installed is enough: a project outside of the tree finds the package,
builds the job queue and its tests with it, and they run.

usage: install_test.py CMAKE SOURCE_DIR BINARY_DIR, in an empty directory"""
import pathlib
import shutil
import subprocess
import sys

import job_queue_jobs


def main():
    cmake, source, binary = sys.argv[1:]
    here = pathlib.Path.cwd()
    prefix = here / "prefix"
    # The sources beside nothing that could help them.
    project = here / "project"
    for name in ("outside", "job_queue"):
        shutil.copytree(pathlib.Path(source) / "examples" / name,
                        project / name)
    for command in (
            [cmake, "--install", binary, "--prefix", prefix],
            [cmake, "-G", "Ninja", "-S", project / "outside",
             "-B", here / "build", f"-DCMAKE_PREFIX_PATH={prefix}"],
            [cmake, "--build", here / "build"],
            [cmake, "--build", here / "build", "--target", "test"]):
        subprocess.run(command, check=True)
    job_queue_jobs.check(here / "build" / "bin" / "job_queue")
    subprocess.run([prefix / "bin" / "rookery", "--help"], check=True,
                   stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
