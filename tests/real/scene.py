"""One state being played: its folder, its ports, its processes, and the questions that tell whether it is there yet.

A scene usually has a network and process namespace of its own (see isolation.py), so nothing it starts can outlive
it; `stop` ends everything all the same, for machines without namespaces. Every wait has a limit.
"""
import ctypes
import http.client
import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import time
from functools import partial

HERE = os.path.dirname(os.path.abspath(__file__))
LOOPBACK = "127.0.0.1"
PORTS = {"admin": 9901, "xds": 18000, "ingress": 10000, "app": 8080, "dns": 5353}
START_LIMIT = 20
ADMIN_LIMIT = 10
POLL_EVERY = 0.2
SETTLED = 10          # seconds after which a proxy is no longer "just starting", whoever judges it
PATIENT = 13          # seconds of uptime, above the section probes' patience of 10: all judge a waiting proxy alike
NOBODY = 65534
CHANGE_AFTER = "3"    # seconds after which a server that changes its mind does so


class Trouble(Exception):
    """The state could not be brought about."""


def _die_with_parent(open_files=None):
    """Between fork and exec: the kernel kills the child when the driver dies, however it dies."""
    set_parent_death_signal = 1
    if open_files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, open_files))
    ctypes.CDLL(None, use_errno=True).prctl(set_parent_death_signal, signal.SIGKILL, 0, 0, 0)


def _become_nobody():
    """Between fork and exec: give up root, and with it every capability."""
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    _die_with_parent()


