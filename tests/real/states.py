"""The states: one row each, with what it is, how it is played and what debrief must conclude.

`expect` holds the finding ids that may stand at rank 1; None means a healthy proxy: no finding above info. Where an
older Envoy's evidence proves less, `expect_old` (1.36) differs. `asks` says that debrief must also ask for the evidence
that would tell more, because no cause can be proven; `never` holds ids that would claim too much.
"""
import signal
from collections import namedtuple
from functools import partial

import envoy_config as config
import plays
import traffic_plays as traffic
from certificates import DAY

VERSIONS = ("1.36.4", "1.40.0")

DENIED = ("Unauthorized to perform appmesh:StreamAggregatedResources for "
          "arn:aws:appmesh:us-west-2:123456789012:mesh/m/virtualNode/n")
NOT_FOUND = "Mesh m or virtualNode n not found"
NO_TOKEN = "Missing Authentication Token"
UNAVAILABLE = "management server is shutting down"

# An empty 13 of google_grpc proves that there is no connection and nothing more (facts 2.3).
NO_CONNECTION = ("ems-connection.not-connected", "grpc-codes.internal")
SPECIFIC = tuple("ems-connection." + each for each in (
    "refused", "timeout", "dns-failed", "dns-unreachable", "tls-untrusted", "tls-unverified", "tls-expired",
    "clock-skew", "tls-name-mismatch", "protocol-mismatch", "self-captured", "no-answer"))

State = namedtuple("State", "name about play expect expect_old asks asks_old never seconds needs alive warns")


def _state(name, about, play, expect, *, expect_old=None, asks=False, asks_old=False, never=(), seconds=12, needs=(),
           alive=True, warns=False):
    """A row. seconds: about how long it takes; needs: `namespace` or `root`; alive: whether the proxy still runs; warns:
    what is found is a warning, so no call fails for it."""
    as_tuple = (expect,) if isinstance(expect, str) else expect
    old = (expect_old,) if isinstance(expect_old, str) else expect_old or as_tuple
    return State(name, about, play, as_tuple, old, asks, asks or asks_old, never, seconds, needs, alive,
                 warns)


def _closing(name, code, text, expect, **options):
    """The same close through Envoy's own gRPC client and through Google's, which App Mesh uses."""
    about = "the server closes each stream with %d, '%s'" % (code, text)
    extra = {key: options.pop(key) for key in ("back_off", "lines") if key in options}
    return [
        _state(name, about, partial(plays.closes, code=code, text=text, **extra), expect, **options),
        _state(name + "-google", about + " (google_grpc)",
               partial(plays.closes, code=code, text=text, client="google", **extra), expect, **options)]


def _unconnected(name, about, play, **options):
    """A link that Google's client cannot make: nothing tells why."""
    return _state(name, about + " (google_grpc: an empty 13 tells nothing more)", partial(play, client="google"),
                  NO_CONNECTION, asks=True, never=SPECIFIC, **options)


def _certificate(name, about, expect, **how):
    """A server certificate that is refused. Envoy 1.36 has one text for all causes but a wrong name."""
    return _state(name, about, partial(plays.bad_certificate, **how), expect,
                  expect_old="ems-connection.tls-unverified", asks_old=True)


