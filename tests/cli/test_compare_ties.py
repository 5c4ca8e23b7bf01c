"""diff --compare: a difference is tied to a finding by what both are about and by how the one can come of the other; where
that is not known it is tied to nothing. Each fact is told once, and what every replica has of its own is none."""
import copy
import fnmatch
import json
import re
import shutil

import harness
from harness import Case, debrief

CASES = harness.TOP / "plugins"
HEALTHY = CASES / "probes/cases/healthy/evidence"
HEALTHY_136 = CASES / "ems-connection/cases/healthy/evidence"
TLS = {"name": "envoy.transport_sockets.tls", "typed_config": {
    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
    "sni": "orders.shop", "common_tls_context": {"validation_context": {"trusted_ca": {"filename": "/etc/certs/root.pem"}}}}}

# Sick and healthy recordings: (case, the difference that may explain it, the finding).
REASONS = [
    ("upstreams/pending-overflow", ("cluster", "orders", "thresholds"), "upstreams.pending-overflow"),
    ("upstreams/request-overflow-1.36", ("cluster", "orders", "thresholds"), "upstreams.request-overflow"),
    ("certificates/self-signed", ("cluster", "orders", "trust"), "upstreams.tls-verify-failed"),
    ("certificates/other-root-1.36", ("cluster", "orders", "trust"), "certificates.root-mismatch"),
    ("low-ports/low-port", ("listener", "ingress", "port"), "low-ports.bind-denied"),
    ("config-rejected/host-name", ("listener", "ingress", "address"), "config-rejected.invalid-address"),
    ("lb-health/wrong-host", ("route", "ingress-routes orders", "domains"), "lb-health.wrong-host"),
    ("lb-health/wrong-path", ("route", "ingress-routes orders prefix /orders 0", None), "lb-health.wrong-path"),
    ("ems-connection/black-hole", ("bootstrap", "ads", "address"), "ems-connection.timeout"),
    ("ems-connection/name-does-not-exist", ("bootstrap", "ads", "address"), "ems-connection.dns-failed"),
    ("ems-connection/tls-untrusted", ("bootstrap", "ads", "tls"), "ems-connection.tls-untrusted"),
]


def subject(row):
    return row["kind"], row["name"], row.get("column")


class Ties(Case):
    def compare(self, a, b, *more):
        done = debrief("diff", "--compare", a, b, "-o", "json", "--fail-on", "never", *more)
        self.assertStatus(done, 0)
        return json.loads(done.out)

    def ties(self, document, member="may_explain"):
        return {(subject(row), tie["finding"]) for row in document["differences"] for tie in row.get(member, ())}

    def changed(self, name, change=None, files=None, base=HEALTHY):
        """A copy of a recording whose dump was CHANGEd, with some files put in the place of others."""
        target = self.dir / name
        shutil.copytree(base, target)
        dump = json.loads((target / "admin/config_dump.json").read_text())
        if change:
            change(Dump(dump))
        (target / "admin/config_dump.json").write_text(json.dumps(dump))
        for path, edit in (files or {}).items():
            (target / path).write_text(edit((target / path).read_text()))
        return target


class Dump:
    """The parts of the healthy recording that tests change."""

    def __init__(self, dump):
        def of(kind):
            return next(each for each in dump["configs"] if each["@type"].endswith(f".{kind}ConfigDump"))
        self.cluster = of("Clusters")["dynamic_active_clusters"][0]["cluster"]
        self.server = of("Clusters")["static_clusters"][0]["cluster"]
        self.boot = of("Bootstrap")["bootstrap"]
        self.listener = of("Listeners")["dynamic_listeners"][0]["active_state"]["listener"]
        self.routes = of("Routes")["dynamic_route_configs"][0]["route_config"]

    def set_port(self, port):
        self.listener["address"]["socket_address"]["port_value"] = port

    def of_server(self):
        return self.server, self.boot["static_resources"]["clusters"][0]

    def set_server(self, address, port):
        for cluster in self.of_server():
            place = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]
            place.update(address=address, port_value=port)

    def set_limit(self, limit):
        self.cluster["circuit_breakers"] = {"thresholds": [{"max_requests": limit}]}

    def set_tls(self, *clusters):
        for cluster in clusters or [self.cluster]:
            cluster["transport_socket"] = copy.deepcopy(TLS)

    def set_route(self, path):
        self.routes["virtual_hosts"][0]["routes"][0]["match"] = {"prefix": path}


