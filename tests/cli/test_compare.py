"""diff --compare: recordings of real Envoys, one that works and one that does not, laid side by side. The first
difference names the cause; two that work do not differ; what one side alone tells is no difference."""
import json
import shutil
import sys

import jsonschema

import harness
from harness import Case, debrief

sys.path.insert(0, str(harness.TOP / "tests"))
import transcripts

SCHEMA = json.loads((harness.TOP / "docs/compare.schema.json").read_text())
CASES = harness.TOP / "plugins"
HEALTHY, HEALTHY_136 = "probes/healthy", "ems-connection/healthy"

# The case, and what the first difference must be: kind, name, column, what B has ("" anything).
CAUSES = [
    ("ems-connection/black-hole", "bootstrap", "ads", "address", "192.0.2.10:18000"),
    ("ems-connection/name-does-not-exist", "bootstrap", "ads", "address", "xds.shop.invalid:18000"),
    ("ems-connection/tls-untrusted", "bootstrap", "ads", "tls", "yes"),
    ("ems-connection/refused", "stat", "control_plane.connected_state", None, "0"),
    ("ems-connection/silent", "xds", "cluster", "state", "requested"),
    ("grpc-codes/closed-7", "stat", "control_plane.connected_state", None, "0"),
    ("low-ports/low-port", "xds", "listener ingress", "error", "cannot bind '0.0.0.0:80': Permission denied"),
    ("low-ports/port-taken", "xds", "listener ingress", "error", "Address already in use"),
    ("config-rejected/missing-extension", "xds", "listener ingress", "error", "Didn't find a registered"),
    ("config-rejected/unknown-field", "xds", "listener", "error", "has unknown fields"),
    ("config-rejected/bad-ring", "xds", "cluster orders", "error", "minimum_ring_size"),
    ("probes/cds-without-lds", "xds", "listener", "state", "requested"),
    ("probes/eds-warming", "xds", "cluster orders", "state", "warming"),
    ("probes/rds-unanswered", "xds", "rds ingress-routes", None, ""),
    ("probes/sds-unanswered", "xds", "sds ingress-certificate", None, ""),
    ("probes/draining", "state", "", "state", "DRAINING"),
    ("probes/listener-drained", "stat", "listener_manager.listener_stopped", None, "1"),
    ("lb-health/wrong-host", "route", "ingress-routes orders", "domains", "shop.example.com"),
    ("proxy-process/overloaded", "stat", "http.ingress.downstream_rq_overload_close", None, "6"),
]


def evidence(case):
    section, name = case.split("/")
    return CASES / section / "cases" / name / "evidence"


class Comparison(Case):
    def compare(self, a, b, *more):
        path = self.dir / "compare.json"
        result = debrief("diff", "--compare", a, b, "-o", f"json={path}", "-o", "text", *more)
        self.assertTrue(path.exists(), result.err)
        document = json.loads(path.read_text())
        self.assertEqual([problem.message for problem in
                          jsonschema.Draft202012Validator(SCHEMA).iter_errors(document)], [])
        result.document = document
        return result

    def pod(self, name, address, node, env="", image="envoy:v1.36.4", **more):
        """A target of its own: a pod as kubectl prints it."""
        proxy = {"name": "envoy", "image": image, "env": [
            {"name": "POD_NAME", "value": name}, {"name": "INSTANCE_IP", "value": address},
            {"name": "ORDERS_SERVICE_HOST", "value": "10.96.0.%d" % len(name)},
            *({"name": key, "value": value} for key, value in (env or {}).items())], **more}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop", "uid": name + "-uid-1"},
               "spec": {"nodeName": node, "containers": [proxy]},
               "status": {"podIP": address, "hostIP": "192.168.0.1", "startTime": "2026-11-2%dT08:00:00Z" % len(env or {})}}
        return self.file(f"{name}/k8s/pods.json", json.dumps({"apiVersion": "v1", "kind": "List", "items": [pod]})).parents[1]

    def rows(self, document):
        return [(row["kind"], row["name"], row.get("column"), row["a"].get("value"), row["b"].get("value"))
                for row in document["differences"]]


