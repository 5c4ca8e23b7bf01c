#!/usr/bin/env python3
"""Ask a real Envoy what it does with many requests, and debrief what it would: the answers must be the same.

    walk.py --debrief PATH [--cache DIR] [--envoy V]

Each route of the configuration answers with a status of its own, so the status tells which one was taken; 299 comes from
an upstream. Where debrief says that something else decides, or that it cannot tell, its answer need not be the same, but
the rows say how many of these there may be.
"""

import argparse
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import time

import certificates
import isolation

VERSIONS = ("1.36.4", "1.40.0")
TYPES = "type.googleapis.com/envoy."
FORWARDED = 299
UNDECIDED = 13  # requests for which debrief says that something else decides


def match(status, **condition):
    """A route that answers with its own status."""
    return {"match": condition, "direct_response": {"status": status}}


def to(cluster, **condition):
    return {"match": condition, "route": {"cluster": cluster}}


def host(name, domains, *routes, **further):
    return dict(name=name, domains=domains, routes=list(routes), **further)


HOSTS = [
    host(
        "exact",
        ["shop.example.com", "other.test"],
        match(201, path="/exact"),
        match(202, path="/CaSe", case_sensitive=False),
        match(203, path_separated_prefix="/sep"),
        match(205, safe_regex={"regex": "/re/[0-9]+"}),
        match(206, prefix="/Low", case_sensitive=False),
        match(207, prefix="/post", headers=[{"name": ":method", "string_match": {"exact": "POST"}}]),
        match(
            208,
            prefix="/noget",
            headers=[{"name": ":method", "string_match": {"exact": "GET"}, "invert_match": True}],
        ),
        match(209, prefix="/post"),
        match(210, prefix="/header", headers=[{"name": "x-a", "present_match": True}]),
        match(211, prefix="/header"),
        match(212, prefix="/query", query_parameters=[{"name": "a", "string_match": {"exact": "1"}}]),
        match(213, prefix="/query"),
        {"match": {"connect_matcher": {}}, "direct_response": {"status": 214}},
        {"match": {"prefix": "/old"}, "redirect": {"path_redirect": "/new"}},
        {"match": {"prefix": "/see"}, "redirect": {"path_redirect": "/new", "response_code": "SEE_OTHER"}},
        to("good", prefix="/good"),
        to("empty", prefix="/empty"),
        to("gone", prefix="/gone"),
        to("sick", prefix="/sick"),
        to("panics", prefix="/panics"),
        to("refuses", prefix="/refuses"),
        to("subsets", prefix="/subsets"),
        to("degraded", prefix="/degraded"),
        {
            "match": {"prefix": "/share"},
            "route": {
                "weighted_clusters": {"clusters": [{"name": "good", "weight": 100}, {"name": "empty", "weight": 0}]}
            },
        },
        {"match": {"prefix": "/named"}, "route": {"cluster_header": "x-cluster"}},
        match(215, path="/"),
    ),
    host("suffix", ["*.example.com"], match(221, prefix="/")),
    host("longer", ["*.shop.example.com", "*-x.example.com"], match(222, prefix="/")),
    host("prefix", ["shop.*"], match(223, prefix="/")),
    host("longer-prefix", ["shop.long.*"], match(224, prefix="/")),
    host("numbered", ["shop.example.com:8080"], match(225, prefix="/")),
    host("secure", ["secure.test"], match(226, prefix="/"), require_tls="ALL"),
    host(
        "tree",
        ["tree.test"],
        matcher={
            "matcher_tree": {
                "input": {
                    "name": "h",
                    "typed_config": {
                        "@type": TYPES + "type.matcher.v3.HttpRequestHeaderMatchInput",
                        "header_name": "x",
                    },
                },
                "exact_match_map": {
                    "map": {
                        "a": {
                            "action": {
                                "name": "r",
                                "typed_config": {
                                    "@type": TYPES + "config.route.v3.Route",
                                    "match": {"prefix": "/"},
                                    "direct_response": {"status": 227},
                                },
                            }
                        }
                    }
                },
            }
        },
    ),
]
ANY = [host("any", ["*"], match(231, prefix="/"))]
BARE = [host("bare", ["shop.example.com"], match(241, prefix="/"))]