def drained(text):
    return text.replace('"LIVE"', '"DRAINING"').replace("LIVE", "DRAINING")


DRAINING = {"admin/server_info.json": drained, "admin/ready.txt": drained,
            "admin/stats.txt": lambda text: re.sub(r"(?m)^server\.state: .*$", "server.state: 1", text)}
# Two of each of six kinds: what is changed, and the one difference that tells it.
KINDS = {
    "tls": (lambda dump: dump.set_tls(), ("cluster", "orders", "tls")),
    "tls of the server": (lambda dump: dump.set_tls(*dump.of_server()), ("bootstrap", "ads", "tls")),
    "port": (lambda dump: dump.set_port(10443), ("listener", "ingress", "port")),
    "low port": (lambda dump: dump.set_port(81), ("listener", "ingress", "port")),
    "route": (lambda dump: dump.set_route("/v2"), ("route", "ingress-routes orders prefix / 0", None)),
    "domain": (lambda dump: dump.routes["virtual_hosts"][0].update(domains=["shop.test"]), ("route", "ingress-routes orders", "domains")),
    "breaker": (lambda dump: dump.set_limit(1), ("cluster", "orders", "thresholds")),
    "wide breaker": (lambda dump: dump.set_limit(100000), ("cluster", "orders", "thresholds")),
    "server's address": (lambda dump: dump.set_server("10.9.8.7", 18000), ("bootstrap", "ads", "address")),
    "server's port": (lambda dump: dump.set_server("127.0.0.1", 18001), ("bootstrap", "ads", "address")),
}


class Reasons(Ties):
    def test_the_reason_of_a_recorded_incident_is_tied_to_its_finding(self):
        for case, reason, finding in REASONS:
            with self.subTest(case):
                section, name = case.split("/")
                base = HEALTHY_136 if "1.36" in case else HEALTHY
                self.assertIn((reason, finding), self.ties(self.compare(base, CASES / section / "cases" / name / "evidence")))

    def test_what_has_nothing_to_do_with_it_is_not(self):
        """Draining comes of nothing in the configuration, whatever differs there."""
        for name, (change, told) in KINDS.items():
            with self.subTest(name):
                document = self.compare(HEALTHY, self.changed(name.replace(" ", "-"), change, DRAINING))
                self.assertIn("probes.draining", [each["finding"]["id"] for each in document["findings"]])
                self.assertIn(told, [subject(row) for row in document["differences"]])
                self.assertNotIn("probes.draining", [finding for _, finding in self.ties(document)])
                self.assertEqual({row for row, finding in self.ties(document, "sign_of") if finding == "probes.draining"},
                                 {("state", "", "state")})

    def test_an_expired_certificate_does_not_come_of_where_routes_come_from(self):
        document = self.compare(HEALTHY_136, CASES / "certificates/cases/expired-1.36/evidence")
        self.assertIn(("listener", "ingress", "routes_from"), [subject(row) for row in document["differences"]])
        self.assertEqual(self.ties(document), {(("listener", "ingress", "certificate"), "certificates.expired")})

    def test_another_cluster_of_the_same_sort_is_not_blamed(self):
        """The limits of one cluster do not make another one overflow."""
        def other(dump):
            dump.server["circuit_breakers"] = {"thresholds": [{"max_requests": 1}]}
        stats = {"admin/stats.txt": lambda text: text + "cluster.orders.upstream_rq_pending_overflow: 900\n"}
        document = self.compare(HEALTHY, self.changed("b", other, stats))
        self.assertIn(("cluster", "management_server", "thresholds"), [subject(row) for row in document["differences"]])
        self.assertEqual(self.ties(document), set())


class Table(Case):
    def test_every_glob_on_findings_fits_one(self):
        """A finding that is renamed must not lose its reasons in silence."""
        text = (harness.TOP / "core/compare/relations.c").read_text()
        rows = json.loads(debrief("list", "-o", "json").out)
        ids = {finding for row in rows for finding in row["findings"]}
        literals = {each for each in re.findall(r'"([^"\n]*)"', text) if "*" in each and " " not in each and ":" not in each}
        globs = {glob for each in literals for glob in each.split("|") if glob not in ("", "*")}
        self.assertGreater(len(globs), 40)
        self.assertEqual([glob for glob in globs if not any(fnmatch.fnmatchcase(name, glob) for name in ids)], [])