STATES = (
    _closing("closed-3", 3, NOT_FOUND, "grpc-codes.resource-not-found")
    + _closing("closed-7", 7, DENIED, "grpc-codes.permission-denied")
    + _closing("closed-16", 16, NO_TOKEN, "grpc-codes.no-credentials")
    + _closing("closed-14", 14, UNAVAILABLE, "grpc-codes.unavailable", back_off=None, lines=1, seconds=65)
    + [
        _state("graceful-close", "the server ends two streams in order after 4 s each and serves on",
               plays.recycles, None, seconds=20),
        _state("graceful-close-google", "the same (google_grpc)", partial(plays.recycles, client="google"), None,
               seconds=20),

        _state("refused", "nobody listens where the management server should be", plays.refused,
               "ems-connection.refused"),
        _unconnected("refused-google", "nobody listens", plays.refused),
        _state("black-hole", "every packet to the management server vanishes", plays.black_hole,
               "ems-connection.timeout", needs=("namespace",)),
        _unconnected("black-hole-google", "every packet vanishes", plays.black_hole, needs=("namespace",), seconds=30),
        _state("silent", "the server accepts the stream and never answers", plays.silent, "ems-connection.no-answer",
               seconds=25),
        _state("silent-tcp", "the server accepts the TCP connection and never speaks",
               partial(plays.silent, speaks_http2=False), "ems-connection.no-answer", seconds=25),
        # Longer than the 20 s after which Google's client gives up a connection that never spoke: only then does
        # the silence prove a stream.
        _state("silent-google", "the server accepts the stream and never answers (google_grpc)",
               partial(plays.silent, client="google", lasts=30), "ems-connection.no-answer", seconds=32),
        _state("silent-tcp-google",
               "the server accepts the TCP connection and never speaks (google_grpc: an empty 13 after 20 s)",
               plays.silent_tcp_google, NO_CONNECTION, asks=True, never=SPECIFIC, seconds=30),
        _state("dns-nxdomain", "the management server's name does not exist", plays.no_such_name,
               "ems-connection.dns-failed"),
        _state("dns-silent", "the resolver never answers", partial(plays.no_such_name, answer="silent"),
               "ems-connection.dns-unreachable", seconds=25),

        _certificate("tls-untrusted", "the server's certificate is signed by an authority that the proxy does not know",
                     "ems-connection.tls-untrusted", trusted=False),
        _certificate("tls-expired", "the server's certificate expired yesterday", "ems-connection.tls-expired",
                     begins=-30 * DAY, ends=-DAY),
        _certificate("tls-not-yet-valid", "the server's certificate begins tomorrow", "ems-connection.clock-skew",
                     begins=DAY),
        _state("tls-wrong-name", "the server's certificate is made out to another name",
               partial(plays.bad_certificate, name="other.example.com"), "ems-connection.tls-name-mismatch"),
        _unconnected("tls-untrusted-google", "the proxy does not know the certificate's authority",
                     partial(plays.bad_certificate, trusted=False)),
        # Connection termination: a server that accepts and closes without a word looks the same [measured].
        _state("plain-to-tls", "the proxy speaks plain text, the server TLS", plays.plain_to_tls,
               ("ems-connection.protocol-mismatch", "ems-connection.not-connected")),
        _state("tls-to-plain", "the proxy speaks TLS, the server plain text", plays.tls_to_plain,
               "ems-connection.protocol-mismatch"),
        _unconnected("plain-to-tls-google", "the proxy speaks plain text, the server TLS", plays.plain_to_tls),

        _state("cds-without-lds", "the server answers CDS and EDS, never LDS",
               partial(plays.unanswered, kinds=("LDS", "RDS"), state="INITIALIZING"),
               ("probes.listeners-unanswered", "probes.initializing"), seconds=25),
        _state("eds-warming", "cluster orders waits for its endpoints (EDS is never answered)",
               partial(plays.unanswered, kinds=("EDS",), state="PRE_INITIALIZING"),
               ("probes.eds-unanswered", "probes.pre-initializing"), seconds=25),
        _state("rds-unanswered", "listener ingress waits for its routes (RDS is never answered)",
               partial(plays.unanswered, kinds=("RDS",), state="INITIALIZING"),
               ("probes.routes-unanswered", "probes.initializing"), seconds=25),
        _state("sds-unanswered", "listener ingress waits for its certificate (SDS is never answered)",
               partial(plays.unanswered, kinds=("SDS",), state="INITIALIZING", secret="ingress-certificate"),
               ("probes.secret-unanswered", "probes.initializing"), seconds=25),
        _state("live-unconfigured", "the server is silent, the first wait is short: LIVE with nothing to serve",
               partial(plays.silent, first_wait="2s"), "ems-connection.no-answer"),

        _state("low-port", "a listener on port 80, the proxy runs as nobody", plays.low_port, "low-ports.bind-denied",
               needs=("namespace", "root")),
        _state("port-taken", "another program has the listener's port", plays.port_taken, "low-ports.address-in-use"),
        _state("twin-filter-chains", "a listener with the same filter chain conditions twice is refused",
               partial(plays.rejects, change=config.twin_chains, text="same matching rules"),
               "config-rejected.duplicate-filter-chain"),
        _state("missing-extension", "a listener with an unknown filter is refused; /config_dump is then unreadable",
               partial(plays.rejects, change=config.unknown_filter, text="example.Unknown"),
               "config-rejected.missing-extension"),
        _state("duplicate-address", "a second listener on the address of the first is refused",
               partial(plays.rejects, change=config.duplicate_address, text="duplicate address"),
               "config-rejected.duplicate-address"),
        _state("unknown-field", "a listener with a field from the future is refused (the proxy is told to be strict)",
               partial(plays.rejects, change=config.unknown_field, text="unknown field",
                       options=("--reject-unknown-dynamic-fields",)), "config-rejected.unknown-field"),
        _state("unknown-field-ignored", "the same where it is not: the field is ignored, the listener serves",
               partial(plays.rejects, change=config.unknown_field, text="Unknown field", counter=None), None),
        _state("constraint", "a listener that breaks a rule of the API is refused; the reason is the last of many lines",
               partial(plays.rejects, change=config.empty_prefix, text="Proto constraint validation failed"),
               "config-rejected.constraint-violated"),
        _state("unknown-cluster", "a listener whose own routes name a cluster that nobody sent is refused",
               partial(plays.rejects, change=config.unknown_cluster, text="unknown cluster"),
               "config-rejected.unknown-cluster"),
        _state("host-name", "a listener with a host name for an address is refused",
               partial(plays.rejects, change=config.host_name, text="malformed IP address"),
               "config-rejected.invalid-address"),
        _state("bad-ring", "a cluster with impossible settings is refused, and may stay among the warming ones",
               partial(plays.rejects, change=config.bad_ring, text="ring",
                       counter="cluster_manager.cds.update_rejected"), "config-rejected.rejected"),
        _state("deprecated-field", "a cluster with a deprecated field is refused (the proxy is told to be strict)",
               partial(plays.rejects, change=config.old_field, text="deprecated option",
                       counter="cluster_manager.cds.update_rejected", more=config.NO_DEPRECATED),
               "config-rejected.deprecated-field"),
        _state("bad-secret", "the listener's certificate is none",
               partial(plays.rejects, change=config.bad_secret, text="certificate", counter=None),
               "config-rejected.invalid-secret"),
        _state("last-good", "a listener that serves is changed; the change is refused",
               partial(plays.changes, first=None, then=config.twin_chains, text="same matching rules"),
               "config-rejected.duplicate-filter-chain", seconds=15),
        _state("mended", "a listener that was refused is mended", partial(
            plays.changes, first=config.twin_chains, then=None, text="same matching rules"), None, seconds=15),
        _state("fetch-timeout", "the server never answers LDS, and the proxy waits 2 s: LIVE with nothing to serve",
               partial(plays.gives_up, kinds=("LDS", "RDS")), "config-rejected.fetch-timed-out"),
        _state("crashed", "a serving proxy gets a SIGSEGV", partial(plays.ends, number=signal.SIGSEGV),
               "proxy-process.crashed", alive=False),
        _state("base-id-taken", "a second proxy with the base id of a running one exits", plays.base_id_taken,
               "proxy-process.hot-restart-clash", alive=False),
        _state("few-files", "many clients, and the proxy may open 48 files", plays.few_files,
               "proxy-process.file-descriptors"),
        _state("overloaded", "the overload manager refuses requests", plays.overloaded, "proxy-process.overload",
               warns=True),
        _state("admin-port-taken", "another program has the admin port: the proxy exits", plays.admin_port_taken,
               "low-ports.admin-port-in-use", alive=False),

        _state("draining", "POST /healthcheck/fail on a serving proxy",
               partial(plays.drained, path="/healthcheck/fail", state="DRAINING"), "probes.draining", seconds=15),
        _state("listener-drained", "POST /drain_listeners on a serving proxy: LIVE, yet closed",
               partial(plays.drained, path="/drain_listeners", state="LIVE"), "probes.listener-drained", seconds=15),
        _state("healthy", "a serving proxy: 200s, a load balancer's checks, one 404 of the application", plays.healthy,
               None),
        _state("gateway-by-address", "the routes want a host name, the checker comes with the address: 404 NR",
               plays.gateway_by_address, "lb-health.wrong-host"),
    ]
    + [
        _state("traffic-served", "requests are served; one comes for a host that nobody routes", traffic.served, None),
        _state("upstream-refused", "nobody listens where the application should be", traffic.refused,
               "upstreams.connect-fail"),
        _state("upstream-unresolved", "the cluster's DNS name does not exist", traffic.unresolved,
               "upstreams.endpoints-missing"),
        _state("upstream-unhealthy", "the application fails its health check", traffic.unhealthy,
               "upstreams.no-healthy-host", seconds=15),
        _state("pending-overflow", "more requests wait than max_pending_requests",
               partial(traffic.overflowing, max_connections=1, max_pending_requests=1), "upstreams.pending-overflow"),
        _state("request-overflow", "more requests run than max_requests", partial(traffic.overflowing, max_requests=1),
               "upstreams.request-overflow"),
        _state("no-route", "the routes know the host, not the path", traffic.unrouted, "upstreams.no-route"),
        _state("no-filter-chain", "no filter chain is for the server name that clients send", traffic.unmatched,
               "upstreams.no-filter-chain"),
        _state("upstream-untrusted", "the application's certificate is from an unknown authority",
               traffic.bad_upstream_certificate, "upstreams.tls-verify-failed"),
        _state("upstream-wrong-name", "the application's certificate has another name",
               partial(traffic.bad_upstream_certificate, known=True, name="other.example.com"),
               "upstreams.tls-verify-failed"),
        _state("certificate-expiring", "the listener's certificate ends in two days",
               partial(traffic.certificate_from_to, begins=-88 * DAY, ends=2 * DAY), "certificates.expiring", warns=True),
        _state("certificate-expired", "the listener's certificate has expired",
               partial(traffic.certificate_from_to, begins=-88 * DAY, ends=-DAY), "certificates.expired"),
        _state("certificate-early", "the listener's certificate is not valid yet",
               partial(traffic.certificate_from_to, begins=DAY, ends=30 * DAY), "certificates.not-yet-valid"),
        _state("certificate-workload", "a certificate of 24 hours at its half: the next one is due, nothing is wrong",
               partial(traffic.certificate_from_to, begins=-DAY // 2, ends=DAY // 2), None),
        _state("certificate-unrotated", "a certificate of 24 hours with one hour left: nobody rotated it",
               partial(traffic.certificate_from_to, begins=-23 * DAY // 24, ends=DAY // 24), "certificates.expiring",
               warns=True),
        _state("upstream-trusted", "the application speaks TLS with a certificate that the proxy trusts",
               traffic.trusted_upstream, None),
        _state("upstream-other-root", "the application's chain ends in another root; it was looked at by hand",
               partial(traffic.trusted_upstream, signer="Other CA", status=503), "certificates.root-mismatch"),
        _state("upstream-root-replaced", "the application's root has the name of the trusted one, and another key",
               partial(traffic.trusted_upstream, signer="Known CA", status=503), "certificates.root-mismatch"),
        _state("upstream-self-signed", "the application's certificate is signed by itself; it was looked at by hand",
               traffic.self_signed_upstream, "certificates.untrusted"),
        _state("upstream-expired", "the application's certificate has expired; it was looked at by hand",
               traffic.old_upstream_certificate, "certificates.expired"),
    ])

BY_NAME = {state.name: state for state in STATES}


def expected(state, version):
    """The ids that may stand at rank 1 for a version; None for a healthy proxy."""
    return state.expect_old if version.startswith("1.36.") else state.expect


def must_ask(state, version):
    """Whether the evidence of that version leaves something that debrief must ask for."""
    return state.asks_old if version.startswith("1.36.") else state.asks
