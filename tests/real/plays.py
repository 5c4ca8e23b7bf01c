"""How each state is brought about: a play starts a server and a proxy and returns once the state can be seen.

A play gets a Scene; what differs between states is its arguments, so that a state is one row of states.py.
"""
import os
import socket
import subprocess
import time

import envoy_config as config
from certificates import DAY, Authority
from scene import LOOPBACK, Trouble, request

NODE = "shop-gateway-1"
MESH_NODE = "mesh/m/virtualNode/n"
NAME = "xds.example.com"
FASTER = "4s"         # longest back-off: a retriable failure is then logged after 5 s instead of 31 to 60
LASTING = 20          # seconds after which a silence is a silence and no start-up any more
UNANSWERED = "192.0.2.10"
CHECKER = "ELB-HealthChecker/2.0"


def _start_proxy(scene, client="envoy", back_off=FASTER, first_wait="0s", host=LOOPBACK, authority=None, dns=None,
                 more=None, **how):
    """Start an Envoy that takes its configuration from the management server with one of the two gRPC clients."""
    port = scene.ports["xds"]
    if client == "google":
        boot = config.bootstrap(MESH_NODE, scene.ports["admin"], config.google_grpc(host, port, authority),
                                first_wait=first_wait)
    else:
        tls = config.client_tls(authority, NAME) if authority else None
        cluster = config.xds_cluster(host, port, tls, dns)
        boot = config.bootstrap(NODE, scene.ports["admin"], config.envoy_grpc(back_off), [cluster], first_wait)
    scene.start_envoy(dict(boot, **(more or {})), **how)


def _closed(scene, times):
    """Wait for so many lines that tell a closed stream."""
    method = "StreamAggregatedResources gRPC config stream to"
    scene.wait("%d lines of closed streams" % times,
               lambda: sum(method in line and " closed" in line for line in scene.log().splitlines()) >= times, 90)
    scene.settle()


def _full(scene, domains=("*",), port=None, log=True):
    """Everything a small gateway needs: listener, routes, cluster, endpoints."""
    log_path = scene.access_log if log else None
    return {
        "LDS": [config.listener("ingress", port or scene.ports["ingress"], "ingress-routes", log_path)],
        "RDS": [config.routes("ingress-routes", "orders", domains)],
        "CDS": [config.eds_cluster("orders")],
        "EDS": [config.endpoints("orders", LOOPBACK, scene.ports["app"])]}


def _serving(scene):
    """Wait until the proxy is live and its listener accepts."""
    scene.wait_state("LIVE")
    scene.wait_stat("listener_manager.workers_started")
    scene.settle()


def _ask(scene, path, **options):
    """One request through the proxy: its status, or None if nobody listens."""
    try:
        return request(scene.ports["ingress"], path, **options)[0]
    except OSError:
        return None


def _logged(scene, lines):
    """Wait until the access log has so many lines: it is written with a delay."""
    def enough():
        try:
            with open(scene.access_log, encoding="utf-8") as log:
                return sum(1 for _ in log) >= lines
        except FileNotFoundError:
            return False
    scene.wait("%d access log lines" % lines, enough)


def _rejected(scene, text):
    """Wait until a listener was refused for that reason."""
    scene.wait_log(text)
    scene.wait_stat("listener_manager.lds.update_rejected")
    scene.wait_state("LIVE")
    scene.settle()


# The link to the management server

def closes(scene, code, text, client="envoy", back_off=FASTER, lines=4):
    """The server ends each stream with a code of its own."""
    scene.start_xds("--close-code", str(code), "--close-text", text)
    _start_proxy(scene, client, back_off)
    _closed(scene, lines)


def recycles(scene, client="envoy"):
    """The server serves, ends two streams in order after a while each, and serves on: nothing is wrong."""
    scene.start_app()
    scene.start_xds("--recycle", "4", "2", resources=_full(scene))
    _start_proxy(scene, client)
    _serving(scene)
    log = os.path.join(scene.work, "xds_server.py.log")

    def ended():
        with open(log, encoding="utf-8") as source:
            return source.read().count("gracefully")
    scene.wait("two graceful closes", lambda: ended() >= 2)
    scene.wait_stat("cluster_manager.cds.update_success", 3)
    scene.wait_stat("control_plane.connected_state")


def refused(scene, client="envoy"):
    """Nobody listens where the management server should be."""
    _start_proxy(scene, client)
    _closed(scene, 3 if client == "google" else 1)


