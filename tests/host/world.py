"""A network of the test's own: two namespaces and a cable between them. Nothing outside of them is touched, and all
goes with the test. What runs in `proxy` sees the test's resolv.conf."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

SKIPPED = 77
TOP = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.path.realpath(os.environ.get("DEBRIEF") or TOP / "build-release/debrief")
CACHE = pathlib.Path(os.environ.get("DEBRIEF_TEST_CACHE") or
                     pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "debrief-test")
PROXY_ADDRESS, SERVER_ADDRESS = "10.97.0.1", "10.97.0.2"
NOBODY = 65534


def skip(why):
    print("skipped:", why)
    sys.exit(SKIPPED)


def need(*programs):
    """Ends the test as skipped where it cannot run."""
    if os.geteuid() != 0:
        skip("making network namespaces needs root")
    for program in ("ip", "unshare", "mount", *programs):
        if not shutil.which(program):
            skip(f"'{program}' is not installed (scripts/setup test installs it)")
    tried = subprocess.run(["unshare", "--net", "--mount", "ip", "link", "set", "lo", "up"], capture_output=True, text=True)
    if tried.returncode:
        skip("namespaces cannot be made here: " + tried.stderr.strip())


def wait_for(condition, what, seconds=15):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("waited in vain for " + what)
        time.sleep(0.05)


class World:
    def __init__(self):
        self.names = {side: f"debrief-{side}-{os.getpid()}" for side in ("proxy", "server")}
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="debrief-world-"))
        self.folder.chmod(0o755)
        self.processes = []
        self.resolver("# nobody is asked\n")
        try:
            self._wire()
        except Exception:
            self.close()
            raise

    def _wire(self):
        for name in self.names.values():
            self._ip("netns", "add", name)
        cable = [f"dbp{os.getpid() % 100000}", f"dbs{os.getpid() % 100000}"]
        self._ip("link", "add", cable[0], "type", "veth", "peer", "name", cable[1])
        for (side, name), end, address in zip(self.names.items(), cable, (PROXY_ADDRESS, SERVER_ADDRESS)):
            self._ip("link", "set", end, "netns", name)
            for command in (["addr", "add", address + "/24", "dev", end], ["link", "set", end, "up"], ["link", "set", "lo", "up"]):
                self._ip("-n", name, *command)

    @staticmethod
    def _ip(*arguments):
        subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)

    def resolver(self, text):
        (self.folder / "resolv.conf").write_text(text)

    def wrap(self, side, command, uid=None):
        """COMMAND as it runs inside, with the test's resolv.conf."""
        within = 'mount --bind "$0" "$(readlink -f /etc/resolv.conf)" && exec "$@"'
        user = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"] if uid else []
        return ["ip", "netns", "exec", self.names[side], "unshare", "--mount", "sh", "-c", within,
                str(self.folder / "resolv.conf"), *user, *map(str, command)]

    def run(self, side, *command, timeout=60, **more):
        return subprocess.run(self.wrap(side, command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout, **more)

    def start(self, side, *command, uid=None, log=None):
        out = open(self.folder / log, "w") if log else subprocess.DEVNULL
        mortal = ["setpriv", "--pdeathsig", "KILL"]  # also when the test itself is killed
        process = subprocess.Popen([*mortal, *self.wrap(side, command, uid)], stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        if log:
            out.close()
        self.processes.append(process)
        return process

    def listens(self, side, port, kind="-lnt"):
        return f":{port} " in self.run(side, "ss", kind).stdout

    def close(self):
        for process in self.processes:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def envoy_binary():
    """The newest real Envoy there is, NONE: it was not fetched."""
    found = sorted(path for path in CACHE.glob("envoy-*") if path.is_file() and os.access(path, os.X_OK))
    return found[0] if found else None


def main():
    unittest.main(verbosity=2)
