"""Markdown for issues and chats: as GitHub's renderer shows it, and never longer than such places take."""
import json

import consumers
import harness
from harness import Case

LIMIT = 60000
TAGS = {"body", "h2", "h3", "p", "strong", "code", "pre", "ol", "ul", "li", "a", "details", "summary", "sub", "table", "thead",
        "tbody", "tr", "th", "td"}


def text(element):
    return "".join(element.itertext())


def finding_of(report):
    return next(f for target in report["targets"] for f in target["findings"] if f["evidence"] and f["fix"])


@consumers.needs("cmark-gfm")
class Rendered(Case):
    def open(self, path, *options):
        data = consumers.render(path, "markdown", *options)
        tree = consumers.open_markdown(data)
        self.assertLessEqual({element.tag for element in tree.iter()}, TAGS)
        return tree

    def test_one_incident(self):
        report = json.loads(consumers.incident().read_text())
        target, tree = report["targets"][0], self.open(consumers.incident())
        self.assertEqual(text(tree.find("h2")), "✖ http://127.0.0.1:9901: 3 errors from 2 causes")
        causes = [f for f in target["findings"] if f["role"] == "cause"]
        self.assertEqual([text(h).split(". ", 1)[1] for h in tree.findall("h3")], [f["title"] for f in causes])
        blocks = [text(code) for code in tree.iter("code")]
        for finding in causes:
            for step in finding["fix"]:
                self.assertIn(step["command"].strip(), [block.strip() for block in blocks])
        self.assertIn(causes[0]["fix"][0]["snippet"]["text"].strip(), [block.strip() for block in blocks])
        self.assertEqual([a.get("href") for a in tree.iter("a")], causes[0]["references"])
        folds = [text(summary) for summary in tree.iter("summary")]
        self.assertEqual(folds, ["Worth knowing (1)", "To be sure: what to add (1)", "Checks (8)", "Sources (3)"])
        self.assertIn("Follows from it the proxy waits for its first configuration probes.pre-initializing",
                      [text(p) for p in tree.iter("p")])

    def test_real_evidence(self):
        report = json.loads(consumers.real_report().read_text())
        tree = self.open(consumers.real_report())
        rows = [[text(cell) for cell in row] for row in tree.find("table").find("tbody")]
        self.assertEqual(sorted(row[0][2:] for row in rows), sorted(t["name"] for t in report["targets"]))
        for target in report["targets"]:
            one = consumers.edited(consumers.real_report(), lambda r, t=target: r.update(targets=[t]))
            tree = self.open(one)
            said = text(tree)
            folds = [text(summary) for summary in tree.iter("summary")]
            self.assertEqual(f"Ways of requests ({len(target.get('walks', []))})" in folds, bool(target.get("walks")))
            for ask in target["asks"]:
                if target["verdict"] != "unknown":
                    self.assertIn(ask["evidence"], said)
                    self.assertEqual(" ".join(ask["why"].split()) in " ".join(said.split()),
                                     not ask["why"].startswith("needed by "), ask)
            for finding in target["findings"]:
                if finding["role"] == "cause":
                    self.assertIn(" ".join(finding["message"].split()), " ".join(said.split()))

    def test_a_table_keeps_its_columns(self):
        for table in self.open(consumers.real_report()).iter("table"):
            widths = {len(row) for row in table.iter("tr")}
            self.assertEqual(len(widths), 1)

    def test_a_waived_finding_says_why(self):
        tree = self.open(consumers.edited(consumers.incident(), consumers.waive_all))
        self.assertEqual(tree.findall("h3"), [])
        self.assertIn("Waived (4)", [text(summary) for summary in tree.iter("summary")])
        self.assertIn("waived: known & accepted, owner edge, until 2027-01-31", text(tree))

    def test_what_the_configuration_did_is_told(self):
        def change(report):
            consumers.waive_all(report)
            for finding in report["targets"][0]["findings"]:
                finding["waiver"]["state"], finding["severity_was"], finding["baseline"] = "expired", "warning", "worse"
        said = text(self.open(consumers.edited(consumers.incident(), change)))
        self.assertIn("Policy the check said warning", said)
        self.assertIn("Policy waiver of edge, expired on 2027-01-31, known & accepted", said)
        self.assertIn("error, certain, now, worse, 14 times", said)

    def test_what_was_removed_is_told(self):
        def change(report):
            report["targets"][0]["redactions"] = [{"source": "a", "kind": "jwt", "count": 2},
                                                  {"source": "b", "kind": "password", "count": 1},
                                                  {"source": "b", "kind": "jwt", "count": 1}]
        self.assertIn("Removed before anything was written: 3 jwt, 1 password",
                      text(self.open(consumers.edited(consumers.incident(), change))))

    def test_what_only_waived_ones_explain_stands_by_itself(self):
        def change(report):
            report["targets"][0]["findings"][0]["waiver"] = {**waiver, "state": "active"}
        waiver = {"finding": "*", "target": "*", "reason": "r", "owner": "o", "expires": "2027-01-31"}
        tree = self.open(consumers.edited(consumers.incident(), change))
        self.assertIn("the proxy waits for its first configuration", "".join(map(text, tree.findall("h3"))))

    def test_names_are_code_whole_and_alike(self):
        words = "set initial_fetch_timeout: 0s, (runAsUser: 0) or linuxParameters and capabilities.add, retry_on: true; --proxy-uid " \
                "of the Service: e.g. ports: 8080. connect_timeout: the time, bind ::, then HTTP/1.0 at 10.0.0.1:80 i.e. v1.2"
        def change(report):
            finding_of(report)["fix"] = [{"text": words}]
        tree = self.open(consumers.edited(consumers.incident(), change))
        step = next(li for li in tree.iter("li") if "initial_fetch_timeout" in text(li))
        self.assertEqual(text(step).strip(), words)
        self.assertEqual([text(code) for code in step.iter("code")],
                         ["initial_fetch_timeout: 0s", "runAsUser: 0", "linuxParameters", "capabilities.add", "retry_on: true", "--proxy-uid",
                          "connect_timeout", "::"])

    def test_a_fence_is_longer_than_what_it_holds(self):
        def change(report):
            finding_of(report)["evidence"][0]["excerpt"] = "```\n# no heading\n``````\n</pre><script>x</script>"
        tree = self.open(consumers.edited(consumers.incident(), change))
        self.assertIn("```\n# no heading\n``````\n</pre><script>x</script>\n", [text(code) for code in tree.iter("code")])
        self.assertEqual(tree.findall("h1"), [])


