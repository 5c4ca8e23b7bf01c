"""Saved reports: rendering again, comparing, joining."""
import json

import consumers
import harness
from harness import Case, debrief


class Report(Case):
    def test_rendered_again_it_is_the_same_byte_for_byte(self):
        evidence = self.file("a.txt", harness.ERROR + harness.WARNING + harness.INFO)
        saved = self.dir / "report.json"
        for form in consumers.formats():
            also = [] if form == "json" else ["-o", f"json={saved}"]
            direct = self.site(evidence, "-o", form, *also)
            again = debrief("report", saved, "-o", form)
            self.assertEqual(again.out, direct.out)
            self.assertEqual(again.status, direct.status)
        self.assertEqual(debrief("report", saved, "-o", "json").out, saved.read_text())
        self.assertEqual(debrief("report", saved, "--verbose").out, self.site(evidence, "--verbose").out)

    def test_from_standard_input(self):
        saved = self.save("a", harness.ERROR)
        self.assertStatus(debrief("report", "-", input=saved.read_text()), 3)

    def test_it_exits_by_the_report(self):
        warning = self.save("w", harness.WARNING)
        self.assertStatus(debrief("report", warning), 0)
        self.assertStatus(debrief("report", warning, "--fail-on", "warning"), 4)
        self.assertStatus(debrief("report", self.save("e", harness.ERROR), "--fail-on", "never"), 0)

    def test_what_is_no_report(self):
        self.assertUsage(debrief("report", self.dir / "nothing.json"), "nothing.json")
        for name, text in {"cut": '{"schema": "debrief.rep', "other": '{"schema": "debrief.diff/1"}', "list": "[]",
                           "deep": "[" * 10000}.items():
            with self.subTest(name):
                result = debrief("report", self.file(name, text))
                self.assertStatus(result, 1)
                self.assertIn(f"/{name}'", result.err)

    def test_what_two_programs_would_read_in_two_ways(self):
        text = self.save("a", harness.ERROR).read_text()
        twice = text.replace('"name": "debrief",', '"name": "debrief", "name": "other",', 1)
        for name, copy, why in (("raw", text.replace('"name": "debrief"', '"name": "de\0brief"', 1), "a NUL byte at line"),
                                ("escaped", text.replace('"name": "debrief"', '"name": "de\\u0000brief"', 1), "a NUL byte at line"),
                                ("twice", twice, "'name' stands twice in '/tool'"),
                                ("verdict", text.replace('"targets": [', '"schema": "x", "targets": [', 1), "'schema'")):
            with self.subTest(name):
                saved = self.file(name, copy)
                for arguments in (["report", saved], ["diff", self.save("b", ""), saved], ["merge", saved]):
                    result = debrief(*arguments)
                    self.assertStatus(result, 1)
                    self.assertIn(f"/{name}'", result.err)
                    self.assertIn(why, result.err)
        backslash = self.file("fine", text.replace('"name": "debrief"', '"name": "de\\\\u0000brief"', 1))
        self.assertStatus(debrief("report", backslash), 3)

    def test_damaged_reports_do_not_crash(self):
        report = json.loads(self.save("a", harness.ERROR + "SITE unsure\n").read_text())

        def damaged(node, path=()):
            """Copies of the report with one member replaced by something of a wrong type."""
            members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
            for key, value in members:
                yield path + (key,)
                yield from damaged(value, path + (key,))

        files = [argument for form in consumers.formats() for argument in ("-o", f"{form}={self.dir}/out.{form}")]
        for path in list(damaged(report))[::3]:
            copy = json.loads(json.dumps(report))
            at = copy
            for key in path[:-1]:
                at = at[key]
            at[path[-1]] = 7 if isinstance(at[path[-1]], (str, list, dict)) else {"x": []}
            saved = self.file("damaged.json", json.dumps(copy))
            result = debrief("report", saved, "--verbose", *files)
            self.assertIn(result.status, (0, 1, 3), f"{path}: {result.err}")
            self.assertNotIn("Sanitizer", result.err)


