"""Comparing reports: `debrief diff`, and --baseline, which compares while it reports."""
import hashlib
import json
import re
import xml.etree.ElementTree

import jsonschema

import harness
from harness import Case, debrief

LEVELS = ("error", "warning", "incomplete", "never")
REPORT = json.loads((harness.TOP / "docs/report.schema.json").read_text())
DIFF = json.loads((harness.TOP / "docs/diff.schema.json").read_text())
RESOLVER = jsonschema.RefResolver(DIFF["$id"], DIFF, {REPORT["$id"]: REPORT})
ERROR, WARNING = harness.ERROR, harness.WARNING
WAIVED = "waivers:\n- {finding: '*', reason: known, owner: me, expires: %s}\n"


class Reports(Case):
    def assertValid(self, document, schema=REPORT):
        problems = list(jsonschema.Draft202012Validator(schema, resolver=RESOLVER).iter_errors(document))
        self.assertEqual([f"{list(p.absolute_path)}: {p.message}" for p in problems], [])

    def saved(self, name, text, *options):
        """A saved report about TEXT; NAME is that of the file of evidence too."""
        path = self.dir / f"{name}.json"
        self.site(self.file(f"{name}.txt", text), "-o", f"json={path}", *options)
        return path

    def edited(self, path, edit):
        """A copy of a saved report after EDIT."""
        report = json.loads(path.read_text())
        edit(report)
        return self.file(f"edited-{path.name}", json.dumps(report))

    def waived(self, day="2026-12-31"):
        return "--config", self.file(f"waived-{day}.yaml", WAIVED % day)

    def diff(self, old, new, *options):
        result = debrief("diff", old, new, "-o", "json", *options)
        self.assertValid(result.report, DIFF)
        counts = {name: count for name, count in result.report["summary"].items() if count}
        return counts, result