class Kinds(Ties):
    def test_two_of_each_kind_are_told_once_and_first(self):
        for name, (change, told) in KINDS.items():
            with self.subTest(name):
                rows = self.compare(HEALTHY, self.changed(name.replace(" ", "-"), change))["differences"]
                self.assertEqual(subject(rows[0]), told)
                self.assertEqual([subject(row) for row in rows].count(told), 1)
                self.assertNotIn("may_explain", json.dumps(rows))

    def test_versions(self):
        self.assertEqual([subject(row) for row in self.compare(HEALTHY_136, HEALTHY)["differences"]], [("version", "", "version")])
        newer = {"admin/server_info.json": lambda text: text.replace("1.40.0", "1.41.2")}
        self.assertEqual([subject(row) for row in self.compare(HEALTHY, self.changed("newer", files=newer))["differences"]],
                         [("version", "", "version")])

    def test_the_port_that_is_configured_and_served_is_told_once(self):
        served = {"admin/listeners.json": lambda text: text.replace("10000", "10443")}
        rows = self.compare(HEALTHY, self.changed("b", lambda dump: dump.set_port(10443), served))["differences"]
        self.assertEqual([subject(row) for row in rows], [("listener", "ingress", "port")])

    def test_a_port_that_is_only_served_is_told(self):
        for side in "ab":
            (self.changed(side) / "admin/config_dump.json").unlink()
        path = self.dir / "b/admin/listeners.json"
        path.write_text(path.read_text().replace("10000", "10443"))
        rows = self.compare(self.dir / "a", self.dir / "b")["differences"]
        self.assertEqual([subject(row) for row in rows], [("listener", "ingress", "port")])


class Siblings(Ties):
    def test_two_that_were_set_up_alike_do_not_differ(self):
        for name, (change, _) in KINDS.items():
            with self.subTest(name):
                pair = [self.changed(f"{side}-{name.replace(' ', '-')}", change) for side in "ab"]
                self.assertEqual(self.compare(*pair)["differences"], [])

    def test_pseudonyms_do_not_make_a_difference(self):
        """Own addresses are taken out of what is compared, under whatever names they are."""
        def own(address, name):
            def change(dump):
                dump.boot["node"]["id"] = f"sidecar~{address}~{name}.shop~shop.svc.cluster.local"
                dump.boot["node"]["metadata"] = {"INSTANCE_IPS": address, "NAME": name}
                dump.listener["address"]["socket_address"]["address"] = address
            return change
        a, b = self.changed("a", own("10.0.0.7", "orders-1")), self.changed("b", own("10.0.1.19", "orders-2"))
        self.assertEqual(self.compare(a, b)["differences"], [])
        document = self.compare(a, b, "--redact", "identities")
        self.assertEqual([subject(row) for row in document["differences"]], [])
        self.assertNotIn("10.0.1.19", json.dumps(document))

    def test_who_is_who_is_kept_where_the_call_says_so(self):
        kept = self.dir / "names"
        a = self.changed("a", lambda dump: dump.set_server("10.9.8.7", 18000))
        document = self.compare(a, HEALTHY, "--redact", "identities", "--redact-map", kept)
        value = document["differences"][0]["a"]["value"]
        self.assertNotIn("10.9.8.7", value)
        self.assertIn(f"{value.split(':')[0]}\t10.9.8.7\n", kept.read_text())

    def test_the_order_of_many_domains_is_none(self):
        def domains(order):
            return lambda dump: dump.routes["virtual_hosts"][0].update(domains=order)
        for count in (60, 200):  # beyond 2 kB of text, and more than are read
            names = ["host-%03d.department-%d.shop.example.com" % (i, i) for i in range(count)]
            a, b = self.changed(f"a{count}", domains(names)), self.changed(f"b{count}", domains(names[::-1]))
            self.assertEqual(self.compare(a, b)["differences"], [])
        few = self.changed("few", domains(names[:3]))
        self.assertEqual([subject(row) for row in self.compare(few, b)["differences"]], [("route", "ingress-routes orders", "domains")])


harness.main()
