"""Where and with what it was measured."""
import os
import platform
import re
import subprocess

from .settings import ROOT

PACKAGES = ("libcaf-core0.17", "libqpid-proton-cpp12", "libprotobuf32",
            "libsqlite3-0", "redis-server", "erlang-base", "g++-12")


def said(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True,
                              check=False).stdout.strip()
    except OSError:
        return ""


def describe():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        model = re.search(r"model name\s*: (.*)", info.read())
    with open("/proc/meminfo", encoding="ascii") as info:
        memory = int(re.search(r"MemTotal:\s+(\d+)", info.read()).group(1))
    with open("/etc/os-release", encoding="utf-8") as info:
        system = re.search(r'PRETTY_NAME="(.*)"', info.read())
    versions = said("dpkg-query", "--show", "--showformat",
                    "${Package} ${Version}\n", *PACKAGES)
    return {
        "processor": model.group(1) if model else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 1024 / 1024, 1),
        "system": system.group(1) if system else platform.system(),
        "kernel": platform.release(),
        # Of the minute before: near 0 where nobody else worked.
        "load_before": float(os.environ.get("BENCH_LOAD_BEFORE",
                                            os.getloadavg()[0])),
        "packages": versions.splitlines(),
        "revision": said("git", "-C", ROOT, "describe", "--always", "--dirty",
                         "--exclude", "*"),
    }