def black_hole(scene, client="envoy"):
    """Every packet to the management server vanishes: the neighbour's hardware address is nobody's."""
    for command in ("link add hole type veth peer name nowhere", "addr add 192.0.2.1/24 dev hole",
                    "link set hole up", "link set nowhere up",
                    "neigh add %s lladdr 02:00:00:00:00:10 dev hole nud permanent" % UNANSWERED):
        subprocess.run(["ip"] + command.split(), check=True, timeout=10)
    _start_proxy(scene, client, host=UNANSWERED)
    _closed(scene, 1)


def silent(scene, client="envoy", speaks_http2=True, first_wait="0s", lasts=LASTING):
    """The server takes the connection, and the stream too if it speaks HTTP/2, and never answers."""
    if speaks_http2:
        scene.start_xds()
    else:
        scene.hold_port("xds")
    _start_proxy(scene, client, first_wait=first_wait)
    if first_wait == "0s":
        scene.stays("PRE_INITIALIZING", lasts)
    else:
        scene.wait_log("initial fetch timed out", 2)
        scene.wait_state("LIVE")
        scene.settle()


def silent_tcp_google(scene):
    """As silent without HTTP/2, but Google's client gives up after 20 s, and tries again."""
    scene.hold_port("xds")
    _start_proxy(scene, "google")
    _closed(scene, 1)


def bad_certificate(scene, client="envoy", trusted=True, name=NAME, begins=-DAY, ends=30 * DAY):
    """The server's certificate is wrong in one way."""
    signer = Authority(os.path.join(scene.work, "signer"), "signing authority")
    trust = signer if trusted else Authority(os.path.join(scene.work, "other"), "another authority")
    scene.start_xds("--tls", *signer.issue(name, begins, ends), resources=_full(scene))
    _start_proxy(scene, client, authority=trust.certificate)
    _closed(scene, 3 if client == "google" else 1)


def plain_to_tls(scene, client="envoy"):
    """The proxy speaks plain text, the server TLS."""
    scene.start_xds("--tls", *Authority(os.path.join(scene.work, "signer"), "signing authority").issue(NAME))
    _start_proxy(scene, client)
    _closed(scene, 3 if client == "google" else 1)


def tls_to_plain(scene, client="envoy"):
    """The proxy speaks TLS, the server plain text."""
    scene.start_xds()
    _start_proxy(scene, client, authority=Authority(os.path.join(scene.work, "signer"), "an authority").certificate)
    _closed(scene, 3 if client == "google" else 1)


def no_such_name(scene, answer="nxdomain"):
    """The management server's name does not resolve; or the resolver never answers, then no stream is even tried."""
    scene.start_dns(answer)
    _start_proxy(scene, host="xds.shop.invalid", dns=config.resolver(LOOPBACK, scene.ports["dns"]))
    if answer == "nxdomain":
        _closed(scene, 1)
    else:
        scene.stays("PRE_INITIALIZING", LASTING)


# Start-up that does not end

def unanswered(scene, kinds, state, secret=None):
    """The server answers everything except some kinds of resources, and the proxy waits for them for ever."""
    resources = {kind: each for kind, each in _full(scene).items() if kind not in kinds}
    if secret:
        config.serve_tls(resources["LDS"][0], secret)
    scene.start_xds(resources=resources)
    _start_proxy(scene)
    scene.stays(state, LASTING)


# Listeners and ports

def low_port(scene):
    """A listener on port 80, and the proxy runs as nobody."""
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", "w", encoding="ascii") as limit:
        limit.write("1024\n")
    scene.start_xds(resources=_full(scene, port=80, log=False))
    _start_proxy(scene, as_nobody=True)
    _rejected(scene, "Permission denied")


def port_taken(scene):
    """The listener's port belongs to another program."""
    scene.hold_port("ingress")
    scene.start_xds(resources=_full(scene))
    _start_proxy(scene)
    _rejected(scene, "Address already in use")


def rejects(scene, change, text, counter="listener_manager.lds.update_rejected", **how):
    """The proxy refuses something of the server's for a reason of its own; change(resources, ports) makes it so."""
    full = _full(scene)
    change(full, scene.ports)
    scene.start_xds(resources=full)
    _start_proxy(scene, **how)
    scene.wait_log(text)
    if counter:
        scene.wait_stat(counter)
    scene.wait_state("LIVE")
    scene.settle()


def changes(scene, first, then, text):
    """The server changes its mind after a while; one of the two is refused. first and then are changes, or None."""
    served = []
    for change in (first, then):
        full = _full(scene)
        if change:
            change(full, scene.ports)
        served.append(full)
    scene.start_app()
    scene.start_xds(resources=served[0], then=served[1])
    _start_proxy(scene)
    scene.wait_log(text)
    scene.wait_stat("listener_manager.lds.update_attempt", 3)
    _serving(scene)