class Causes(Comparison):
    def test_the_first_difference_names_the_cause(self):
        for case, kind, name, column, value in CAUSES:
            with self.subTest(case):
                rows = self.compare(evidence(HEALTHY), evidence(case)).document["differences"]
                first = rows[0]
                self.assertEqual((first["kind"], first["name"], first.get("column")), (kind, name, column), rows[:3])
                self.assertIn(value, first["b"].get("value", ""))
                for side in "ab":
                    if "value" in first[side]:
                        self.assertRegex(first[side]["evidence"]["sha256"], "^[0-9a-f]{64}$")

    def test_it_says_which_findings_it_may_explain(self):
        rows = self.compare(evidence(HEALTHY), evidence("low-ports/low-port")).document["differences"]
        self.assertIn({"finding": "low-ports.bind-denied", "in": "b"}, rows[0]["may_explain"])

    def test_swapped_it_is_the_same(self):
        for case in ("low-ports/low-port", "ems-connection/black-hole", "probes/rds-unanswered", "lb-health/wrong-host"):
            with self.subTest(case):
                there = self.rows(self.compare(evidence(HEALTHY), evidence(case)).document)
                back = self.rows(self.compare(evidence(case), evidence(HEALTHY)).document)
                self.assertEqual(there, [(kind, name, column, b, a) for kind, name, column, a, b in back])

    def test_a_sick_a_is_said_to_be_sick(self):
        result = self.compare(evidence("grpc-codes/closed-7"), evidence("grpc-codes/closed-3"))
        self.assertIn("A is not well itself", result.out)


class Replicas(Comparison):
    def test_two_that_work_do_not_differ(self):
        for case in ("config-rejected/healthy", "grpc-codes/healthy", "lb-health/healthy", "low-ports/healthy"):
            with self.subTest(case):
                result = self.compare(evidence(HEALTHY), evidence(case))
                self.assertEqual((result.document["differences"], result.status), ([], 0))
                self.assertTrue(result.out.startswith("nothing that matters differs between A and B\n"), result.out)

    def test_another_version_is_the_only_difference(self):
        result = self.compare(evidence(HEALTHY_136), evidence(HEALTHY))
        self.assertEqual(self.rows(result.document), [("version", "", "version", "1.36.4", "1.40.0")])
        self.assertEqual(result.document["differences"][0]["note"], "4 minor versions apart")
        self.assertEqual(result.status, 0)

    def test_what_is_an_instance_s_own_is_no_difference(self):
        a = self.pod("orders-7c9d-x2b4k", "10.0.0.7", "node-a", {"ORDERS_URL": "http://10.0.0.7:8080/orders-7c9d-x2b4k"})
        b = self.pod("orders-7c9d-zz9qp-longer", "10.0.1.19", "node-b",
                     {"ORDERS_URL": "http://10.0.1.19:8080/orders-7c9d-zz9qp-longer"})
        self.assertEqual(self.compare(a, b).document["differences"], [])


class StartedOtherwise(Comparison):
    def test_options_and_settings_of_the_bootstrap(self):
        copy = self.dir / "copy"
        shutil.copytree(evidence(HEALTHY), copy)
        info = json.loads((copy / "admin/server_info.json").read_text())
        info["command_line_options"].update(concurrency=4, drain_time="30s")
        (copy / "admin/server_info.json").write_text(json.dumps(info))
        dump = json.loads((copy / "admin/config_dump.json").read_text())
        boot = dump["configs"][0]["bootstrap"]
        boot["stats_flush_interval"] = "60s"
        boot["node"]["metadata"] = {"team/owner": "shop", "NAME": "gateway-1", "POD_NAME": "gateway-1"}
        (copy / "admin/config_dump.json").write_text(json.dumps(dump))
        document = self.compare(evidence(HEALTHY), copy).document
        rows = self.rows(document)
        self.assertEqual(sorted(row[:2] for row in rows), [
            ("bootstrap", "node.metadata.team/owner"), ("bootstrap", "stats_flush_interval"),
            ("option", "concurrency"), ("option", "drain_time")])
        places = {row["name"]: row["b"]["evidence"]["locator"] for row in document["differences"]}
        self.assertEqual(places["node.metadata.team/owner"], "/configs/0/bootstrap/node/metadata/team~1owner")
        self.assertEqual(places["concurrency"], "/command_line_options/concurrency")