class Diff(Reports):
    def test_waivers_take_part(self):
        open_, waived = self.saved("open", ERROR), self.saved("waived", ERROR, *self.waived())
        expired = self.saved("expired", ERROR, *self.waived("2026-11-20"))
        for old, new, counts, status in ((open_, waived, {"waived": 1}, 0), (waived, open_, {"worse": 1}, 3),
                                         (waived, expired, {"worse": 1}, 3), (open_, expired, {"unchanged": 1}, 0),
                                         (waived, waived, {"unchanged": 1}, 0)):
            with self.subTest(f"{old.stem} to {new.stem}"):
                found, result = self.diff(old, new)
                self.assertEqual(found, counts)
                self.assertStatus(result, status)
        row = self.diff(waived, expired)[1].report["findings"][0]
        self.assertEqual((row["was"]["waiver"]["state"], row["finding"]["waiver"]["state"]), ("active", "expired"))
        text = debrief("diff", waived, expired).out
        self.assertIn("was      error, waived", text)
        self.assertIn("waiver of me expired on 2026-11-20: known", text)

    def test_a_new_one_that_is_waived_at_once_does_not_count(self):
        found, result = self.diff(self.saved("old", harness.NOTHING), self.saved("new", ERROR, *self.waived()))
        self.assertEqual(found, {"new": 1})
        self.assertStatus(result, 0)

    def test_what_it_was(self):
        old = self.saved("old", "SITE warning a\n", "--param", "site-said.prefix=then")
        new = self.saved("new", "SITE warning a\n", "--param", "site-said.prefix=now")
        found, result = self.diff(old, new)
        self.assertEqual(found, {"unchanged": 1})
        self.assertEqual(result.report["findings"][0]["was"]["message"], "then: SITE warning a")
        self.assertIn("was      warning: then: SITE warning a", debrief("diff", old, new, "--verbose").out)
        self.assertNotIn("was", self.diff(new, new)[1].report["findings"][0])

    def test_one_proxy_under_two_names(self):
        result = self.diff(self.saved("old", ERROR), self.saved("new", ERROR))[1]
        self.assertEqual(result.report["targets"], [{"target": str(self.dir / "new.txt"), "old_target": str(self.dir / "old.txt"),
                                                     "old": "error", "new": "error"}])

    def test_proxies_of_a_fleet_by_their_node(self):
        """Names differ, as between addresses and bundles; a node that two proxies share tells nothing."""
        def fleet(name, nodes):
            folders = []
            for i, node in enumerate(nodes):
                info = {**harness.SERVER_INFO, "node": {"id": node, "cluster": "c"}}
                folders.append(self.file(f"{name}-{i}/server_info.json", json.dumps(info)).parent)
                self.file(f"{name}-{i}/note.txt", f"SITE error {node}\n")
            self.site(*folders, "-o", f"json={self.dir / name}.json")
            return self.dir / f"{name}.json"

        old, new = fleet("old", ["a", "b", "same", "same"]), fleet("new", ["same", "same", "b", "a"])
        result = self.diff(old, new)[1]
        pairs = {row["target"][-5:]: row.get("old_target", "")[-5:] for row in result.report["targets"] if "new" in row}
        self.assertEqual(pairs, {"new-0": "", "new-1": "", "new-2": "old-1", "new-3": "old-0"})
        self.assertEqual([row["target"][-5:] for row in result.report["targets"] if "new" not in row], ["old-2", "old-3"])
        text = debrief("diff", old, new).out
        self.assertIn("old-2: error, not in the later report", text)
        self.assertIn("new-0: error, not in the earlier report", text)
        self.assertIn("2 of 6 targets without a change", text)

    def test_equal_fingerprints_are_matched_one_by_one(self):
        def twice(report):
            findings = report["targets"][0]["findings"]
            findings.append({**findings[0], "severity": "warning"})

        old = self.edited(self.saved("old", ERROR), twice)
        self.assertEqual(self.diff(old, old)[0], {"unchanged": 2})

    def test_text(self):
        old, new = self.saved("old", "SITE error a\nSITE warning b\n"), self.saved("new", "SITE error a\nSITE error c\n")
        result = debrief("diff", old, new)
        self.assertEqual(result.out, f"""{self.dir}/new.txt: error as before ({self.dir}/old.txt)
  new
    ✖ a thing was said [site-said.thing]
      what     said: SITE error c
  gone
    ▲ another thing was said [site-said.other]
      what     said: SITE warning b

1 new, 1 gone, 1 unchanged
""")
        self.assertEqual(debrief("diff", old, new, "--quiet").out, "1 new, 1 gone, 1 unchanged\n")
        nothing = self.saved("nothing", harness.NOTHING)
        self.assertEqual(debrief("diff", nothing, nothing).out, "no findings in either report\n")

    def test_markdown(self):
        old, new = self.saved("old", "SITE error a\nSITE warning b\n"), self.saved("new", "SITE info a\nSITE error c|d <x>\n")
        text = debrief("diff", old, new, "-o", "markdown").out
        rows = [row for row in text.splitlines() if row.startswith("|")]
        self.assertEqual(text.splitlines()[0], "**debrief diff:** 1 new, 1 better, 1 gone")
        self.assertEqual([row.split("|")[1].strip() for row in rows[2:]], ["new", "better", "gone"])
        self.assertIn("info, before: error", rows[3])
        self.assertTrue(all(len(re.findall(r"(?<!\\)\|", row)) == 6 for row in rows), rows)
        self.assertNotRegex(text, "(?m)[^`]<x>[^`]")

    def test_markdown_stays_small(self):
        new = self.saved("new", "".join(f"SITE error {i:04} {'x' * 300}\n" for i in range(2000)))
        text = debrief("diff", self.saved("old", harness.NOTHING), new, "-o", "markdown").out
        self.assertLess(len(text.encode()), 60000)
        self.assertRegex(text.splitlines()[-1], r"^\d+ more do not fit here\.$")

    def test_it_exits_as_the_newer_report_wants(self):
        never = "--config", self.file("never.yaml", "fail-on: never\n")
        new = self.saved("new", ERROR, *never)
        self.assertStatus(debrief("diff", self.saved("old", harness.NOTHING), new), 0)
        self.assertStatus(debrief("diff", self.saved("old", harness.NOTHING), new, "--fail-on", "error"), 3)

    def test_damaged_reports_do_not_crash(self):
        whole = self.saved("whole", ERROR + WARNING, *self.waived())

        def paths(node, path=()):
            members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
            for key, value in members:
                yield path + (key,)
                yield from paths(value, path + (key,))

        for path in list(paths(json.loads(whole.read_text())))[::15]:
            def damage(report):
                at = report
                for key in path[:-1]:
                    at = at[key]
                at[path[-1]] = 7 if isinstance(at[path[-1]], (str, list, dict)) else {"x": []}

            damaged = self.edited(whole, damage)
            for command in (["diff", damaged, whole], ["diff", whole, damaged, "-v"], ["report", damaged, "--baseline", whole],
                            ["report", whole, "--baseline", damaged, "-v"], ["merge", whole, damaged], ["merge", damaged, whole]):
                result = debrief(*command)
                self.assertIn(result.status, (0, 1, 3), f"{path}: {command}: {result.err}")
                self.assertNotIn("Sanitizer", result.err)