def gives_up(scene, kinds):
    """The server never answers some kinds, and the proxy waits for them only a while: LIVE without them."""
    resources = {kind: each for kind, each in _full(scene).items() if kind not in kinds}
    scene.start_xds(resources=resources)
    _start_proxy(scene, first_wait="2s")
    scene.wait_log("initial fetch timed out")
    scene.wait_state("LIVE")
    scene.settle()


def admin_port_taken(scene):
    """The admin port belongs to another program: the proxy exits at once and only its log remains."""
    scene.hold_port("admin")
    scene.start_xds(resources=_full(scene))
    _start_proxy(scene)
    scene.wait("the proxy's exit", lambda: scene.envoy.poll() is not None)
    if "Address already in use" not in scene.log():
        raise Trouble("the proxy died of something else")


# The process

def ends(scene, number):
    """A serving proxy is ended by a signal: only its log remains."""
    healthy(scene)
    scene.envoy.send_signal(number)
    scene.wait("the proxy's exit", lambda: scene.envoy.poll() is not None)


def base_id_taken(scene):
    """A proxy with the same base id runs already: the second one exits."""
    scene.start_xds(resources=_full(scene))
    path = os.path.join(scene.work, "base-id")
    _start_proxy(scene, options=("--base-id-path", path))
    scene.wait_state("LIVE")
    with open(path, encoding="ascii") as source:
        number = source.read().strip()
    os.truncate(scene.log_path, 0)
    _start_proxy(scene, base_id="--base-id " + number)
    scene.wait("the second proxy's exit", lambda: scene.envoy.poll() is not None)


def _crowd(scene, connections):
    """Clients that all ask at once, and go again."""
    clients = [socket.create_connection((LOOPBACK, scene.ports["ingress"]), timeout=5) for _ in range(connections)]
    for client in clients:
        client.sendall(b"GET /orders HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")
    time.sleep(2)
    for client in clients:
        client.close()


def few_files(scene, limit=48, connections=160):
    """The proxy may open few files, and many clients come: again and again, because only a socket towards the
    application that cannot be had is worth a line to Envoy, and clients may take all of them."""
    scene.start_app()
    scene.start_xds(resources=_full(scene))
    _start_proxy(scene, open_files=limit)
    _serving(scene)
    for crowd in range(20):
        _crowd(scene, connections - 7 * crowd)
        if "Too many open files" in scene.log():
            break
    scene.wait_log("Too many open files")
    time.sleep(2)


def overloaded(scene):
    """The overload manager finds the heap too large and refuses requests."""
    scene.start_app()
    scene.start_xds(resources=_full(scene))
    _start_proxy(scene, more={"overload_manager": config.tiny_heap()})
    _serving(scene)
    scene.wait_stat("overload.envoy.overload_actions.stop_accepting_requests.active")
    answers = [_ask(scene, "/orders", host="shop.example.com") for _ in range(6)]
    if answers != [503] * 6:
        raise Trouble("unexpected answers: %s" % answers)
    time.sleep(1)


# A proxy that works, or did

def healthy(scene):
    """Traffic, a load balancer's checks, one request for a page that is not there."""
    scene.start_app()
    scene.start_xds(resources=_full(scene))
    _start_proxy(scene)
    _serving(scene)
    answers = [_ask(scene, "/orders", host="shop.example.com") for _ in range(12)]
    answers += [_ask(scene, "/ping", agent=CHECKER) for _ in range(4)]  # by address: the routes take any host
    answers.append(_ask(scene, "/favicon.ico", host="shop.example.com"))
    if answers != [200] * 16 + [404]:
        raise Trouble("unexpected answers: %s" % answers)
    _logged(scene, len(answers))


def gateway_by_address(scene):
    """The routes want a host name, the load balancer's checker comes with the address."""
    scene.start_app()
    scene.start_xds(resources=_full(scene, domains=("shop.example.com", "shop.example.com:*")))
    _start_proxy(scene)
    _serving(scene)
    answers = [_ask(scene, "/orders", host="shop.example.com") for _ in range(3)]
    for _ in range(8):
        answers.append(_ask(scene, "/ping", agent=CHECKER))
        time.sleep(0.5)
    if answers != [200] * 3 + [404] * 8:
        raise Trouble("unexpected answers: %s" % answers)
    _logged(scene, len(answers))


def drained(scene, path, state):
    """Somebody drained a serving proxy over its admin page (here: this driver; debrief never posts)."""
    healthy(scene)
    scene.admin(path, verb="POST")
    if state == "LIVE":
        scene.wait("a closed listener", lambda: _ask(scene, "/ping") is None)
    scene.wait_state(state)
    time.sleep(6)  # the gauges server.state and server.live follow at the next flush, 5 s apart
