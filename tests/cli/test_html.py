"""The HTML report without a browser: the same bytes however it is made, its size, its policy."""
import base64
import hashlib
import json
import re

import harness
from harness import TOP, debrief

# The largest page of recorded cases of each kind: most sources, findings, timeline, asks.
CASES = ["lb-health/bad-request", "lb-health/grace-short", "certificates/self-signed", "ems-connection/path-mtu",
         "probes/healthy"]
INCIDENT_MAX = 300_000


def evidence(*cases):
    return [TOP / "plugins" / case.replace("/", "/cases/") / "evidence" for case in cases]


class Html(harness.Case):
    def pages(self, *cases):
        """The page of the run itself, and its document."""
        page, document = self.dir / "run.html", self.dir / "run.json"
        result = debrief("check", *evidence(*cases), "-o", f"html={page}", "-o", f"json={document}", "--fail-on", "never")
        self.assertStatus(result, 0)
        return page.read_bytes(), document

    def test_same_bytes_from_the_run_and_the_report(self):
        for cases in (CASES[2:3], CASES):
            page, document = self.pages(*cases)
            for _ in range(2):
                again = debrief("report", document, "-o", "html", "--fail-on", "never", text=False)
                self.assertEqual(again.out, page)

    def test_an_incident_is_small(self):
        for case in CASES:
            page, _ = self.pages(case)
            self.assertLess(len(page), INCIDENT_MAX, case)

    def test_nothing_but_its_own_style_and_script_may_run(self):
        page = self.pages(CASES[2])[0].decode()
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
        rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
        self.assertEqual(rules["default-src"], "'none'")
        self.assertEqual(rules["base-uri"], "'none'")
        self.assertEqual(rules["form-action"], "'none'")
        for name, rule in (("style", "style-src"), ("script", "script-src")):
            text = re.search(f"<{name}>(.*?)</{name}>", page, re.S)[1]
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            self.assertEqual(rules[rule], f"'sha256-{digest}'")
        self.assertNotRegex(page, r"<[^>]+ (style|on[a-z]+)=")
        self.assertNotRegex(page, r"(src|href)=\"(?!#|data:|https?://)")

    def test_a_timeline_is_shown_by_the_same_rule_in_all_formats(self):
        report = debrief("check", *evidence(CASES[2]), "-o", "json", "--fail-on", "never").report
        target = report["targets"][0]
        finding = target["findings"][0]["id"]
        entry = {"time": "2026-11-21T07:00:00Z", "lane": "proxy", "text": "this Envoy process starts", "source": "admin/server_info.json"}
        for entries, shown in (([entry], False), ([entry, entry], False), ([{**entry, "findings": [finding]}], False),
                               ([entry, {**entry, "findings": []}], False), ([entry, {**entry, "findings": [finding]}], True),
                               ({"a": entry, "b": entry}, False), ("x", False), ([7, {"findings": [finding]}], True)):
            target["timeline"] = entries
            path = self.file("timeline.json", json.dumps(report))
            for form, words in (("text", "what happened when"), ("html", "What happened when"), ("markdown", "Timeline (2)")):
                with self.subTest(form=form, entries=entries):
                    self.assertEqual(words in debrief("report", path, "-o", form, "--fail-on", "never").out, shown)

    def test_a_fleet_begins_above_fifty_targets(self):
        report = debrief("check", *evidence(CASES[2]), "-o", "json", "--fail-on", "never").report
        for count, is_fleet in ((50, False), (51, True)):
            report["targets"] = report["targets"][:1] * count
            page = debrief("report", self.file("many.json", json.dumps(report)), "-o", "html", "--fail-on", "never").out
            self.assertEqual('id="data"' in page, is_fleet)
            self.assertEqual(page.count("<h1"), 1)


if __name__ == "__main__":
    harness.main()
