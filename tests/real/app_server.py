#!/usr/bin/env python3
"""The application behind the proxy: 200 for /ping and /orders, 404 for anything else.

    app_server.py --listen 127.0.0.1:8080

Prints `listening` when ready.
"""
import argparse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KNOWN = ("/ping", "/orders")


class Application(BaseHTTPRequestHandler):
    """One short answer a request."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):  # the name that http.server looks for
        """Answer by path."""
        known = self.path in KNOWN
        body = b"ok\n" if known else b"not found\n"
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        """Say nothing: the proxy's own access log is the evidence."""


def main():
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", required=True, metavar="HOST:PORT")
    host, port = parser.parse_args().listen.rsplit(":", 1)
    server = ThreadingHTTPServer((host, int(port)), Application)
    print("listening", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