class Scene:
    """What a play gets to work with."""

    def __init__(self, cache, version, folder, first_port=None):
        """Without a first port the usual ones are used: in a namespace of our own they are free."""
        self.cache = cache
        self.version = version
        self.folder = folder
        self.work = os.path.join(folder, "work")
        self.access_log = os.path.join(self.work, "access.log")
        self.log_path = os.path.join(self.work, "envoy.log")
        self.ports = {name: port if first_port is None else first_port + nth
                      for nth, (name, port) in enumerate(PORTS.items())}
        self.envoy = None
        self.started = None
        self.command = []
        self.children = []
        self.held = []
        self.by_hand = {}   # what an engineer would save beside the proxy's own evidence: file name -> text
        os.makedirs(self.work)

    # Starting things

    def _write(self, name, content):
        path = os.path.join(self.work, name)
        with open(path, "w", encoding="utf-8") as target:
            json.dump(content, target, indent=2)
        return path

    def _start_helper(self, python, script, *args):
        """Start one of our servers and wait until it says that it listens."""
        with open(os.path.join(self.work, script + ".log"), "ab") as log:
            child = subprocess.Popen(  # pylint: disable=consider-using-with
                [python, os.path.join(HERE, script)] + list(args), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=log, preexec_fn=_die_with_parent)
        self.children.append(child)
        line = _first_line(child.stdout, START_LIMIT)
        if line != b"listening\n":
            raise Trouble("%s did not start: see %s" % (script, log.name))
        return child

    def start_xds(self, *behaviour, resources=None, then=None):
        """Start the management server. then: what it serves a little later."""
        args = ["--listen", self.at("xds")] + list(behaviour)
        if resources is not None:
            args += ["--resources", self._write("resources.json", resources)]
        if then is not None:
            args += ["--then", CHANGE_AFTER, self._write("then.json", then)]
        return self._start_helper(os.path.join(self.cache, "venv/bin/python"), "xds_server.py", *args)

    def start_app(self):
        """Start the application behind the proxy."""
        return self._start_helper(sys.executable, "app_server.py", "--listen", self.at("app"))

    def start_dns(self, answer):
        """Start the DNS server."""
        return self._start_helper(sys.executable, "dns_server.py", "--listen", self.at("dns"), "--answer", answer)

    def start_envoy(self, bootstrap, as_nobody=False, options=(), open_files=None,
                    base_id="--use-dynamic-base-id"):
        """Start the proxy; its log is its standard error. As nobody it gets its program and its configuration as
        open files, because the folders that hold them may be closed to that user. open_files: its limit of them."""
        program = os.path.join(self.cache, "envoy-" + self.version)
        config = self._write("envoy.json", bootstrap)
        files = [os.open(path, os.O_RDONLY) for path in ((program, config) if as_nobody else ())]
        executable, config = ("/proc/self/fd/%d" % each for each in files) if files else (program, config)
        self.command = ["envoy", "-c", config, *base_id.split(), "--concurrency", "1",
                        "--file-flush-interval-msec", "200", *options]
        with open(self.log_path, "ab") as log:
            self.envoy = subprocess.Popen(  # pylint: disable=consider-using-with
                self.command, executable=executable, pass_fds=files, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, preexec_fn=_become_nobody if as_nobody else partial(_die_with_parent, open_files),
                env=dict(os.environ, TZ="UTC"))
        self.started = time.monotonic()
        self.children.append(self.envoy)
        for each in files:
            os.close(each)

    def hold_port(self, name):
        """Take a port as another program would, without leave to share it."""
        holder = socket.socket()
        holder.bind((LOOPBACK if name == "admin" else "0.0.0.0", self.ports[name]))
        holder.listen(8)
        self.held.append(holder)

    def stop(self):
        """End everything that was started here, the proxy first."""
        for child in reversed(self.children):
            child.kill()
            child.wait()
            if child.stdout:
                child.stdout.close()
        for holder in self.held:
            holder.close()

    # Asking

    def at(self, name):
        """HOST:PORT of one of our ports."""
        return "%s:%d" % (LOOPBACK, self.ports[name])

    def admin(self, path, verb="GET"):
        """Ask the admin page: (status, body)."""
        return request(self.ports["admin"], path, verb=verb)

    def log(self):
        """The proxy's log so far."""
        with open(self.log_path, encoding="utf-8", errors="replace") as source:
            return source.read()

    def stat(self, name):
        """One counter or gauge; None while the proxy does not answer or does not have it."""
        try:
            text = self.admin("/stats?filter=^%s$" % name.replace(".", "%5C."))[1].decode()
        except OSError:
            return None
        value = text.partition(": ")[2].strip()
        return int(value) if value.isdigit() else None

    def state(self):
        """The proxy's own word for its state, or None while it does not answer."""
        try:
            return self.admin("/ready")[1].decode().strip()
        except OSError:
            return None

    def wait(self, what, condition, limit=60):
        """Wait until the condition holds; a proxy that exits meanwhile is trouble, unless that is waited for."""
        deadline = time.monotonic() + limit
        while not condition():
            if time.monotonic() > deadline:
                raise Trouble("waited %d s in vain for: %s" % (limit, what))
            time.sleep(POLL_EVERY)

    def wait_state(self, state, limit=60):
        """Wait until the proxy calls itself so."""
        self.wait("state " + state, lambda: self.state() == state, limit)

    def wait_log(self, part, times=1, limit=60):
        """Wait until a text stood in the log so often."""
        self.wait("%d times '%s' in the log" % (times, part), lambda: self.log().count(part) >= times, limit)

    def wait_stat(self, name, least=1, limit=60):
        """Wait until a counter is that large."""
        self.wait("%s >= %d" % (name, least), lambda: (self.stat(name) or 0) >= least, limit)

    def settle(self):
        """Let the proxy grow old enough to be judged."""
        time.sleep(max(0.0, self.started + SETTLED - time.monotonic()))

    def uptime(self):
        """Seconds since the proxy's start, as it tells itself."""
        return int(json.loads(self.admin("/server_info")[1])["uptime_current_epoch"].rstrip("s"))

    def outlast_patience(self):
        """A proxy that still initialises is stuck only after a while: let that be over before anybody judges it."""
        if self.state() in ("PRE_INITIALIZING", "INITIALIZING"):
            self.wait("an uptime of %d s" % PATIENT, lambda: self.uptime() >= PATIENT)

    def stays(self, state, seconds):
        """Let time pass in that state: only a wait that lasts is a finding."""
        self.wait_state(state)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(POLL_EVERY)
            now = self.state()
            if now != state:
                raise Trouble("left state %s for %s" % (state, now))


def _first_line(pipe, limit):
    """The first line of a pipe, or what there is of it when the limit is over."""
    return pipe.readline() if select.select([pipe], [], [], limit)[0] else b""


def request(port, path, host=None, agent="curl/8.5.0", verb="GET"):
    """One HTTP request to loopback: (status, body). The Host header can be another than the address."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=ADMIN_LIMIT)
    try:
        headers = {"User-Agent": agent}
        if host:
            headers["Host"] = host
        connection.request(verb, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()
