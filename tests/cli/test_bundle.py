"""Collecting: the bundle, and that it gives the findings of the run it came from."""
import json
import os
import pathlib
import tarfile

import harness
from harness import Case, debrief

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYqHZkLmNoPq"
TOLD = f"AWS_SECRET_ACCESS_KEY={SECRET}"
LOG = ("[2026-11-21 07:50:12.001][1][warning][config] [./source/extensions/config_subscription/grpc/grpc_stream.h:160] "
       "DeltaAggregatedResources gRPC config stream to ems closed: 7, Unauthorized to perform "
       "appmesh:StreamAggregatedResources for arn:aws:appmesh:us-west-2:123456789012:mesh/m/virtualNode/n\n")


def essence(report):
    """What must be the same wherever the evidence came from."""
    target = report["targets"][0]
    return [{**finding, "evidence": [{**e, "sha256": e.get("sha256")} for e in finding["evidence"]]}
            for finding in target["findings"]], [(c["id"], c["outcome"], c["reason"]) for c in target["checks"]]


class Collect(Case):
    def collect(self, *arguments, **options):
        result = debrief("collect", *arguments, cwd=self.dir, **options)
        self.assertStatus(result, 0)
        return pathlib.Path(self.dir, result.out.strip())

    def test_default_name_and_index(self):
        with harness.admin_page() as page:
            bundle = self.collect(page.url)
        self.assertEqual(bundle.name, f"debrief-{page.url.replace(':', '_').replace('/', '_')}-20261121T080000Z.tar.gz")
        with tarfile.open(bundle) as tar:
            names = tar.getnames()
            member = next(name for name in names if name.endswith("bundle.json"))
            index = json.load(tar.extractfile(member))
        self.assertEqual(index["schema"], "debrief.bundle/1")
        self.assertTrue([name for name in names if name.endswith("admin/server_info.json")], names)

    def test_forms_of_a_bundle(self):
        evidence = self.file("note.txt", harness.ERROR)
        for name in ("a.tar.gz", "a.tar.zst", "a.zip", "a"):
            with self.subTest(name):
                bundle = self.collect(evidence, "--bundle", self.dir / name)
                self.assertEqual(bundle.is_dir(), name == "a")
                self.assertStatus(self.site(bundle), 3)

    def test_nothing_is_overwritten(self):
        evidence, taken = self.file("note.txt", ""), self.file("taken.tar.gz", "mine")
        result = debrief("collect", evidence, "--bundle", taken)
        self.assertStatus(result, 1)
        self.assertIn("taken.tar.gz", result.err)
        self.assertEqual(taken.read_text(), "mine")

    def test_live_and_bundle_give_the_same_findings(self):
        log = self.file("envoy.log", LOG)
        info = {**harness.SERVER_INFO, "state": "PRE_INITIALIZING"}
        with harness.admin_page({**harness.PAGES, "/server_info": json.dumps(info)}) as page:
            live = debrief("check", page.url, "--evidence", log, "-o", "json")
            bundle = self.collect(page.url, "--evidence", log)
        kept = debrief("check", bundle, "-o", "json")
        self.assertEqual(live.target["findings"][0]["id"], "grpc-codes.permission-denied")
        self.assertEqual(essence(kept.report), essence(live.report))
        self.assertEqual(kept.status, live.status)

    def test_a_bundle_is_redacted_and_says_so(self):
        evidence = self.file("note.txt", f"SITE error {TOLD} end\n")
        bundle = self.collect(evidence, "--bundle", self.dir / "b")
        stored = "".join(path.read_text() for path in bundle.rglob("*") if path.is_file())
        self.assertNotIn(SECRET, stored)
        raw = self.collect(evidence, "--bundle", self.dir / "raw", "--no-redact")
        self.assertIn(SECRET, "".join(path.read_text() for path in raw.rglob("*") if path.is_file()))
        first, second = self.site(evidence, "-o", "json"), self.site(bundle, "-o", "json")
        self.assertNotIn(SECRET, first.out)
        self.assertEqual(essence(first.report), essence(second.report))
        self.assertIn(SECRET, self.site(evidence, "-o", "json", "--no-redact").out)

    def test_several_targets_make_a_directory(self):
        a, b = self.file("a/x.txt", harness.ERROR).parent, self.file("b/x.txt", harness.NOTHING).parent
        bundles = self.collect(a, b, "--bundle", self.dir / "all")
        self.assertEqual(len(list(bundles.glob("*.tar.gz"))), 2)
        self.assertUsage(debrief("collect", a, b, "--bundle", self.dir / "one.zip"), "--bundle DIR")

    def test_a_dead_target_is_a_failure_with_a_bundle(self):
        result = debrief("collect", harness.closed_port(), "--bundle", self.dir / "b.tar.gz")
        self.assertStatus(result, 1)
        self.assertIn("nothing at all could be read", result.err)
        self.assertTrue((self.dir / "b.tar.gz").exists())

    def test_nothing_is_left_behind(self):
        temporary = self.dir / "tmp"
        temporary.mkdir()
        evidence = self.file("note.txt", harness.ERROR)
        self.collect(evidence, env={"TMPDIR": str(temporary)})
        self.site(evidence, env={"TMPDIR": str(temporary)})
        debrief("evidence", evidence, env={"TMPDIR": str(temporary)})
        self.assertEqual(os.listdir(temporary), [])