def manager(hosts, filters=(), name="r", ignore_port=False, **further):
    config = dict(
        {
            "@type": TYPES + "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": name,
            "route_config": {
                "name": name,
                "virtual_hosts": hosts,
                "validate_clusters": False,
                "ignore_port_in_host_matching": ignore_port,
            },
            "http_filters": list(filters)
            + [
                {
                    "name": "envoy.filters.http.router",
                    "typed_config": {"@type": TYPES + "extensions.filters.http.router.v3.Router"},
                }
            ],
        },
        **further
    )
    return {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": config}]}


def health(path, passing):
    return {
        "name": "envoy.filters.http.health_check",
        "typed_config": {
            "@type": TYPES + "extensions.filters.http.health_check.v3.HealthCheck",
            "pass_through_mode": passing,
            "headers": [{"name": ":path", "string_match": {"exact": path}}],
        },
    }


def off(config):
    return dict(config, disabled=True)


LUA = {
    "name": "envoy.filters.http.lua",
    "typed_config": {
        "@type": TYPES + "extensions.filters.http.lua.v3.Lua",
        "default_source_code": {
            "inline_string": "function envoy_on_request(h) h:respond({[':status'] = '251'}, 'x') end"
        },
    },
}
FAULT = {
    "name": "envoy.filters.http.fault",
    "typed_config": {"@type": TYPES + "extensions.filters.http.fault.v3.HTTPFault"},
}


def secured(chain, key, cert, **condition):
    return dict(
        chain,
        filter_chain_match=condition,
        transport_socket={
            "name": "tls",
            "typed_config": {
                "@type": TYPES + "extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                "common_tls_context": {
                    "tls_certificates": [{"private_key": {"filename": key}, "certificate_chain": {"filename": cert}}]
                },
            },
        },
    )


def listener(port, *chains, **further):
    return dict(
        {
            "name": "l%d" % port,
            "address": {"socket_address": {"address": "0.0.0.0", "port_value": port}},
            "filter_chains": list(chains),
        },
        **further
    )


def listeners(key, cert):
    tls = {
        "name": "tls",
        "typed_config": {"@type": TYPES + "extensions.filters.listener.tls_inspector.v3.TlsInspector"},
    }
    original = {
        "name": "o",
        "typed_config": {"@type": TYPES + "extensions.filters.listener.original_dst.v3.OriginalDst"},
    }
    single = lambda status: manager([host("one", ["*"], match(status, prefix="/"))])  # noqa: E731
    return [
        listener(80, manager(HOSTS)),
        listener(8080, manager(HOSTS)),
        listener(8081, manager(BARE, strip_any_host_port=True)),
        listener(8082, manager(BARE, strip_matching_host_port=True)),
        listener(8083, manager(BARE, ignore_port=True)),
        listener(8084, manager(BARE)),
        listener(8085, single(FORWARDED)),
        listener(8086, manager(ANY, [health("/hc", False)])),
        listener(8087, manager(ANY, [health("/hc", True)])),
        listener(8088, manager(ANY, [LUA])),
        listener(8089, manager(ANY, [FAULT])),
        listener(8090, manager(ANY, [off(LUA)])),
        listener(
            443,
            secured(single(261), key, cert, server_names=["a.test"]),
            secured(single(262), key, cert, server_names=["*.test"]),
            secured(single(263), key, cert, server_names=["*.b.test"]),
            dict(single(264), filter_chain_match={"transport_protocol": "raw_buffer"}),
            listener_filters=[tls],
        ),
        listener(
            8091,
            dict(single(271), filter_chain_match={"destination_port": 8091}),
            dict(single(272), filter_chain_match={"destination_port": 1}),
            single(273),
        ),
        listener(
            8092, dict(single(274), filter_chain_match={"destination_port": 1}), default_filter_chain=single(275)
        ),
        listener(8093, dict(single(276), filter_chain_match={"destination_port": 1})),
        listener(
            8094,
            dict(
                single(277), filter_chain_match={"prefix_ranges": [{"address_prefix": "127.0.0.0", "prefix_len": 8}]}
            ),
            dict(
                single(278), filter_chain_match={"prefix_ranges": [{"address_prefix": "127.0.0.1", "prefix_len": 32}]}
            ),
            dict(
                single(279), filter_chain_match={"prefix_ranges": [{"address_prefix": "10.0.0.0", "prefix_len": 8}]}
            ),
        ),
        listener(8095, single(281), listener_filters=[original], use_original_dst=True),
        listener(
            8096,
            {
                "filters": [
                    {
                        "name": "envoy.filters.network.tcp_proxy",
                        "typed_config": {
                            "@type": TYPES + "extensions.filters.network.tcp_proxy.v3.TcpProxy",
                            "stat_prefix": "t",
                            "cluster": "good",
                        },
                    }
                ]
            },
        ),
        listener(
            8097,
            {
                "filters": [
                    {
                        "name": "envoy.filters.network.tcp_proxy",
                        "typed_config": {
                            "@type": TYPES + "extensions.filters.network.tcp_proxy.v3.TcpProxy",
                            "stat_prefix": "t",
                            "cluster": "empty",
                        },
                    }
                ]
            },
        ),
    ]


