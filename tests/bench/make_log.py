#!/usr/bin/env python3
"""Writes an Envoy log of a given size: access log and process log mixed, with rare events.

    make_log.py SIZE [--hits every|rare|none] [--shape envoy|docker] > FILE     SIZE: 500M, 1G, 20k

The same arguments give the same bytes.
"""
import argparse
import json
import random
import sys

UNITS = {"k": 1 << 10, "M": 1 << 20, "G": 1 << 30}

ACCESS = (
    '[{iso}] "{method} {path} HTTP/{http}" {code} - 0 {bytes} {ms} {ms} "-" "{agent}" '
    '"{id}" "shop.example.com" "10.0.{a}.{b}:8080"'
)
AGENTS = ("curl/8.5.0", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", "Go-http-client/2.0")
PATHS = ("/", "/orders", "/orders/4711/items", "/api/v2/customers?limit=50", "/static/app.js")

PROCESS = (
    "[info][upstream] [source/common/upstream/cds_api_helper.cc:32] cds: added/updated 1 cluster(s) "
    "(skipped {n} unmodified cluster(s)); removed 0 cluster(s)",
    "[info][upstream] [source/common/listener_manager/lds_api.cc:109] lds: add/update listener "
    "'outbound_{n}'",
    "[info][main] [source/server/server.cc:1012] starting statistics flush {n}",
    "[warning][main] [source/server/server.cc:884] There is no configured limit to the number of "
    "allowed active downstream connections.",
    "[info][config] [source/server/configuration_impl.cc:138] loading {n} listener(s)",
)

EVENTS = (
    "[warning][config] [./source/extensions/config_subscription/grpc/grpc_stream.h:227] "
    "StreamAggregatedResources gRPC config stream to xds_cluster closed since {n}s ago: 14, upstream "
    "connect error or disconnect/reset before headers. reset reason: connection timeout",
    "[warning][config] [./source/extensions/config_subscription/grpc/grpc_stream.h:189] "
    "StreamAggregatedResources gRPC config stream to xds_cluster closed: 7, permission denied",
    "[warning][config] [source/extensions/config_subscription/grpc/grpc_subscription_impl.cc:138] "
    "gRPC config for type.googleapis.com/envoy.config.listener.v3.Listener rejected: Error "
    "adding/updating listener(s) ingress_{n}: cannot bind '0.0.0.0:80': Permission denied\n"
    "egress_{n}: duplicate listener egress_{n} found",
)


def clock(second):
    minute, hour = second // 60, second // 3600
    return f"2026-11-{1 + hour // 24 % 28:02d}", f"{hour % 24:02d}:{minute % 60:02d}:{second % 60:02d}"


def access_line(rng, day, time):
    return ACCESS.format(
        iso=f"{day}T{time}.{rng.randrange(1000):03d}Z",
        method=rng.choice(("GET", "GET", "GET", "POST")),
        path=rng.choice(PATHS),
        http=rng.choice(("1.1", "2")),
        code=rng.choice((200, 200, 200, 201, 204, 304)),
        bytes=rng.randrange(100000),
        ms=rng.randrange(200),
        agent=rng.choice(AGENTS),
        id=f"{rng.getrandbits(32):08x}-{rng.getrandbits(16):04x}-4{rng.getrandbits(12):03x}",
        a=rng.randrange(4),
        b=rng.randrange(250),
    )


def process_line(rng, day, time, texts):
    text = rng.choice(texts).format(n=rng.randrange(1000))
    return f"[{day} {time}.{rng.randrange(1000):03d}][{rng.randrange(1, 30)}]{text}"


def one_line(rng, number, hits):
    day, time = clock(number // 50)
    if hits == "every" or (hits == "rare" and number % 20000 == 777):
        return process_line(rng, day, time, EVENTS)
    if number % 4 == 0:
        return process_line(rng, day, time, PROCESS)
    return access_line(rng, day, time)


def wrap(line, number):
    day, time = clock(number // 50)
    stamp = f"{day}T{time}.000000000Z"
    return "".join(
        json.dumps({"log": part + "\n", "stream": "stderr", "time": stamp}, separators=(",", ":")) + "\n"
        for part in line.split("\n")
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("size")
    parser.add_argument("--hits", choices=("every", "rare", "none"), default="rare")
    parser.add_argument("--shape", choices=("envoy", "docker"), default="envoy")
    args = parser.parse_args()
    size = int(args.size[:-1]) * UNITS[args.size[-1]] if args.size[-1] in UNITS else int(args.size)
    rng = random.Random(1)
    number = written = 0
    while written < size:
        lines = []
        for number in range(number, number + 1000):
            line = one_line(rng, number, args.hits)
            lines.append(wrap(line, number) if args.shape == "docker" else line + "\n")
        number += 1
        text = "".join(lines)
        sys.stdout.write(text)
        written += len(text)


if __name__ == "__main__":
    main()