class Baseline(Reports):
    def beside(self, old, text, *options):
        """The report on TEXT beside the saved one OLD."""
        result = self.site(self.file("now.txt", text), "--baseline", old, "-o", "json", *options)
        self.assertValid(result.report)
        return result

    def test_only_what_is_new_or_worse_fails(self):
        nothing, both = self.saved("nothing", harness.NOTHING), self.saved("both", ERROR + WARNING)
        light, error = self.saved("light", "SITE info a\n"), self.saved("error", ERROR)
        for old, text, wanted in ((both, ERROR + WARNING, (0, 0, 0, 0)), (nothing, ERROR + WARNING, (3, 3, 3, 0)),
                                  (error, ERROR + WARNING, (0, 4, 4, 0)), (light, ERROR, (3, 3, 3, 0)),
                                  (both, "SITE info a\n", (0, 0, 0, 0)), (both, harness.NOTHING, (0, 0, 0, 0))):
            for level, status in zip(LEVELS, wanted):
                with self.subTest(old=old.stem, text=text, level=level):
                    self.assertStatus(self.beside(old, text, "--fail-on", level), status)

    def test_what_the_report_says(self):
        old = self.saved("old", "SITE error a\nSITE info b\nSITE warning w\nSITE error x\n")
        result = self.beside(old, "SITE error a\nSITE error b\nSITE warning w\nSITE error new\n")
        marks = {f["subject"]["name"]: f["baseline"] for f in result.target["findings"]}
        self.assertEqual(marks, {"a": "unchanged", "b": "worse", "w": "unchanged", "new": "new"})
        self.assertEqual(result.report["summary"]["baseline"], {"new": 1, "worse": 1, "better": 0, "unchanged": 2, "gone": 1})
        self.assertEqual(result.report["policy"]["baseline"],
                         {"path": str(old), "sha256": hashlib.sha256(old.read_bytes()).hexdigest()})
        self.assertEqual(result.target["baseline"], {"verdict": "error", "incomplete": False})
        self.assertEqual(list(result.report), ["schema", "tool", "started", "finished", "summary", "policy", "targets"])
        text = self.site(self.dir / "now.txt", "--baseline", old, env={"COLUMNS": "120"}).out
        self.assertIn("[site-said.thing] (new)", text)
        self.assertIn("[site-said.thing] (worse)", text)
        self.assertIn("1 new, 1 worse, 0 better, 2 unchanged, 1 gone", " ".join(text.split()))

    def test_together_with_waivers(self):
        nothing, waived = self.saved("nothing", harness.NOTHING), self.saved("waived", ERROR, *self.waived())
        self.assertStatus(self.beside(nothing, ERROR, *self.waived()), 0)
        self.assertStatus(self.beside(nothing, ERROR, *self.waived("2026-11-20")), 3)
        self.assertStatus(self.beside(waived, ERROR), 3)
        self.assertStatus(self.beside(waived, ERROR, *self.waived("2026-11-20")), 3)
        result = self.beside(self.saved("open", ERROR), ERROR, *self.waived())
        self.assertEqual(result.target["findings"][0]["baseline"], "better")
        self.assertStatus(result, 0)

    def test_what_could_not_be_read_before_is_no_news(self):
        dead, cut = harness.closed_port(), self.file("cut/x.txt", harness.NOTHING).parent
        (cut / "server_info.json").write_text(harness.PAGES["/server_info"][:-40])
        old = self.dir / "old.json"
        self.site(dead, cut, "-o", f"json={old}")
        self.assertStatus(self.site(dead, cut, "--baseline", old, "--fail-on", "incomplete"), 0)
        self.assertStatus(self.site(dead, cut, "--fail-on", "incomplete"), 1)
        alive = self.saved("alive", harness.NOTHING)
        self.assertStatus(self.site(dead, "--baseline", alive), 1)
        self.assertStatus(self.site(cut, "--baseline", alive, "--fail-on", "incomplete"), 5)

    def test_saved_reports_exit_by_the_document_alone(self):
        old, kept = self.saved("old", ERROR), self.dir / "kept.json"
        self.assertStatus(self.site(self.file("now.txt", ERROR), "--baseline", old, "-o", f"json={kept}"), 0)
        for command in ("report", "merge"):
            again = debrief(command, kept, "-o", "json")
            self.assertStatus(again, 0)
            self.assertEqual(again.out, kept.read_text())

    def test_of_report_and_merge(self):
        old, new = self.saved("old", ERROR), self.saved("new", ERROR + WARNING)
        direct = self.beside(old, ERROR + WARNING, "--fail-on", "warning")
        for command in ("report", "merge"):
            later = debrief(command, new, "--baseline", old, "-o", "json", "--fail-on", "warning")
            self.assertStatus(later, 4)
            self.assertValid(later.report)
            self.assertEqual(later.report["summary"], direct.report["summary"])
        other = debrief("report", new, "--baseline", new, "-o", "json")
        again = debrief("report", self.file("again.json", other.out), "--baseline", old, "-o", "json", "--fail-on", "warning")
        self.assertEqual(again.report["summary"], direct.report["summary"])

    def test_what_is_no_baseline(self):
        evidence = self.file("now.txt", ERROR)
        self.assertUsage(self.site(evidence, "--baseline", self.dir / "nothing.json"), "nothing.json")
        self.assertUsage(self.site(evidence, "--baseline", "-"), "--baseline takes a file")
        self.assertStatus(self.site(evidence, "--baseline", self.file("x.json", "{}")), 1)


