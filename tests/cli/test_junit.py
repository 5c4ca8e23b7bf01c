"""JUnit XML: what a CI server makes of it."""
import json
import xml.etree.ElementTree

import consumers
import harness
from harness import Case

# What the dialect of Jenkins' and surefire's schemas knows, and no more.
DIALECT = {
    "testsuites": {"name", "tests", "failures", "errors", "time"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
    "testcase": {"classname", "name", "time"},
    "failure": {"type", "message"}, "error": {"type", "message"}, "skipped": {"message"}, "system-out": set(),
}


@consumers.needs_venv
class Junit(Case):
    def suites(self, path):
        data = consumers.render(path, "junit")
        for element in xml.etree.ElementTree.fromstring(data).iter():
            self.assertLessEqual(set(element.attrib), DIALECT[element.tag])
        return consumers.open_junit(data)

    def results(self, path):
        return {(case["class"], case["name"]): case["results"] for suite in self.suites(path) for case in suite["cases"]}

    def test_a_suite_per_section_and_a_case_per_check(self):
        report = json.loads(consumers.real_report().read_text())
        suites, results = self.suites(consumers.real_report()), self.results(consumers.real_report())
        for target in report["targets"]:
            sections = dict.fromkeys(check["id"].split("/")[0] for check in target["checks"])
            names = [suite["name"] for suite in suites if suite["name"].startswith(target["name"] + ": ")]
            self.assertEqual(names, [f"{target['name']}: {section}" for section in ["evidence", *sections]])
            for check in target["checks"]:
                kinds = [result["kind"] for result in results[target["name"], check["id"]]]
                expected = {"pass": [], "fail": ["Failure"], "error": ["Error"]}.get(check["outcome"], ["Skipped"])
                self.assertEqual(kinds, expected, check)
        for suite in suites:
            kinds = [result["kind"] for case in suite["cases"] for result in case["results"]]
            self.assertEqual((suite["tests"], suite["failures"], suite["errors"], suite["skipped"]),
                             (len(suite["cases"]), *map(kinds.count, ("Failure", "Error", "Skipped"))))

    def test_a_failure_holds_message_proof_and_fix(self):
        target = json.loads(consumers.incident().read_text())["targets"][0]
        results, finding = self.results(consumers.incident()), target["findings"][0]
        (failure,) = results[target["name"], finding["check"]]
        self.assertEqual((failure["type"], failure["message"]), (finding["id"], finding["message"]))
        for text in (finding["evidence"][1]["excerpt"], finding["evidence"][1]["locator"], finding["fix"][0]["command"],
                     finding["fix"][0]["snippet"]["text"], finding["references"][0]):
            self.assertIn(text, failure["text"])
        (error,) = results[target["name"], "site-loop"]
        self.assertEqual((error["kind"], error["message"]), ("Error", "took longer than 10 s"))
        (skipped,) = results[target["name"], "site-mesh"]
        self.assertEqual(skipped["message"], "not applicable: mesh is appmesh, not istio")

    def test_time_is_that_of_the_check(self):
        suites = self.suites(consumers.incident())
        self.assertEqual([suite["time"] for suite in suites if suite["name"].endswith("site-loop")], [10.0])

    def test_a_waived_finding_is_skipped_with_the_reason(self):
        path = consumers.edited(consumers.incident(), consumers.waive_all)
        target, results = json.loads(path.read_text())["targets"][0], self.results(path)
        for finding in target["findings"]:
            if finding["severity"] != "info":
                (skipped,) = results[target["name"], finding["check"]]
                self.assertEqual((skipped["kind"], skipped["message"]), (
                    "Skipped", f"waived: known & accepted (owner edge, until 2027-01-31): {finding['id']}"))
        expired = consumers.edited(path, lambda r: [f["waiver"].update(state="expired") for f in r["targets"][0]["findings"]])
        self.assertEqual([r["kind"] for r in self.results(expired)[target["name"], "grpc-codes"]], ["Failure"])

    def test_what_the_baseline_has_already_does_not_fail(self):
        def change(report):
            for finding, state in zip(report["targets"][0]["findings"], ("unchanged", "new", "better", "new")):
                finding["baseline"] = state
        path = consumers.edited(consumers.incident(), change)
        target, results = json.loads(path.read_text())["targets"][0], self.results(path)
        told = {check: [(r["kind"], r["message"]) for r in results[target["name"], check]]
                for check in ("grpc-codes", "lb-health", "probes")}
        self.assertEqual(told["grpc-codes"], [("Skipped", "not new, unchanged beside the baseline: grpc-codes.permission-denied")])
        self.assertEqual(told["lb-health"][0][0], "Failure")
        self.assertEqual(told["probes"], [("Skipped", "not new, better beside the baseline: probes.pre-initializing")])

    def test_a_target_of_which_nothing_is_known_is_an_error(self):
        path = self.dir / "dead.json"
        url = harness.closed_port()
        harness.debrief("check", url, "-o", f"json={path}")
        (error,) = self.results(path)[url, "evidence"]
        self.assertEqual((error["kind"], error["type"]), ("Error", "unknown"))
        self.assertIn("cannot reach it", error["message"])


harness.main()