class Containers(Comparison):
    def test_image_variables_and_rights(self):
        a = self.pod("orders-1", "10.0.0.7", "node-a", {"MESH": "shop", "LEVEL": "info"})
        b = self.pod("orders-2", "10.0.0.8", "node-a", {"MESH": "shpo", "TRACE": "1"}, image="envoy:v1.30.0",
                     securityContext={"runAsUser": 1337, "capabilities": {"drop": ["ALL"]}},
                     resources={"limits": {"memory": "64Mi", "cpu": "100m"}})
        rows = self.rows(self.compare(a, b).document)
        for row in (("image", "Pod envoy", "image", "envoy:v1.36.4", "envoy:v1.30.0"),
                    ("container", "Pod envoy", "user", None, "1337"),
                    ("container", "Pod envoy", "caps_drop", None, "ALL"),
                    ("container", "Pod envoy", "limits", None, "memory=64Mi,cpu=100m"),
                    ("env", "envoy MESH", None, "shop", "shpo"),
                    ("env", "envoy LEVEL", None, None, None),
                    ("env", "envoy TRACE", None, None, None)):
            self.assertIn(row, rows)

    def test_secrets_stay(self):
        a = self.pod("orders-1", "10.0.0.7", "node-a", {"DB_PASSWORD": "correct-horse-battery", "API_URL": "http://u:hunter22@h/"})
        b = self.pod("orders-2", "10.0.0.8", "node-a", {"DB_PASSWORD": "tr0ub4dor-and-3", "API_URL": "http://u:s3cr3tpw@i/"})
        result = self.compare(a, b, "--verbose")
        text = result.out + json.dumps(result.document)
        for secret in ("correct-horse-battery", "tr0ub4dor-and-3", "hunter22", "s3cr3tpw"):
            self.assertNotIn(secret, text)
        self.assertIn(("env", "envoy API_URL"), [row[:2] for row in self.rows(result.document)])


class Gaps(Comparison):
    def test_what_one_side_alone_tells_is_no_difference(self):
        bare = self.dir / "bare"
        (bare / "admin").mkdir(parents=True)
        for name in ("server_info.json", "ready.txt"):
            (bare / "admin" / name).write_bytes((evidence(HEALTHY) / "admin" / name).read_bytes())
        for a, b, side in ((evidence(HEALTHY), bare, "a"), (bare, evidence(HEALTHY), "b")):
            result = self.compare(a, b)
            self.assertEqual(result.document["differences"], [])
            only = {name: row["only_in"] for row in result.document["not_compared"] for name in row["evidence"]}
            for name in ("xds.listeners", "xds.clusters", "stats", "clusters"):
                self.assertEqual(only.get(name), side)
            self.assertIn("in what both of them tell", result.out)
            self.assertIn("to supply it for", result.out)

    def test_rows_that_are_missing_where_not_all_was_read_are_not_judged(self):
        cut = self.dir / "cut"
        (cut / "admin").mkdir(parents=True)
        for path in (evidence(HEALTHY) / "admin").iterdir():
            (cut / "admin" / path.name).write_bytes(path.read_bytes())
        dump = (evidence(HEALTHY) / "admin/config_dump.json").read_text()
        at = dump.index("dynamic_listeners")
        (cut / "admin/config_dump.json").write_text(dump[:at])
        document = self.compare(evidence(HEALTHY), cut).document
        self.assertNotIn("listener", [row["kind"] for row in document["differences"]])

    def test_a_longer_life_is_no_difference(self):
        stats = "server.uptime: %d\ncluster.orders.upstream_cx_connect_fail: %d\ncluster.orders.upstream_rq_timeout: %d\n" \
                "listener_manager.lds.update_rejected: %d\n"
        old = self.file("old/admin/stats.txt", stats % (1000000, 1000, 40, 1)).parents[1]
        young = self.file("young/admin/stats.txt", stats % (10000, 10, 0, 0)).parents[1]
        self.assertEqual(self.compare(old, young).document["differences"], [])
        sick = self.file("sick/admin/stats.txt", stats % (10000, 900, 0, 2)).parents[1]
        rows = self.compare(old, sick).document["differences"]
        self.assertEqual({row["name"] for row in rows}, {"cluster.orders.upstream_cx_connect_fail",
                                                          "listener_manager.lds.update_rejected"})
        self.assertEqual(rows[0]["a"]["value"], "1 (0.0036 an hour)")


