"""What is installed, and making a section of one's own: list, explain, new, lint, test."""
import csv
import io
import json
import shutil
import subprocess

import harness
from harness import Case, debrief

SITE = ["--plugin-path", harness.HERE / "sections"]
MEMBERS = ["id", "section", "title", "needs", "findings", "origin"]


class List(Case):
    def test_text_json_and_csv_tell_the_same(self):
        text, rows = debrief("list", *SITE).out, json.loads(debrief("list", *SITE, "-o", "json").out)
        table = list(csv.DictReader(io.StringIO(debrief("list", *SITE, "-o", "csv").out)))
        for row in rows:
            self.assertIn(list(row), [MEMBERS, [*MEMBERS, "applies"]])
        self.assertEqual([row["applies"] for row in table], [row.get("applies", "") for row in rows])
        self.assertEqual([row["id"] for row in table], [row["id"] for row in rows])
        self.assertEqual([line.split()[0] for line in text.splitlines()], [row["id"] for row in rows])
        for line, row in zip(text.splitlines(), rows):
            self.assertIn(f"  {row['title']}  ", line)
            self.assertTrue(line.endswith("  " + row["origin"]), line)
            self.assertIn(f"  {row.get('applies', 'any')}  ", line)
        full = debrief("list", *SITE, "--verbose").out
        self.assertEqual([line.split()[0] for line in full.splitlines() if line[0] != " "], [row["id"] for row in rows])
        self.assertIn("finds    site-said.", full)
        site = next(row for row in rows if row["id"] == "site-said")
        self.assertEqual(site["findings"], ["site-said.thing", "site-said.other"].__class__(sorted(site["findings"])))
        self.assertEqual(site["needs"], ["text"])
        self.assertTrue(site["origin"].endswith("site-said/site-said.lua"))

    def test_selection(self):
        out = debrief("list", *SITE, "--select", "tag:test", "-o", "json").out
        self.assertEqual([row["id"] for row in json.loads(out)], ["site-said"])

    def test_plugin_path_by_environment(self):
        result = debrief("list", env={"DEBRIEF_PLUGIN_PATH": str(harness.HERE / "sections")})
        self.assertIn("\nsite-said  ", result.out)


class Explain(Case):
    def test_a_finding_by_its_manual(self):
        result = debrief("explain", "site-said.other", *SITE)
        self.assertStatus(result, 0)
        self.assertIn("site-said.other (warning): another thing was said", result.out)
        self.assertIn("Somebody said something else.", result.out)
        self.assertNotIn("Somebody said so.", result.out)

    def test_a_check(self):
        out = debrief("explain", "site-said", *SITE).out
        for text in ("what does the text say?", "text: ", "SITE (?<level>", "site-said.thing (error)",
                     "--param site-said.prefix=said", "tags     test"):
            self.assertIn(text, out)

    def test_every_finding_and_check_that_is_installed(self):
        for row in json.loads(debrief("list", "-o", "json").out):
            self.assertStatus(debrief("explain", row["id"]), 0)
            for finding in row["findings"]:
                result = debrief("explain", finding)
                self.assertStatus(result, 0)
                self.assertEqual(result.err, "", f"{finding} has no manual")

    def test_what_a_finding_can_cause(self):
        section = self.dir / "site-x"
        debrief("new", "site-x", "--dir", self.dir)
        code, manual = section / "site-x.lua", section / "README.md"
        code.write_text(code.read_text().replace('severity = "warning"', 'severity = "warning", explains = '
                                                 '{ "probes.draining", "no-such.thing" }'))
        manual.write_text(manual.read_text().rstrip() + " It is **bold**.\n")
        lines = debrief("explain", "site-x.debug-log", "--plugin-path", self.dir).out.splitlines()
        self.assertIn("can cause  probes.draining, no-such.thing (not installed)", lines)
        self.assertTrue(any(line.endswith("It is bold.") for line in lines))
        self.assertEqual(lines[lines.index("can cause  probes.draining, no-such.thing (not installed)") - 1], "")

    def test_near_misses(self):
        self.assertUsage(debrief("explain", "site-siad.thing", *SITE), "'site-said.thing'")
        self.assertUsage(debrief("explain", "thing", *SITE), "'site-said.thing'")
        self.assertUsage(debrief("explain", "xyzzy", *SITE), "debrief list")


