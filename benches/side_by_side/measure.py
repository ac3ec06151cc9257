"""Processes and what they use, as the kernel tells; medians and spreads."""

import os
import signal
import socket
import statistics
import subprocess
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def free_display():
    """A display that nobody has, nor has left a socket of behind."""
    number = free_port() % 10_000 + 100
    while Path(f"/tmp/.X11-unix/X{number}").exists():
        number += 1
    return f":{number}"


def displayed(name):
    """Whether somebody can be shown there."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(f"/tmp/.X11-unix/X{name[1:]}")
        except OSError:
            return False
        return True


def listening(port):
    wanted = f":{port:04X}"
    lines = [line for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    return any(line.split()[1].endswith(wanted) and line.split()[3] == "0A" for line in lines)


def wait_for(what, condition, limit=20.0):
    end = time.monotonic() + limit
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise RuntimeError(f"waited {limit} s in vain for {what}")
        time.sleep(0.02)


class Program:
    """A program that runs; ended by its process id."""

    def __init__(self, command, log, env=None, out=None, err=None, inherit=False):
        self.command = [str(word) for word in command]
        self.log = log
        stdout = open(out, "wb") if out else open(log, "ab")
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=stdout,
            stderr=open(err, "wb") if err else open(log, "ab"), env=env, close_fds=not inherit,
        )
        self.pid = self.process.pid
        self.usage = None

    def wait(self, limit):
        """Waits for its end; `usage` is then set (CPU seconds, peak resident MB)."""
        end = time.monotonic() + limit
        while True:
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self.process.returncode = os.waitstatus_to_exitcode(status)
                self.usage = {
                    "cpu_s": usage.ru_utime + usage.ru_stime,
                    "peak_mb": usage.ru_maxrss / 1024,
                }
                return self.process.returncode
            if time.monotonic() >= end:
                break
            time.sleep(0.02)
        raise RuntimeError(f"{self.command[0]} did not end within {limit} s; see {self.log}")

    def gone(self):
        """Whether it has ended by itself."""
        if self.usage is None:
            try:
                self.wait(0)
            except RuntimeError:
                pass
        return self.usage is not None

    def stop(self, how=signal.SIGINT, limit=10):
        if self.process.returncode is None:
            os.kill(self.pid, how)
            try:
                self.wait(limit)
            except RuntimeError:
                os.kill(self.pid, signal.SIGKILL)
                self.wait(limit)
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def cpu_of(pid, leave_out=()):
    """CPU seconds of a process so far, without threads whose name begins with one of `leave_out`."""
    total = 0.0
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/stat", encoding="utf-8", errors="replace") as file:
                name, fields = file.read().split("(", 1)[1].rsplit(")", 1)
        except OSError:
            continue
        if not any(name.startswith(prefix) for prefix in leave_out):
            total += sum(int(ticks) for ticks in fields.split()[11:13]) / TICKS
    return total


def children_of(pid):
    """The processes that this process has started and that still run, oldest first."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def cpu_of_threads(pid, name):
    """CPU seconds so far of a process's threads of one name, to the nanosecond."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/comm", encoding="utf-8", errors="replace") as file:
                if file.read().strip() == name:
                    with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as figures:
                        total += int(figures.read().split()[0])
        except OSError:
            continue
    return total / 1e9


def resident_mb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0


def median(values):
    return statistics.median(values) if values else None


def spread(values):
    """(highest - lowest) / median, the scatter of the repetitions."""
    middle = median(values)
    return (max(values) - min(values)) / middle if middle else None