class Calls(Comparison):
    def test_the_status_is_that_of_what_is_new(self):
        broken = evidence("low-ports/low-port")
        self.assertEqual(self.compare(evidence(HEALTHY), broken).status, 3)
        self.assertEqual(self.compare(evidence(HEALTHY), broken, "--fail-on", "never").status, 0)
        self.assertEqual(self.compare(broken, evidence(HEALTHY)).status, 0)
        self.assertEqual(self.compare(broken, broken).status, 0)

    def test_live_against_a_bundle(self):
        bundle = self.dir / "kept.tar.gz"
        with harness.admin_page() as page:
            self.assertStatus(debrief("collect", page.url, "--bundle", bundle), 0)
            result = self.compare(page.url, bundle)
        self.assertEqual((result.document["differences"], result.document["not_compared"]), ([], []))
        self.assertEqual(result.document["b"]["name"], str(bundle))

    def test_a_target_that_cannot_be_read(self):
        result = self.compare(evidence(HEALTHY), harness.closed_port())
        self.assertStatus(result, 1)
        self.assertIn("could not be judged", result.out)

    def test_usage(self):
        self.assertUsage(debrief("diff", "--compare", evidence(HEALTHY), self.dir / "nothing"), "nothing")
        report = self.save("saved", harness.NOTHING)
        for option in (["--no-redact"], ["--redact", "identities"], ["--redact-map", self.dir / "map"], ["--timeout", "1s"]):
            self.assertUsage(debrief("diff", report, report, *option), "--compare")
        self.assertUsage(debrief("diff", "--compare", evidence(HEALTHY), evidence(HEALTHY), "-o", "html"), "html")

    def test_the_same_bytes_twice(self):
        runs = [self.compare(evidence(HEALTHY), evidence("ems-connection/tls-untrusted"), "--verbose") for _ in range(2)]
        self.assertEqual(runs[0].out, runs[1].out)
        self.assertEqual(json.dumps(runs[0].document), json.dumps(runs[1].document))

    def test_quiet_is_one_line(self):
        result = self.compare(evidence(HEALTHY), evidence("probes/draining"), "--quiet")
        self.assertEqual(result.out, "B differs from A in 2 things that matter; first: proxy: state is LIVE in A, "
                                     "DRAINING in B\n")

    def test_the_document_shows_what_is_printed(self):
        shown = transcripts.blocks(harness.TOP / "docs/compare.md")
        self.assertEqual(len(shown), 2)
        for command, parts in shown:
            printed = debrief(*command, cwd=harness.TOP).out
            self.assertIsNone(transcripts.missing(parts, printed), printed)


class Hostile(Comparison):
    def dump(self, name, clusters):
        config = {"configs": [{"@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump", "dynamic_active_clusters": [
            {"cluster": {"name": each, "type": "STATIC"}} for each in clusters]}]}
        return self.file(f"{name}/admin/config_dump.json", json.dumps(config)).parents[1]

    def test_many_of_a_sort_are_one(self):
        result = self.compare(self.dump("none", ["same"]), self.dump("many", ["same", *("c%05d" % i for i in range(30000))]))
        rows = [row for row in result.document["differences"] if row["kind"] == "cluster"]
        self.assertEqual(len(rows), 1)
        self.assertEqual(rows[0]["count"], 19999)  # so many rows of a table are taken, "same" among them
        self.assertEqual(len(rows[0]["members"]), 50)
        self.assertLess(len(result.out), 20000)

    def test_names_are_data(self):
        name = "\u001b[31mred\u0007\u202e| a\nb \\ \" <script>"
        result = self.compare(self.dump("none", ["same"]), self.dump("evil", ["same", name]))
        self.assertEqual(result.document["differences"][0]["kind"], "cluster")
        for character in ("\u001b", "\u0007"):
            self.assertNotIn(character, result.out)

    def test_garbage_never_fails(self):
        garbage = {"config_dump.json": b'{"configs": [null, 1, {"@type": 5, "bootstrap": [[[', "server_info.json": b"\xff\xfe{}",
                   "stats.txt": b"a: b\n: 1\n\x00\x01: 3\ncluster..upstream_cx_connect_fail: 1e308\n" * 50,
                   "clusters.json": b"[" * 5000, "listeners.json": b"{}", "init_dump.json": b"[]", "runtime.json": b'{"entries": 3}'}
        for name, content in garbage.items():
            self.file(f"garbage/admin/{name}", content)
        for a, b in ((evidence(HEALTHY), self.dir / "garbage"), (self.dir / "garbage", evidence(HEALTHY)),
                     (self.dir / "garbage", self.dir / "garbage")):
            result = self.compare(a, b)
            self.assertIn(result.status, (0, 1, 3))


harness.main()