class Formats(Reports):
    """What is no news fails nobody's build, in the terms of each format."""

    def beside(self, text, form):
        old = self.saved("old", ERROR + WARNING)
        return self.site(self.file("now.txt", text), "--baseline", old, "-o", form)

    def test_junit(self):
        for text, failures, skipped in ((ERROR + WARNING, 0, 1), (ERROR + "SITE error new\n", 1, 0)):
            suite = xml.etree.ElementTree.fromstring(self.beside(text, "junit").out)
            self.assertEqual((len(suite.findall(".//failure")), len(suite.findall(".//skipped"))), (failures, skipped))
        self.assertEqual(suite.find(".//failure").get("message"), "said: SITE error new")
        self.assertIn("not new, unchanged beside the baseline: site-said.thing", suite.find(".//system-out").text)

    def test_one_line(self):
        self.assertRegex(self.beside(ERROR + WARNING, "nagios").out, "^DEBRIEF OK - .*: 1 error, 1 warning; nothing of it new")
        self.assertRegex(self.beside(ERROR + "SITE error new\n", "nagios").out, "^DEBRIEF CRITICAL - .*: 2 errors; 1 new or worse")

    def test_markdown(self):
        text = self.beside(ERROR + "SITE error new\n", "markdown").out
        self.assertIn("`site-said.thing`, error, certain, new, container `new`", text)
        self.assertRegex(text, r"beside \S*old.json\S* \(sha256")