class Evidence(Case):
    def test_overview_and_records(self):
        with harness.admin_page() as page:
            overview = debrief("evidence", page.url)
            self.assertStatus(overview, 0)
            self.assertRegex(overview.out, r"(?m)^stats +complete +3$")
            self.assertRegex(overview.out, r"(?m)^absent: .*")
            records = debrief("evidence", page.url, "stats")
            self.assertRegex(records.out, r"(?m)^admin/stats.txt:\S+ +server.uptime +3600$")
            self.assertIn("1.36.4", debrief("evidence", page.url, "prox*").out)

    def test_empty_and_absent_do_not_look_alike(self):
        for more, event in (([], "kinds of lines that checks look for (--verbose)"), (["--verbose"], "event.image-pull.failed")):
            out = " ".join(debrief("evidence", self.file("a.txt", harness.NOTHING), *more).out.split())
            empty, absent = out.split("empty: ")[1].split(" absent: ")
            self.assertIn(event, empty)
            self.assertIn("stats", absent.split(", "))

    def test_json(self):
        result = debrief("evidence", self.file("envoy.log", LOG), "log.xds_closed", "-o", "json")
        self.assertStatus(result, 0)
        table = json.loads(result.out)["evidence"][0]
        self.assertEqual((table["name"], table["state"], table["count"]), ("log.xds_closed", "complete", 1))
        self.assertEqual(table["records"][0]["fields"]["code"], "7")
        self.assertEqual(table["records"][0]["locator"], "line 1")

    def test_events_of_checks_are_evidence_too(self):
        result = debrief("evidence", self.file("a.txt", harness.ERROR), "event.site-said.*", "--plugin-path",
                         harness.HERE / "sections", "-o", "json")
        table = json.loads(result.out)["evidence"][0]
        self.assertEqual(table["records"][0]["fields"]["level"], "error")

    def test_secrets_do_not_leave(self):
        evidence = self.file("a.txt", f"SITE error {TOLD}\n")
        call = ["evidence", evidence, "event.*", "--plugin-path", harness.HERE / "sections"]
        self.assertNotIn(SECRET, debrief(*call).out)
        self.assertNotIn(SECRET, debrief(*call, "-o", "json").out)
        self.assertIn(SECRET, debrief(*call, "--no-redact", "--verbose").out)

    def test_unknown_names(self):
        self.assertUsage(debrief("evidence", self.file("a.txt", ""), "nothing.such"), "nothing.such")

    def test_the_dictionary(self):
        result = debrief("evidence", "--dictionary")
        self.assertStatus(result, 0)
        self.assertIn("\n## xds.resources\n", result.out)


harness.main()