def cluster(name, health_status=None, port=8085, **further):
    hosts = (
        []
        if port is None
        else [{"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}}]
    )
    for each in hosts:
        if health_status:
            each["health_status"] = health_status
    return dict(
        {
            "name": name,
            "type": "STATIC",
            "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": hosts}]},
        },
        **further
    )


CLUSTERS = [
    cluster("good"),
    cluster("empty", port=None),
    cluster("degraded", "DEGRADED"),
    cluster("panics", "UNHEALTHY"),
    cluster("sick", "UNHEALTHY", common_lb_config={"healthy_panic_threshold": {"value": 0}}),
    cluster("refuses", "UNHEALTHY", common_lb_config={"zone_aware_lb_config": {"fail_traffic_on_panic": True}}),
    cluster(
        "subsets",
        lb_subset_config={
            "fallback_policy": "DEFAULT_SUBSET",
            "default_subset": {"version": "v9"},
            "subset_selectors": [{"keys": ["version"]}],
        },
    ),
]

SHOP = "shop.example.com"


def rows():
    """Each: a request as --param upstreams.request takes it."""
    http = [
        "/exact",
        "/exact?a=b",
        "/exact/",
        "/case",
        "/sep",
        "/sep/",
        "/sepx",
        "/sep/x?y",
        "/re/12",
        "/re/12x",
        "/a/re/12",
        "/lowest",
        "/post",
        "/noget",
        "/header",
        "/query",
        "/query?a=1",
        "/old/x",
        "/see",
        "/good",
        "/empty",
        "/gone",
        "/sick",
        "/panics",
        "/refuses",
        "/subsets",
        "/degraded",
        "/share",
        "/named",
        "/",
        "/nothing",
        "/exact//",
        "/sep/../exact",
    ]
    for path in http:
        yield "GET http://%s%s" % (SHOP, path)
    yield "POST http://%s/post" % SHOP
    yield "DELETE http://%s/noget" % SHOP
    for name in (
        "SHOP.EXAMPLE.COM",
        "a.example.com",
        "a.b.example.com",
        "example.com",
        "a.shop.example.com",
        "a-x.example.com",
        "-x.example.com",
        "shop.other",
        "shop.long.other",
        "shop.",
        "other.test",
        "nobody.test",
        "127.0.0.1",
        "secure.test",
        "tree.test",
    ):
        yield "GET http://%s/exact" % name
    for port in range(8080, 8098):
        yield "GET http://%s:%d/x" % (SHOP, port)
    for port in (8086, 8087):
        yield "GET http://x.test:%d/hc" % port
        yield "GET http://x.test:%d/hc?x=1" % port
    for name in ("a.test", "b.test", "c.b.test", "test", "a.other"):
        yield "GET https://%s/" % name
    yield "GET http://a.test:443/"
    yield "GET https://%s:8080/exact" % SHOP
    yield "GET http://%s:8099/" % SHOP


def connect(port):
    limit = time.monotonic() + 5
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=5)
        except ConnectionRefusedError:
            if port == 8099 or time.monotonic() > limit:
                raise


