#!/usr/bin/env python3
"""Drive real Envoys into every state, record the evidence, and let debrief judge it.

    drive.py --cache DIR --out DIR [--debrief PATH] [--envoy V] [--state GLOB] [--jobs N] [--record]

For each state and Envoy version: OUT/V/STATE/evidence/ (raw sources under the contract's names), meta.json, with
--debrief also reports/, and work/ (configuration and logs of the helpers; --record removes it and writes
OUT/INDEX.md). Judging the reports is check_state.py's work, and a state that could not be brought about is a failure
there, not here: status 1 only if there was none that could.
"""
import argparse
import fnmatch
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import index
import isolation
import record
import states
from scene import LOOPBACK, PORTS

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT = 180           # one state: plays wait 90 s at most, debrief's calls have limits of their own
FIRST_PORT = 21000    # without namespaces: below the ports that the kernel hands out for outgoing connections


def say(text):
    """One line of progress; states run side by side."""
    with _saying:
        print(text, file=sys.stderr, flush=True)


_saying = threading.Lock()


def _is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind((LOOPBACK, port))
            return True
        except OSError:
            return False


class Driver:
    """Runs states in processes of their own and gathers how they went."""

    def __init__(self, options):
        self.options = options
        self.prefix = isolation.prefix()
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.next_port = FIRST_PORT
        self.running = set()

    def command(self, version, state):
        """The command line for one run."""
        options = self.options
        command = self.prefix + [sys.executable, os.path.join(HERE, "run_state.py"), "--cache", options.cache,
                                 "--out", options.out, "--envoy", version, "--state", state.name]
        if options.debrief:
            command += ["--debrief", options.debrief]
        return command if self.prefix else command + ["--first-port", str(self._free_ports())]

    def _free_ports(self):
        """The first of as many free neighbouring ports as a scene needs; no two scenes get the same."""
        with self.lock:
            while True:
                first, self.next_port = self.next_port, self.next_port + len(PORTS)
                if all(_is_free(first + nth) for nth in range(len(PORTS))):
                    return first

    def note(self, version, state, **why):
        """Leave word for check_state.py that a state was skipped, or in trouble before it could say so itself."""
        path = os.path.join(self.options.out, version, state.name, "meta.json")
        if "skipped" in why:
            shutil.rmtree(os.path.dirname(path), ignore_errors=True)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if not os.path.exists(path):
            record.write_json(path, dict(why, state=state.name, about=state.about, envoy=version))

    def run(self, pair):
        """One state on one version: True if it was brought about, or cannot be here."""
        version, state = pair
        if self.stop.is_set():
            return False
        reason = isolation.lacking(state.needs, self.prefix)
        if reason:
            self.note(version, state, skipped=reason)
            say("%s %s: skipped, %s" % (version, state.name, reason))
            return True
        started = time.monotonic()
        trouble = self._bounded(self.command(version, state))
        say("%s %s: %s (%.0f s)" % (version, state.name, trouble or "done", time.monotonic() - started))
        if trouble:
            self.note(version, state, trouble=trouble)
        if self.options.record and not trouble:
            shutil.rmtree(os.path.join(self.options.out, version, state.name, "work"), ignore_errors=True)
        return not trouble

    def _bounded(self, command):
        """Run to the end or to the limit; what it printed if it failed."""
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=isolation.environment(self.prefix), start_new_session=True) as run:
            self.running.add(run)
            try:
                text = run.communicate(timeout=LIMIT)[0].decode(errors="replace").strip()
                return None if run.returncode == 0 else text or "status %d" % run.returncode
            except subprocess.TimeoutExpired:
                run.kill()
                return "took longer than %d s" % LIMIT
            finally:
                self.running.discard(run)

    def interrupt(self, *_):
        """End everything now. What a scene started dies with it: by its namespace, or as children of a dead parent."""
        self.stop.set()
        for run in list(self.running):
            run.kill()


def pairs(options):
    """The chosen (version, state) pairs, the slowest first: they then set the end of the whole run, not its tail."""
    chosen = [(version, state) for state in states.STATES for version in states.VERSIONS
              if fnmatch.fnmatchcase(state.name, options.state) and options.envoy in (None, version)]
    return sorted(chosen, key=lambda pair: -pair[1].seconds)


def default_cache():
    """Where the project's set-up puts what `fetch` makes."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.environ.get("DEBRIEF_TEST_CACHE") or os.path.join(home, "debrief-test")


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", metavar="DIR", default=default_cache(),
                        help="what `fetch` made (default %(default)s)")
    parser.add_argument("--out", required=True, metavar="DIR")
    parser.add_argument("--debrief", metavar="PATH", help="the program to try; without it only evidence is recorded")
    parser.add_argument("--envoy", metavar="V", choices=states.VERSIONS)
    parser.add_argument("--state", default="*", metavar="GLOB")
    parser.add_argument("--jobs", type=int, default=12, metavar="N",
                        help="states side by side (default %(default)s: they mostly wait)")
    parser.add_argument("--record", action="store_true", help="keep evidence only, and write an index")
    options = parser.parse_args()
    for name in ("cache", "out", "debrief"):
        if getattr(options, name):
            setattr(options, name, os.path.abspath(getattr(options, name)))
    return options


def main():
    """Play all the pairs, at most N at a time."""
    options = arguments()
    chosen = pairs(options)
    if not chosen:
        say("drive: no state is called '%s'" % options.state)
        return 2
    if not os.path.exists(os.path.join(options.cache, "venv/fetched")):
        say("drive: nothing was fetched to '%s'; call tests/real/fetch first" % options.cache)
        return 2
    driver = Driver(options)
    started = time.monotonic()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, driver.interrupt)
    with ThreadPoolExecutor(max(1, options.jobs)) as pool:
        results = list(pool.map(driver.run, chosen))
    if driver.stop.is_set():
        return 130
    if options.record:
        index.write(options.out)
    failed = results.count(False)
    say("%d states, %d failed, %.0f s" % (len(results), failed, time.monotonic() - started))
    return 1 if failed == len(results) else 0


if __name__ == "__main__":
    sys.exit(main())