class Merged(Reports):
    def test_policies_of_shards(self):
        folders = [self.file(f"{i}/x.txt", ERROR).parent for i in range(3)]
        config = self.file("c.yaml", WAIVED % "2026-12-31" + "severity: {site-said.thing: warning}\nfail-on: warning\n")
        old, shards = self.dir / "old.json", []
        self.site(*folders, "-o", f"json={old}")
        more = ("--config", config, "--baseline", old)
        for i in (1, 2):
            shards.append(self.dir / f"shard-{i}.json")
            self.site(*folders, "--shard", f"{i}/2", "-o", f"json={shards[-1]}", *more)
        merged, whole = debrief("merge", *shards, "-o", "json"), self.site(*folders, "-o", "json", *more)
        self.assertValid(merged.report)
        self.assertEqual(merged.err, "")
        self.assertEqual(merged.status, whole.status)
        for name in ("policy", "summary"):
            self.assertEqual(merged.report[name], whole.report[name])

    def test_of_different_baselines(self):
        a = self.saved("a", ERROR, "--baseline", self.saved("old", ERROR))
        b = self.saved("b", WARNING, "--baseline", self.saved("other", harness.NOTHING))
        for shards, status in (((a, b), 4), ((b, a), 4), ((a, self.saved("c", harness.NOTHING)), 0)):
            merged = debrief("merge", *shards, "-o", "json", "--fail-on", "warning")
            self.assertValid(merged.report)
            self.assertStatus(merged, status)
            self.assertIn("different configurations or baselines", merged.err)
            self.assertNotIn("baseline", merged.report["summary"])

    def test_of_different_configurations(self):
        a = self.saved("a", ERROR, *self.waived())
        b = self.saved("b", WARNING, "--config", self.file("b.yaml", "fail-on: warning\n" + WAIVED % "2026-11-20"))
        merged = debrief("merge", a, b, self.saved("c", harness.NOTHING), "-o", "json")
        self.assertValid(merged.report)
        self.assertIn("different configurations", merged.err)
        self.assertStatus(merged, 4)
        self.assertNotIn("config", merged.report["policy"])
        self.assertEqual([(row["state"], row["findings"]) for row in merged.report["policy"]["waivers"]],
                         [("active", 1), ("expired", 1)])
        self.assertEqual(merged.report["summary"]["waived"], 1)


class Styles(Reports):
    def test_a_saved_report_is_rendered_as_the_run_was(self):
        """Text and JSON, in every style that an option or the environment sets."""
        old = self.saved("old", ERROR)
        evidence = self.file("now.txt", ERROR + WARNING + harness.INFO + "SITE unsure\n")
        saved = self.dir / "kept.json"
        for more in ((), self.waived(), self.waived("2026-11-20"), ("--baseline", old), (*self.waived(), "--baseline", old)):
            self.site(evidence, "-o", f"json={saved}", *more)
            for style in ((), ("--quiet",), ("--verbose",), ("--color", "always"), ("-o", "json")):
                for env in ({}, {"LANG": "C", "COLUMNS": "50"}):
                    with self.subTest(more=more, style=style, env=env):
                        direct = self.site(evidence, *more, *style, env=env)
                        again = debrief("report", saved, *style, env=env)
                        self.assertEqual((again.out, again.status), (direct.out, direct.status))


if __name__ == "__main__":
    harness.main()
