"""What the tests of the command line share: running the program, making evidence, playing an admin page.

Each test file is run as `python3 test_x.py` with the program's path in $DEBRIEF. Checks are those of
sections/site-said where the test is about the program and not about what sections know: a text says what
shall be found.
"""
import contextlib
import http.server
import json
import os
import pathlib
import shutil
import socketserver
import subprocess
import sys
import tempfile
import threading
import unittest

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
PROGRAM = os.path.realpath(os.environ.get("DEBRIEF") or TOP / "build/debrief")
NOW = "2026-11-21T08:00:00Z"
ERROR, WARNING, INFO = "SITE error a\n", "SITE warning b\n", "SITE info c\n"
# A line of Envoy's own: only a proxy's log can be complete, pasted text never acquits.
NOTHING = "[2026-11-21 07:59:00.000][1][info][main] [source/server/server.cc:1] all is well\n"

SERVER_INFO = {
    "version": "c0ffee0c0ffee0c0ffee0c0ffee0c0ffee0c0ffe/1.36.4/Clean/RELEASE/BoringSSL",
    "state": "LIVE",
    "hot_restart_version": "disabled",
    "command_line_options": {"concurrency": 2, "log_level": "info", "mode": "Serve"},
    "node": {"id": "mesh/m/virtualNode/n", "cluster": "n"},
    "uptime_current_epoch": "3600s",
    "uptime_all_epochs": "3600s",
}
PAGES = {
    "/server_info": json.dumps(SERVER_INFO, indent=1),
    "/ready": "LIVE\n",
    "/stats": "server.live: 1\nserver.state: 0\nserver.uptime: 3600\n",
}


class Result:
    def __init__(self, done):
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def report(self):
        return json.loads(self.out)

    @property
    def target(self):
        return self.report["targets"][0]


def environment(**more):
    """A neutral one: no colours, no terminal, no plugins and no configuration from elsewhere, the clock fixed."""
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ}
    return {**kept, "HOME": os.environ.get("HOME", "/tmp"), "LANG": "C.UTF-8", "DEBRIEF_NOW": NOW,
            "DEBRIEF_CONFIG": "none", **more}


def debrief(*arguments, text=True, **options):
    env = environment(**options.pop("env", {}))
    options.setdefault("stdin", subprocess.DEVNULL)
    if "input" in options:
        del options["stdin"]
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=text, env=env,
                          timeout=120, **options)
    return Result(done)


class AdminPage(http.server.BaseHTTPRequestHandler):
    """Answers as an Envoy admin page does, from the server's `pages`; writes down what it was asked."""

    def do_GET(self):
        self.server.asked.append("GET " + self.path)
        page = self.server.pages.get(self.path.split("?")[0])
        if callable(page):
            page(self)
            return
        body = (page if page is not None else "invalid path. admin commands are:\n").encode()
        self.send_response(200 if page is not None else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.server.asked.append("POST " + self.path)
        self.send_error(500)

    def address_string(self):
        return "somebody"

    def log_message(self, *_):
        pass


class TcpServer(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@contextlib.contextmanager
def admin_page(pages=PAGES, path=None):
    """A running admin page; gives the server, whose `url` is the target and `asked` what it was asked."""
    server = UnixServer(str(path), AdminPage) if path else TcpServer(("127.0.0.1", 0), AdminPage)
    server.pages, server.asked = dict(pages), []
    server.url = f"unix:{path}" if path else "http://127.0.0.1:%d" % server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def closed_port():
    """The URL of a port where nobody listens."""
    import socket
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return "http://127.0.0.1:%d" % probe.getsockname()[1]


class Case(unittest.TestCase):
    """A test with a directory of its own."""

    maxDiff = None

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="debrief-test-"))
        self.addCleanup(shutil.rmtree, self.dir, True)

    def file(self, name, content):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content) if isinstance(content, bytes) else path.write_text(content)
        return path

    def site(self, *arguments, **options):
        """`debrief check` with the site check alone."""
        return debrief("check", "--plugin-path", HERE / "sections", "--select", "site-said", *arguments,
                       **options)

    def save(self, name, text):
        """A saved report about TEXT."""
        evidence = self.file(f"{name}.txt", text)
        path = self.dir / f"{name}.json"
        self.site(evidence, "-o", f"json={path}")
        return path

    def assertStatus(self, result, status):
        self.assertEqual(result.status, status, f"stdout:\n{result.out}\nstderr:\n{result.err}")

    def assertUsage(self, result, *texts):
        """A usage error is status 2 and one line on stderr that says what is wrong."""
        self.assertStatus(result, 2)
        self.assertEqual(result.out, "")
        last = result.err.strip().splitlines()[-1]
        self.assertTrue(last.startswith("debrief: "), last)
        for text in texts:
            self.assertIn(text, last)


def main():
    unittest.main(verbosity=2, argv=sys.argv[:1])