class New(Case):
    def test_a_section_passes_lint_and_test(self):
        for lang in ("lua", "c"):
            with self.subTest(lang):
                made = debrief("new", f"site-{lang}-ports", "--lang", lang, "--dir", self.dir)
                self.assertStatus(made, 0)
                section = self.dir / f"site-{lang}-ports"
                self.assertEqual(made.out.strip(), str(section))
                lint = debrief("lint", section)
                self.assertStatus(lint, 0)
                self.assertIn("1 section, 0 problems", lint.out)
                test = debrief("test", section)
                self.assertStatus(test, 0)
                self.assertEqual(test.out.splitlines()[-1], "3 passed, 0 failed")
                self.assertIn(f"\nsite-{lang}-ports  ", debrief("list", "--plugin-path", self.dir).out)
                self.assertNotIn("my-section", "".join(p.read_text(errors="replace") for p in section.rglob("*")
                                                       if p.suffix in (".lua", ".c", ".md", ".json", ".txt")))

    def test_a_section_in_c_needs_one_header(self):
        debrief("new", "alone", "--lang", "c", "--dir", self.dir)
        done = subprocess.run(["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-Iinclude", "-o",
                               "alone.so", "alone.c"], cwd=self.dir / "alone", capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_names(self):
        for name in ("Upper", "a b", "../x", "-a", "", "a_b", "a.b"):
            with self.subTest(name):
                self.assertUsage(debrief("new", "--dir", self.dir, "--", name), "is no name for a section")
        self.assertUsage(debrief("new", "site-said", "--dir", self.dir, env={
            "DEBRIEF_PLUGIN_PATH": str(harness.HERE / "sections")}), "'site-said' is there already")

    def test_nothing_is_overwritten(self):
        self.file("mine/keep.txt", "mine")
        result = debrief("new", "mine", "--dir", self.dir)
        self.assertStatus(result, 1)
        self.assertEqual((self.dir / "mine/keep.txt").read_text(), "mine")


class Section(Case):
    """A new section, broken in one way after the other."""

    def setUp(self):
        super().setUp()
        debrief("new", "site-x", "--dir", self.dir)
        self.section = self.dir / "site-x"

    def change(self, name, old, new):
        path = self.section / name
        text = path.read_text()
        self.assertIn(old, text)
        path.write_text(text.replace(old, new))

    def assertProblem(self, *texts):
        result = debrief("lint", self.section)
        self.assertStatus(result, 3)
        for text in texts:
            self.assertIn(text, result.out)


class Lint(Section):
    def test_code_that_does_not_load(self):
        self.change("site-x.lua", "needs = ", "need = ")
        self.assertProblem("not used:", "need", "no check of this section could be loaded")

    def test_needs_that_do_not_exist(self):
        self.change("site-x.lua", '"proxy" }', '"proxi" }')
        self.assertProblem("proxi")

    def test_manual_and_findings_agree_both_ways(self):
        self.change("README.md", "## site-x.debug-log", "## site-x.other")
        self.assertProblem("README.md: no heading for 'site-x.debug-log'", "README.md:5: no check declares 'site-x.other'")

    def test_a_heading_without_words(self):
        self.section.joinpath("README.md").write_text("# site-x\n\n## site-x.debug-log\n\n")
        self.assertProblem("nothing is said about 'site-x.debug-log'")

    def test_no_manual(self):
        (self.section / "README.md").unlink()
        self.assertProblem("README.md")

    def test_a_finding_of_another_section(self):
        self.change("site-x.lua", '"site-x.debug-log"', '"other.debug-log"')
        debrief("lint", self.section)
        self.assertProblem("other.debug-log")

    def test_missing_cases(self):
        for name, text in (("fires", "no case where 'site-x' fires"), ("healthy", "no healthy case for 'site-x'"),
                           ("missing", "no case where evidence for 'site-x' is missing")):
            with self.subTest(name):
                shutil.move(self.section / "cases" / name, self.dir / "away")
                self.assertProblem(text)
                shutil.move(self.dir / "away", self.section / "cases" / name)

    def test_expectations_that_cannot_be_read(self):
        self.change("cases/fires/expect.json", '"top"', '"tops"')
        self.assertProblem("cases/fires/expect.json")

    def test_paths(self):
        self.assertUsage(debrief("lint", self.dir / "nothing"), "nothing")
        (self.dir / "hollow").mkdir()
        self.assertUsage(debrief("lint", self.dir / "hollow"), "no section")
        for path, cwd in ((self.dir, None), (".", self.section), ("", self.dir)):
            self.assertStatus(debrief("lint", *filter(None, [path]), cwd=cwd or self.dir), 0)


class Test(Section):
    def assertFails(self, *texts):
        result = debrief("test", self.section)
        self.assertStatus(result, 3)
        for text in texts:
            self.assertIn(text, result.out)

    def test_one_line_a_case(self):
        result = debrief("test", self.section)
        self.assertEqual(result.out.splitlines(), ["passed site-x/fires", "passed site-x/healthy",
                                                   "passed site-x/missing", "3 passed, 0 failed"])
        self.assertEqual(debrief("test", self.section, "--quiet").out, "3 passed, 0 failed\n")

    def test_a_single_case_and_a_folder_of_sections(self):
        self.assertEqual(debrief("test", self.section / "cases/fires").out.splitlines()[-1], "1 passed, 0 failed")
        self.assertEqual(debrief("test", self.section / "cases").out.splitlines()[-1], "3 passed, 0 failed")
        self.assertEqual(debrief("test", cwd=self.dir).out.splitlines()[-1], "3 passed, 0 failed")

    def test_the_code_in_the_folder_is_what_is_tested(self):
        """Even where an installed copy of the section would be found first."""
        copy = self.dir / "elsewhere/site-x"
        shutil.copytree(self.section, copy)
        self.change("site-x.lua", '"the proxy logs', 'nothing.at.all, "the proxy logs')
        result = debrief("test", self.section, env={"DEBRIEF_PLUGIN_PATH": str(copy.parent)})
        self.assertStatus(result, 3)

    def test_what_makes_a_case_fail(self):
        expect = self.section / "cases/fires/expect.json"
        for wanted, text in (({"top": ["site-x.other"]}, "rank 1 is site-x.debug-log"),
                             ({"top": []}, "unexpected warning site-x.debug-log"),
                             ({"top": ["site-x.debug-log"], "never": ["site-x.debug-log"]}, "stands in 'never'"),
                             ({"top": ["site-x.debug-log"], "ask": "no such thing"}, "no ask speaks of"),
                             ({"top": ["site-x.debug-log"], "ask": False}, "it asks for something"),
                             ({"top": ["site-x.debug-log"], "exit": 3}, "exit status 0, not 3"),
                             ({"top": ["site-x.debug-log"], "skip": ["site-x"]}, "check site-x is fail, not skip"),
                             ({"top": ["site-x.debug-log"], "skip": ["no-such"]}, "check no-such is not there"),
                             ({"top": "site-x.debug-log"}, "wrong type"), ({}, "top")):
            with self.subTest(wanted):
                expect.write_text(json.dumps(wanted))
                self.assertFails(text, "2 passed, 1 failed")

    def test_an_error_of_a_check_fails_every_case(self):
        self.change("site-x.lua", "local proxy =", "error('broken') local proxy =")
        self.assertFails("check site-x ended in error", "broken")

    def test_code_that_does_not_load_fails_every_case(self):
        for name in ("fires", "missing"):
            shutil.rmtree(self.section / "cases" / name)
        self.change("site-x.lua", "return debrief.check", "return debrief.chek")
        self.assertFails("FAILED site-x/healthy", "does not load", "0 passed, 1 failed")
        (self.section / "site-x.lua").unlink()
        self.assertNotEqual(debrief("test", self.section).status, 0)

    def test_a_case_may_select_checks(self):
        copy = self.dir / "others/site-y"
        shutil.copytree(self.section, copy)
        for path in (copy / "site-x.lua", copy / "README.md"):
            path.write_text(path.read_text().replace("site-x", "site-y"))
        expect = self.section / "cases/fires/expect.json"
        env = {"DEBRIEF_PLUGIN_PATH": str(copy.parent)}
        for wanted, status in (({}, 3), ({"select": "site-x"}, 0), ({"select": "no-such"}, 3)):
            expect.write_text(json.dumps({"top": ["site-x.debug-log"]} | wanted))
            with self.subTest(wanted):
                self.assertStatus(debrief("test", self.section, env=env), status)

    def test_no_cases_is_a_failure(self):
        shutil.rmtree(self.section / "cases")
        result = debrief("test", self.section)
        self.assertStatus(result, 3)
        self.assertIn("no cases", result.err)

    def test_a_case_without_evidence(self):
        shutil.rmtree(self.section / "cases/fires/evidence")
        self.assertFails("evidence")


harness.main()
