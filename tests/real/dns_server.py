#!/usr/bin/env python3
"""A tiny DNS server on loopback, so that "this name does not exist" can be had without a network.

    dns_server.py --listen 127.0.0.1:5353 --answer nxdomain | silent

Answers every question with NXDOMAIN, or reads and never answers. Prints `listening` when ready.
"""
import argparse
import socket
import struct

NXDOMAIN = 3
HEADER = struct.Struct("!6H")


def question_end(query):
    """The offset behind the first question: labels, a zero byte, type and class."""
    at = HEADER.size
    while query[at]:
        at += query[at] + 1
    return at + 5


def refusal(query):
    """The answer that says: no such name. The question is repeated, nothing else is known."""
    identity, flags = HEADER.unpack_from(query)[:2]
    recursion_desired = flags & 0x0100
    header = HEADER.pack(identity, 0x8080 | recursion_desired | NXDOMAIN, 1, 0, 0, 0)
    return header + query[HEADER.size:question_end(query)]


def main():
    """Answer until killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", required=True, metavar="HOST:PORT")
    parser.add_argument("--answer", choices=("nxdomain", "silent"), default="nxdomain")
    options = parser.parse_args()
    host, port = options.listen.rsplit(":", 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((host, int(port)))
        print("listening", flush=True)
        while True:
            query, peer = server.recvfrom(4096)
            if options.answer == "nxdomain" and len(query) > HEADER.size:
                server.sendto(refusal(query), peer)


if __name__ == "__main__":
    main()
