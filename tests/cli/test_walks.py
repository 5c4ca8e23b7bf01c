"""Ways of requests in the report: those that findings rest on, hop by hop."""
import json

import jsonschema

import harness
from harness import Case, debrief

SCHEMA = json.loads((harness.TOP / "docs/report.schema.json").read_text())
CASES = harness.TOP / "plugins"


class Walks(Case):
    def walks(self, case, *arguments):
        report = debrief("check", CASES / case / "evidence", "-o", "json", *arguments).report
        self.assertEqual(list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(report)), [])
        return report["targets"][0].get("walks")

    def test_a_finding_shows_where_the_way_breaks(self):
        walk, = self.walks("upstreams/cases/no-route")
        self.assertEqual((walk["request"], walk["ends"], walk["status"], walk["flag"]),
                         ("GET http://shop.example.com/orders", "answered", 404, "NR"))
        self.assertEqual((walk["check"], walk["finding"]), ("upstreams", "upstreams.no-route"))
        self.assertEqual([hop["kind"] for hop in walk["hops"]],
                         ["listener", "filter-chain", "route-config", "virtual-host", "route"])
        self.assertEqual([hop.get("broke", False) for hop in walk["hops"]], [False] * 4 + [True])
        self.assertTrue(walk["hops"][0]["locator"].startswith("/configs/"))

    def test_the_way_that_was_asked_for(self):
        walk, = self.walks("upstreams/cases/request-no-host", "--param", "upstreams.request=GET http://shop.example.com/")
        self.assertEqual((walk["ends"], walk["finding"]), ("forwarded", "upstreams.request-path"))

    def test_a_plugin_in_c_shows_its_walks(self):
        walks = [walk for case in sorted((CASES / "lb-health/cases").iterdir())
                 for walk in self.walks(f"lb-health/cases/{case.name}") or [] if walk["check"] == "lb-health"]
        self.assertTrue(walks)
        for walk in walks:
            self.assertTrue(walk["hops"] or walk.get("unknown"))

    def test_as_text(self):
        evidence = CASES / "upstreams/cases/no-route/evidence"
        short, verbose = debrief("check", evidence).out, debrief("check", evidence, "--verbose").out
        self.assertIn("GET http://shop.example.com/orders: answered 404 NR\n      listener 'ingress' > filter-chain > ", short)
        self.assertRegex(verbose, r"(?m)^      • listener 'ingress': listens on 0\.0\.0\.0:10000\n +admin/config_dump\.json:/configs/")
        self.assertRegex(verbose, r"(?m)^      ✖ route breaks it: no route of virtual host 'shop' matches /orders")

    def test_nothing_followed_nothing_shown(self):
        self.assertIsNone(self.walks("grpc-codes/cases/closed-7-google"))


harness.main()
