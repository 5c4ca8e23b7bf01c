#!/usr/bin/env python3
"""Two live Envoys side by side: replicas do not differ, however long each has lived; of one that was set up otherwise
the first difference names what.

    compare.py --debrief PATH [--cache DIR] [--envoy V]

Each replica has an address of its own (127.0.0.2, 127.0.0.3) and the same ports, as pods have.
"""

import argparse
import http.client
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import time

import isolation

VERSIONS = ("1.36.4", "1.40.0")
ADMIN, INGRESS, APP, NOBODY_THERE = 9901, 10000, 8080, 8099
A, B = "127.0.0.2", "127.0.0.3"
TYPES = "type.googleapis.com/envoy."
REQUESTS = 5


def socket_address(host, port):
    return {"socket_address": {"address": host, "port_value": port}}


def upstream(app, limit, tls):
    """The cluster of the application."""
    cluster = {"name": "orders", "connect_timeout": "1s", "type": "STATIC", "load_assignment": {
        "cluster_name": "orders", "endpoints": [{"lb_endpoints": [{"endpoint": {"address": socket_address("127.0.0.1", app)}}]}]}}
    if limit:
        cluster["circuit_breakers"] = {"thresholds": [{"max_connections": limit, "max_requests": limit}]}
    if tls:
        cluster["transport_socket"] = {"name": "envoy.transport_sockets.tls", "typed_config": {
            "@type": TYPES + "extensions.transport_sockets.tls.v3.UpstreamTlsContext", "sni": "orders.shop"}}
    return cluster


def bootstrap(own, app=APP, domains=("*",), port=INGRESS, limit=None, tls=False):
    """A gateway in front of one application."""
    router = {"name": "envoy.filters.http.router", "typed_config": {
        "@type": TYPES + "extensions.filters.http.router.v3.Router"}}
    manager = {
        "@type": TYPES + "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "ingress", "http_filters": [router],
        "route_config": {"name": "routes", "virtual_hosts": [{
            "name": "shop", "domains": list(domains),
            "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "orders"}}]}]}}
    return {
        "node": {"id": "gateway-" + own.replace(".", "-"), "cluster": "shop", "metadata": {"INSTANCE_IPS": own}},
        "admin": {"address": socket_address(own, ADMIN)},
        "static_resources": {
            "listeners": [{"name": "ingress", "address": socket_address(own, port), "filter_chains": [
                {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}]}],
            "clusters": [upstream(app, limit, tls)]}}


def ask(host, port, path):
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


class App(http.server.BaseHTTPRequestHandler):
    """The application behind the gateways."""

    def do_GET(self):  # pylint: disable=invalid-name
        """Any answer will do."""
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):  # pylint: disable=arguments-differ
        """Nobody reads it."""


class Replica:
    """An Envoy with requests behind it."""

    def __init__(self, options, version, folder, own, **how):
        config = os.path.join(folder, "envoy-%s-%s.json" % (own, len(how)))
        with open(config, "w", encoding="utf-8") as target:
            json.dump(bootstrap(own, **how), target)
        self.own = own
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [os.path.join(options.cache, "envoy-" + version), "-c", config, "--use-dynamic-base-id", "--concurrency", "1"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while ask(own, ADMIN, "/ready") != 200 and time.monotonic() < deadline:
            time.sleep(0.1)
        for _ in range(REQUESTS):
            ask(own, INGRESS, "/")

    def stop(self):
        self.process.kill()
        self.process.wait()


def compare(options):
    """The document of A and B as they run now."""
    done = subprocess.run(
        [options.debrief, "diff", "--compare", "http://%s:%d" % (A, ADMIN), "http://%s:%d" % (B, ADMIN), "-o", "json"],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
    return json.loads(done.stdout)


def told(document):
    return [(row["kind"], row["name"], row.get("column"), row["a"].get("value"), row["b"].get("value"))
            for row in document["differences"]]


def play(options, version, other, folder):
    """What is not as it should be, one sentence each."""
    wrong = []
    scenes = [
        ("replicas", version, {}, []),
        ("another version", other, {}, [("version", "", "version", version, other)]),
        ("an upstream that is not there", version, {"app": NOBODY_THERE},
         [("endpoint", "orders", "endpoints", "127.0.0.1:%d" % APP, "127.0.0.1:%d" % NOBODY_THERE)]),
        ("another port", version, {"port": 10443}, [("listener", "ingress", "port", str(INGRESS), "10443")]),
        ("narrow circuit breakers", version, {"limit": 1},
         [("cluster", "orders", "thresholds", None, "DEFAULT max_connections=1 max_requests=1")]),
        ("TLS that the application does not speak", version, {"tls": True}, [("cluster", "orders", "tls", "no", "yes")]),
        ("other domains", version, {"domains": ["shop.test"]},
         [("route", "routes shop", "domains", "*", "shop.test")]),
    ]
    healthy = Replica(options, version, folder, A)
    try:
        for name, of, how, expected in scenes:
            replica = Replica(options, of, folder, B, **how)
            try:
                rows = told(compare(options))
            finally:
                replica.stop()
            if rows[:1] != expected or (not how and rows != expected):
                wrong.append("%s: %s: %s instead of %s" % (version, name, rows[:3], expected))
    finally:
        healthy.stop()
    return wrong


def main():
    """Status 0: as expected; 1: the reasons; 77: it cannot be tried here."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--debrief", required=True)
    parser.add_argument("--cache", default=os.path.expanduser("~/.cache/debrief-test"))
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    prefix = isolation.prefix()
    if not options.inside and not prefix:
        print("no network namespace can be made here")
        return 77
    if not options.inside:
        return subprocess.run(prefix + [sys.executable, __file__, "--inside"] + sys.argv[1:], check=False, timeout=300,
                              env=isolation.environment(prefix)).returncode
    isolation.enter()
    app = http.server.ThreadingHTTPServer(("127.0.0.1", APP), App)
    threading.Thread(target=app.serve_forever, daemon=True).start()
    wrong = []
    for version, other in (VERSIONS, VERSIONS[::-1]):
        with tempfile.TemporaryDirectory() as folder:
            wrong += play(options, version, other, folder)
    print("\n".join(wrong) or "replicas do not differ, and what does is named first")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