def really(request):
    """What the proxy answers: a status, "reset" or "refused"."""
    verb, scheme, name, port, path = re.match(r"(\w+) (https?)://([^/:]+)(?::(\d+))?(/.*)", request).groups()
    authority = name + (":" + port if port else "")
    try:
        link = connect(int(port or (443 if scheme == "https" else 80)))
    except ConnectionRefusedError:
        return "refused"
    try:
        if scheme == "https":
            context = ssl._create_unverified_context()  # pylint: disable=protected-access
            link = context.wrap_socket(link, server_hostname=name)
        link.sendall(("%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % (verb, path, authority)).encode())
        answer = link.recv(200)
        return int(answer.split()[1]) if answer else "reset"
    except ssl.SSLError as trouble:
        return 400 if "WRONG_VERSION" in str(trouble) or "RECORD_LAYER" in str(trouble) else "reset"
    except OSError:
        return "reset"
    finally:
        link.close()


def foretold(debrief, folder, request):
    """What debrief says of it: the same words, and whether it is sure."""
    run = subprocess.run(
        [debrief, "check", folder, "-o", "json", "--select", "upstreams", "--param", "upstreams.request=" + request],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=60,
    )
    findings = json.loads(run.stdout)["targets"][0]["findings"]
    text = next((each["message"] for each in findings if each["message"].startswith(request + ": ")), None)
    if text is None:
        return None, True, run.stdout.decode()[:500]
    status = re.search(r": the proxy answers (\d+)", text)
    told = int(status.group(1)) if status else FORWARDED if "it reaches hosts" in text else None
    ended = re.search(r": the connection is (reset|refused)", text)
    return ended.group(1) if ended else told, "may depend on" not in text and "cannot be told" not in text, text


def admin(path):
    import urllib.request  # pylint: disable=import-outside-toplevel

    with urllib.request.urlopen("http://127.0.0.1:9901" + path, timeout=10) as answer:
        return answer.read()


def start(program, folder):
    certificates.openssl(
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        folder + "/key.pem",
        "-out",
        folder + "/cert.pem",
        "-days",
        "2",
        "-subj",
        "/CN=test",
    )
    config = {
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 9901}}},
        "static_resources": {"listeners": listeners(folder + "/key.pem", folder + "/cert.pem"), "clusters": CLUSTERS},
    }
    with open(folder + "/envoy.json", "w", encoding="utf-8") as out:
        json.dump(config, out)
    log = open(folder + "/envoy.log", "wb")  # pylint: disable=consider-using-with
    envoy = subprocess.Popen(
        [
            program,
            "-c",
            folder + "/envoy.json",
            "--use-dynamic-base-id",
            "--concurrency",
            "1",
        ],  # pylint: disable=consider-using-with
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )
    for _ in range(100):
        try:
            if admin("/ready").strip() == b"LIVE":
                return envoy
        except OSError:
            time.sleep(0.1)
    envoy.kill()
    with open(folder + "/envoy.log", encoding="utf-8", errors="replace") as text:
        raise SystemExit("Envoy did not start:\n" + "".join(text.readlines()[-5:]))


def play(options, version, folder):
    """The rows that differ, as texts."""
    envoy = start(os.path.join(options.cache, "envoy-" + version), folder)
    evidence, wrong, unsure = folder + "/evidence/admin", [], 0
    os.makedirs(evidence)
    try:
        for name, path in (
            ("config_dump", "/config_dump"),
            ("clusters", "/clusters?format=json"),
            ("listeners", "/listeners?format=json"),
        ):
            with open("%s/%s.json" % (evidence, name), "wb") as out:
                out.write(admin(path))
        for request in rows():
            real = really(request)
            told, sure, text = foretold(options.debrief, folder + "/evidence", request)
            unsure += not sure
            if sure and told != real:
                wrong.append("%s: %s: Envoy %s, debrief %s: %s" % (version, request, real, told, text))
            elif options.verbose:
                print(version, request, real, told, "" if sure else "unsure: " + text[:300])
    finally:
        envoy.kill()
        envoy.wait()
    if unsure > UNDECIDED:
        wrong.append("%s: debrief was not sure of %d requests, not %d" % (version, unsure, UNDECIDED))
    return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--debrief", required=True)
    parser.add_argument("--cache", default=os.path.expanduser("~/.cache/debrief-test"))
    parser.add_argument("--envoy", action="append")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    prefix = isolation.prefix()
    if not options.inside and not prefix:
        print("no network namespace can be made here")
        return 77
    if not options.inside:
        return subprocess.run(
            prefix + [sys.executable, __file__, "--inside"] + sys.argv[1:],
            check=False,
            timeout=300,
            env=isolation.environment(prefix),
        ).returncode
    isolation.enter()
    wrong = []
    for version in options.envoy or VERSIONS:
        with tempfile.TemporaryDirectory() as folder:
            wrong += play(options, version, folder)
    print("\n".join(wrong) or "every request ends where debrief says")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