class Diff(Case):
    def test_new_gone_unchanged(self):
        old = self.save("old", "SITE error a\nSITE warning b\n")
        new = self.save("new", "SITE error a\nSITE error c\n")
        result = debrief("diff", old, new)
        self.assertStatus(result, 3)
        self.assertIn("\n1 new, 1 gone, 1 unchanged\n", result.out)
        document = json.loads(debrief("diff", old, new, "-o", "json").out)
        self.assertEqual(document["schema"], "debrief.diff/1")
        self.assertEqual([(row["change"], row["finding"]["subject"]["name"]) for row in document["findings"]],
                         [("new", "c"), ("gone", "b"), ("unchanged", "a")])

    def test_it_exits_by_what_is_new(self):
        nothing, warning, error = (self.save(*pair) for pair in
                                   (("n", harness.NOTHING), ("w", harness.WARNING), ("e", harness.ERROR)))
        self.assertStatus(debrief("diff", error, error), 0)
        self.assertStatus(debrief("diff", error, nothing), 0)
        self.assertStatus(debrief("diff", nothing, error), 3)
        self.assertStatus(debrief("diff", nothing, error, "--fail-on", "never"), 0)
        self.assertStatus(debrief("diff", nothing, warning), 0)
        self.assertStatus(debrief("diff", nothing, warning, "--fail-on", "warning"), 4)

    def test_worse_and_better(self):
        light, grave = self.save("light", harness.NOTHING + "SITE info a\n"), self.save("grave", "SITE error a\n")
        self.assertIn("1 worse", debrief("diff", light, grave).out)
        self.assertStatus(debrief("diff", light, grave), 3)
        self.assertIn("1 better", debrief("diff", grave, light).out)
        self.assertStatus(debrief("diff", grave, light), 0)

    def test_what_could_not_be_judged_is_not_gone(self):
        error = self.save("e", harness.ERROR)
        dead = self.dir / "dead.json"
        self.site(harness.closed_port(), "-o", f"json={dead}")
        result = debrief("diff", error, dead)
        self.assertIn("\n1 unjudged\n", result.out)
        self.assertStatus(result, 1)
        self.assertStatus(debrief("diff", dead, dead), 0)

    def test_targets_of_a_fleet_are_told_apart(self):
        a, b = self.file("a/x.txt", harness.ERROR).parent, self.file("b/x.txt", harness.NOTHING).parent
        old, new = self.dir / "old.json", self.dir / "new.json"
        self.site(a, b, "-o", f"json={old}")
        (b / "x.txt").write_text(harness.ERROR)
        self.site(a, b, "-o", f"json={new}")
        document = json.loads(debrief("diff", old, new, "-o", "json").out)
        self.assertEqual([(row["change"], row["target"]) for row in document["findings"]],
                         [("new", str(b)), ("unchanged", str(a))])


class Merge(Case):
    def test_targets_of_all_and_a_new_summary(self):
        folders = [self.file(f"{i}/x.txt", text).parent for i, text in
                   enumerate((harness.ERROR, harness.NOTHING, harness.WARNING))]
        shards = []
        for i in (1, 2):
            shards.append(self.dir / f"shard-{i}.json")
            self.site(*folders, "--shard", f"{i}/2", "-o", f"json={shards[-1]}")
        result = debrief("merge", *shards, "-o", "json")
        self.assertStatus(result, 3)
        self.assertEqual(sorted(t["name"] for t in result.report["targets"]), sorted(map(str, folders)))
        whole = self.site(*folders, "-o", "json").report
        self.assertEqual(result.report["summary"], whole["summary"])
        self.assertEqual(result.report["tool"], whole["tool"])

    def test_of_one_it_is_the_same(self):
        saved = self.save("a", harness.ERROR)
        self.assertEqual(debrief("merge", saved, "-o", "json").out, saved.read_text())

    def test_a_policy_of_a_wrong_type_loses_nothing_of_the_others(self):
        config = self.file("p.yaml", "severity: {site-said.error: warning}\nwaivers:\n"
                           "  - {finding: site-said.*, reason: r, owner: o, expires: 2026-12-31}\n")
        path = self.dir / "whole.json"
        self.site(self.file("e.txt", harness.ERROR), "--config", config, "-o", f"json={path}")
        whole = json.loads(path.read_text())
        for damage in ({"policy": "none"}, {"policy": {"waivers": 7, "severity": "x", "left_out": {}}},
                       {"tool": 7}):
            saved = self.file("damaged.json", json.dumps({**whole, **damage}))
            merged = debrief("merge", saved, path, "-o", "json").report
            for name in ("waivers", "severity"):
                rows = [[{**row, "findings": 0} for row in one["policy"][name]] for one in (merged, whole)]
                self.assertEqual(*rows)

    def test_something_that_is_no_report_among_them(self):
        saved = self.save("a", harness.ERROR)
        self.assertStatus(debrief("merge", saved, self.file("b.json", "{}")), 1)


harness.main()
