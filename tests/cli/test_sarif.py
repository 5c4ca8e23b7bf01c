"""SARIF: valid by Microsoft's validator and the official schema, and what code scanning needs of it."""
import json
import os
import subprocess
import unittest

import jsonschema

import consumers
import harness
from harness import Case

MANIFEST = harness.TOP / "plugins/ems-connection/cases/host-network-dns/evidence/manifest/envoy.yaml"
# What a report cannot have: a home page of the program, and lines where a proof is no line.
UNAVOIDABLE = {"SARIF2005", "SARIF2017"}


@unittest.skipUnless(consumers.SARIF_SCHEMA.exists(), "no schema of SARIF in the cache; tests/cli/fetch brings it")
class Sarif(Case):
    def open(self, path):
        return self.check(consumers.render(path, "sarif"))

    def check(self, data, by_tool=True):
        log = json.loads(data)
        schema = json.loads(consumers.SARIF_SCHEMA.read_text(encoding="utf-8-sig"))
        validator = jsonschema.validators.validator_for(schema)
        self.assertEqual([e.message for e in validator(schema, format_checker=validator.FORMAT_CHECKER).iter_errors(log)], [])
        if by_tool and consumers.MULTITOOL.exists():
            path = self.file("log.sarif", data)
            done = subprocess.run([consumers.MULTITOOL, "validate", path], capture_output=True, text=True, env={
                **os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}, timeout=120)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            said = [line for line in done.stdout.splitlines() if ": error" in line or ": warning" in line]
            self.assertEqual([line for line in said if not any(rule in line for rule in UNAVOIDABLE)], [])
        return log["runs"][0]

    def test_real_evidence(self):
        report = json.loads(consumers.real_report().read_text())
        run = self.open(consumers.real_report())
        findings = [(target, finding) for target in report["targets"] for finding in target["findings"]]
        self.assertEqual(len(run["results"]), len(findings))
        for (target, finding), result in zip(findings, run["results"]):
            rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
            self.assertEqual((rule["id"], result["ruleId"]), (finding["id"], finding["id"]))
            self.assertEqual(result["level"], {"info": "note"}.get(finding["severity"], finding["severity"]))
            self.assertEqual(result["message"]["text"], f"{target['name']}: {finding['message']}")
            self.assertEqual(rule["properties"]["tags"], [finding["id"].split(".")[0]])
            self.assertTrue(rule["help"]["markdown"])
        prints = [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]
        self.assertEqual(len(set(prints)), len(findings))
        self.assertEqual(sum(len(t["sources"]) for t in report["targets"]), len(run["artifacts"]))
        for place in (l["physicalLocation"] for r in run["results"] for l in r["locations"] if "physicalLocation" in l):
            artifact = run["artifacts"][place["artifactLocation"]["index"]]
            self.assertEqual(artifact["location"]["uri"], place["artifactLocation"]["uri"])
            self.assertRegex(artifact["hashes"]["sha-256"], "^[0-9a-f]{64}$")

    def repository(self):
        """Manifests as they lie in somebody's repository, below the directory of the call."""
        text = MANIFEST.read_text()
        self.file("deploy/envoy.yaml", text)
        self.file("deploy/base/two docs.yaml", "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\n---\n" + text)
        return text.splitlines().index("      - name: envoy") + 1

    def places(self, *targets):
        result = harness.debrief("check", *targets, "-o", "sarif", cwd=self.dir)
        self.assertEqual(result.status, 0, result.err)
        run = self.check(result.out, by_tool=len(targets) > 1)
        return [(place["physicalLocation"]["artifactLocation"]["uri"], place["physicalLocation"]["region"]["startLine"])
                for result in run["results"] for place in result["locations"] + result.get("relatedLocations", [])]

    def test_a_manifest_is_annotated_in_its_line(self):
        line = self.repository()
        self.assertEqual(self.places("deploy/envoy.yaml"), [("deploy/envoy.yaml", line)])
        self.assertEqual(self.places("./deploy/envoy.yaml"), [("deploy/envoy.yaml", line)])
        both = [("deploy/base/two%20docs.yaml", line + 4), ("deploy/envoy.yaml", line)]
        self.assertEqual(sorted(self.places("deploy")), both)
        self.assertEqual(sorted(self.places("deploy/base/two docs.yaml", "deploy/envoy.yaml")), both)
        (self.dir / "deploy/base/two docs.yaml").unlink()
        self.assertEqual(self.places(self.dir / "deploy"), [("envoy.yaml", line)])

    @consumers.needs_venv
    def test_a_reader_of_logs_finds_file_and_line(self):
        line = self.repository()
        result = harness.debrief("check", "deploy/envoy.yaml", "-o", "sarif", cwd=self.dir, text=False)
        _, records = consumers.open_sarif(result.out)
        self.assertEqual([(r["Location"], r["Line"], r["Severity"], r["Code"]) for r in records],
                         [("deploy/envoy.yaml", line, "warning", "ems-connection.host-network-dns")])

    def test_lines_of_logs(self):
        (place, *_) = self.open(consumers.incident())["results"][0]["locations"]
        self.assertEqual(place["physicalLocation"]["region"]["startLine"], 118)
        self.assertIn("StreamAggregatedResources", place["physicalLocation"]["region"]["snippet"]["text"])
        self.assertEqual(place["logicalLocations"], [{
            "name": "ems.example:443", "kind": "xds-server",
            "fullyQualifiedName": "http://127.0.0.1:9901/xds-server/ems.example:443"}])

    def test_what_went_wrong_is_told(self):
        (invocation,) = self.open(consumers.incident())["invocations"]
        self.assertFalse(invocation["executionSuccessful"])
        self.assertEqual([(n["level"], n["descriptor"]["id"]) for n in invocation["toolExecutionNotifications"]],
                         [("error", "check-error"), ("warning", "source-problem")])

    def test_waivers_and_baseline(self):
        states = {"new": "new", "unchanged": "unchanged", "worse": "updated", "better": "updated"}

        def change(report):
            consumers.waive_all(report)
            for finding, state in zip(report["targets"][0]["findings"], states):
                finding["baseline"] = state
        run = self.open(consumers.edited(consumers.incident(), change))
        self.assertEqual([result["baselineState"] for result in run["results"]], list(states.values()))
        self.assertEqual(run["results"][0]["suppressions"], [{
            "kind": "external", "status": "accepted", "justification": "known & accepted (owner edge, until 2027-01-31)"}])


harness.main()