class Size(Case):
    def sizes(self, path):
        data = consumers.render(path, "markdown")
        self.assertLessEqual(len(data), LIMIT)
        return data.decode()

    def test_fleets(self):
        for count in (2, 60, 10000):
            def grow(report):
                first = report["targets"][0]
                if count > 1000:
                    first.update(checks=first["checks"][:1], sources=first["sources"][:1], asks=[])
                report["targets"] = [{**first, "name": f"http://10.0.{i // 256}.{i % 256}:9901"} for i in range(count)]
            data = self.sizes(consumers.edited(consumers.incident(), grow))
            self.assertTrue(data.startswith(f"## ✖ {count} targets: {count} with errors\n"), data[:80])
            shed = data.rsplit("left out to stay below 60 kB: ", 1)
            self.assertEqual(len(shed), 1 if count == 2 else 2)
            if count > 2:
                self.assertTrue(shed[1].startswith("sources"), shed[1])
                self.assertIn("debrief report REPORT.json", shed[1])

    def test_detail_goes_in_its_order(self):
        def grow(report):
            target = report["targets"][0]
            target["sources"] = [{**target["sources"][0], "name": f"log/{i}.log"} for i in range(2000)]
        data = self.sizes(consumers.edited(consumers.incident(), grow))
        self.assertTrue(data.split("left out to stay below 60 kB: ")[1].startswith("sources. All"))
        self.assertTrue("Checks (8)" in data)

    def test_huge_texts(self):
        for filler in ("x", "`", "|", "@a ", "\n"):
            def grow(report):
                target, finding, huge = report["targets"][0], finding_of(report), (filler * 3000)[:3000]
                finding["message"] = finding["title"] = finding["subject"]["name"] = huge * 10
                finding["evidence"] = [{**finding["evidence"][0], "excerpt": huge}] * 8
                finding["fix"] = [{"text": huge, "command": huge, "snippet": {"path": huge, "text": huge * 5}}] * 12
                finding["references"] = finding["explains"] = [huge] * 12
                finding["candidates"] = [{"id": huge, "for": [huge] * 9, "against": [huge] * 9}] * 3
                target["name"] = huge
                target["findings"] = [finding] * 12
                target["asks"] = [{"evidence": huge, "why": huge, "how": huge}] * 12
                target["timeline"] = [{"time": huge, "lane": "proxy", "text": huge, "source": huge}] * 12
                target["unexplained"] = [{"source": huge, "locator": huge, "text": huge}] * 12
            for targets in (1, 3) if filler == "`" else (1,):
                with self.subTest(filler=filler, targets=targets):
                    path = consumers.edited(consumers.incident(),
                                            lambda r: (grow(r), r.update(targets=r["targets"] * targets)))
                    end = self.sizes(path)[-100:]
                    self.assertTrue(end.endswith("All of it: <code>debrief report REPORT.json --verbose</code></sub>\n"), end)


harness.main()
