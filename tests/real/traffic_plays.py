"""Plays of traffic: a proxy with a static configuration whose requests go wrong, each for one reason."""
import concurrent.futures
import os
import socket
import ssl
import threading
import time

import certificates
import envoy_config as config
from scene import LOOPBACK, Trouble, request

TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3."
HOST = "shop.example.com"
NAME = "orders.example.com"


def _cluster(scene, **fields):
    """The one cluster behind the proxy: the application."""
    return dict({"name": "orders", "connect_timeout": "1s", "type": "STATIC",
                 "load_assignment": config.endpoints("orders", LOOPBACK, scene.ports["app"])}, **fields)


def _listener(scene, domains=("*",), prefix="/", match=None, certificate=None):
    router = {"name": "envoy.filters.http.router", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}
    manager = {
        "@type": ("type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3"
                  ".HttpConnectionManager"),
        "stat_prefix": "ingress", "http_filters": [router],
        "access_log": [{"name": "envoy.access_loggers.file", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": scene.access_log}}],
        "route_config": {"name": "shop", "virtual_hosts": [{"name": "shop", "domains": list(domains), "routes": [
            {"match": {"prefix": prefix}, "route": {"cluster": "orders"}}]}]}}
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    fields = {"name": "ingress", "address": config.address("0.0.0.0", scene.ports["ingress"]),
              "traffic_direction": "INBOUND", "filter_chains": [chain]}
    if certificate:
        chain["transport_socket"] = {"name": "envoy.transport_sockets.tls", "typed_config": {
            "@type": TLS + "DownstreamTlsContext", "common_tls_context": {"tls_certificates": [
                {"certificate_chain": {"filename": certificate[0]}, "private_key": {"filename": certificate[1]}}]}}}
    if match:
        chain["filter_chain_match"] = match
        fields["listener_filters"] = [{"name": "envoy.filters.listener.tls_inspector", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"}}]
    return fields


def _start(scene, cluster=None, **listener):
    scene.start_envoy({
        "node": {"id": "edge-1", "cluster": "shop"},
        "admin": {"address": config.address(LOOPBACK, scene.ports["admin"])},
        "static_resources": {"clusters": [cluster or _cluster(scene)], "listeners": [_listener(scene, **listener)]}})
    scene.wait_state("LIVE")


def _ask(scene, path="/orders", host=HOST):
    return request(scene.ports["ingress"], path, host=host)[0]


def _expect(scene, status, times=6, **question):
    answers = [_ask(scene, **question) for _ in range(times)]
    if answers != [status] * times:
        raise Trouble("unexpected answers: %s" % answers)
    scene.settle()


def served(scene):
    """Everything works; two requests that nobody routes are a caller's mistake, not the proxy's."""
    scene.start_app()
    _start(scene, domains=(HOST,))
    _expect(scene, 200, times=20)
    _expect(scene, 404, times=1, host="scanner.invalid")


def refused(scene):
    """Nobody listens where the application should be."""
    _start(scene)
    _expect(scene, 503)


def unresolved(scene):
    """The cluster's DNS name does not exist."""
    scene.start_dns("nxdomain")
    cluster = _cluster(scene, type="STRICT_DNS", load_assignment=config.endpoints("orders", "orders.invalid", 80),
                       typed_dns_resolver_config=config.resolver(LOOPBACK, scene.ports["dns"]))
    _start(scene, cluster)
    _expect(scene, 503)


def unhealthy(scene):
    """The application fails its active health check, and panic mode is off."""
    scene.start_app()
    check = {"timeout": "1s", "interval": "1s", "no_traffic_interval": "1s", "unhealthy_threshold": 1,
             "healthy_threshold": 1, "http_health_check": {"path": "/health"}}
    _start(scene, _cluster(scene, health_checks=[check], common_lb_config={"healthy_panic_threshold": {"value": 0}}))
    scene.wait_stat("cluster.orders.health_check.failure", 3)
    _expect(scene, 503)


class _Slow:
    """An application that takes connections and answers no request."""

    def __init__(self, port):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((LOOPBACK, port))
        self.socket.listen(64)

    def close(self):
        """As the scene's other holders."""
        self.socket.close()


def overflowing(scene, **limits):
    """More requests at once than a circuit breaker lets through, while it is looked at."""
    scene.held.append(_Slow(scene.ports["app"]))
    threshold = dict({"priority": "DEFAULT"}, **limits)
    _start(scene, _cluster(scene, circuit_breakers={"thresholds": [threshold]}))

    def hang():
        try:
            connection = socket.create_connection((LOOPBACK, scene.ports["ingress"]), timeout=60)
            connection.sendall(b"GET /orders HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")
            scene.held.append(connection)
        except OSError:
            pass
    for _ in range(2):
        hang()
        time.sleep(0.5)
    _expect(scene, 503)


def unrouted(scene):
    """The routes know the host, not the path."""
    scene.start_app()
    _start(scene, domains=(HOST,), prefix="/api/")
    _expect(scene, 404)


def _handshakes(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


def _answer(connection):
    """One request, if one comes, and one answer."""
    with connection:
        if connection.recv(4096):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n")


def _serve_tls(scene, certificate):
    listening = socket.create_server((LOOPBACK, scene.ports["app"]), backlog=16)
    scene.held.append(listening)
    context = _handshakes(certificate)

    def serve():
        while True:
            try:
                connection, _ = listening.accept()
                _answer(context.wrap_socket(connection, server_side=True))
            except ssl.SSLError:
                continue
            except OSError:
                if listening.fileno() < 0:
                    return
    threading.Thread(target=serve, daemon=True).start()


def bad_upstream_certificate(scene, known=False, name=NAME):
    """The application's certificate comes from an authority that the proxy does not trust, or has another name."""
    authority = certificates.Authority(os.path.join(scene.work, "known"), "Known CA")
    other = authority if known else certificates.Authority(os.path.join(scene.work, "other"), "Other CA")
    _serve_tls(scene, other.issue(name))
    _start(scene, _cluster(scene, transport_socket=config.client_tls(authority.certificate, NAME)))
    _expect(scene, 503)


def _inline_trust(authority):
    """A TLS client whose configuration holds the authority itself."""
    fields = config.client_tls(authority.certificate, NAME)
    with open(authority.certificate, encoding="ascii") as source:
        fields["typed_config"]["common_tls_context"]["validation_context"]["trusted_ca"] = {
            "inline_string": source.read()}
    return fields


def trusted_upstream(scene, signer=None, status=200):
    """The application speaks TLS, with a certificate of the authority that the cluster holds, or of another one that
    has this name; somebody looked at the chain by hand."""
    known = certificates.Authority(os.path.join(scene.work, "known"), "Known CA")
    authority = certificates.Authority(os.path.join(scene.work, "other"), signer) if signer else known
    certificate, key = authority.issue(NAME)
    _serve_tls(scene, (authority.bundle(certificate), key))
    _start(scene, _cluster(scene, transport_socket=_inline_trust(known)))
    _expect(scene, status)
    scene.by_hand["s_client.txt"] = certificates.show(LOOPBACK, scene.ports["app"], name=NAME)


def self_signed_upstream(scene):
    """The application's certificate is signed by itself; somebody looked at it by hand."""
    known = certificates.Authority(os.path.join(scene.work, "known"), "Known CA")
    _serve_tls(scene, certificates.self_signed(os.path.join(scene.work, "other"), NAME))
    _start(scene, _cluster(scene, transport_socket=_inline_trust(known)))
    _expect(scene, 503)
    scene.by_hand["s_client.txt"] = certificates.show(LOOPBACK, scene.ports["app"], name=NAME)


def old_upstream_certificate(scene):
    """The application's certificate has expired; somebody looked at it by hand."""
    authority = certificates.Authority(os.path.join(scene.work, "known"), "Known CA")
    _serve_tls(scene, authority.issue(NAME, begins=-88 * certificates.DAY, ends=-certificates.DAY))
    _start(scene, _cluster(scene, transport_socket=config.client_tls(authority.certificate, NAME)))
    _expect(scene, 503)
    scene.by_hand["s_client.txt"] = certificates.show(LOOPBACK, scene.ports["app"], name=NAME)


def unmatched(scene):
    """A listener for one server name; clients come with another one."""
    authority = certificates.Authority(os.path.join(scene.work, "known"), "Known CA")
    scene.start_app()
    _start(scene, certificate=authority.issue(HOST), match={"server_names": [HOST]})
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE

    def shake():
        with socket.create_connection((LOOPBACK, scene.ports["ingress"]), timeout=5) as connection:
            try:
                with context.wrap_socket(connection, server_hostname="shop.example.org"):
                    return "accepted"
            except OSError:
                return "closed"
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: shake(), range(6)))
    if answers != ["closed"] * 6:
        raise Trouble("unexpected handshakes: %s" % answers)
    scene.settle()


def certificate_from_to(scene, begins, ends):
    """A listener that serves a certificate which is valid between two times, in seconds from now."""
    authority = certificates.Authority(os.path.join(scene.work, "known"), "Known CA")
    scene.start_app()
    _start(scene, certificate=authority.issue(HOST, begins, ends))
    scene.settle()
