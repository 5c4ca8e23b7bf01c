"""Formats and destinations of results, and what a terminal is spared."""
import json
import os
import pty
import subprocess

import jsonschema

import consumers
import harness
from harness import Case, debrief

SCHEMA = json.loads((harness.TOP / "docs/report.schema.json").read_text())


def run_on_terminal(*arguments, **env):
    """What the program writes to a terminal of its own."""
    leader, follower = pty.openpty()
    process = subprocess.Popen([harness.PROGRAM, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=follower,
                               stderr=subprocess.DEVNULL, env=harness.environment(**env))
    os.close(follower)
    written = b""
    try:
        while portion := os.read(leader, 65536):
            written += portion
    except OSError:
        pass  # the other end is closed
    process.wait(60)
    os.close(leader)
    return written


class Json(Case):
    def assertValid(self, report):
        jsonschema.Draft202012Validator.check_schema(SCHEMA)
        problems = list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(report))
        self.assertEqual([f"{list(p.absolute_path)}: {p.message}" for p in problems], [])

    def test_reports_keep_to_the_schema(self):
        cases = {"error": harness.ERROR, "warning": harness.WARNING, "info": harness.INFO, "ask": "SITE unsure\n",
                 "nothing": harness.NOTHING, "empty": "", "binary": b"\x00\x01\x02\xff" * 100}
        for name, text in cases.items():
            with self.subTest(name):
                evidence = self.file(name, text)
                self.assertValid(self.site(evidence, "-o", "json").report)
                self.assertValid(debrief("check", evidence, "-o", "json").report)

    def test_real_evidence_keeps_to_the_schema(self):
        report = json.loads(consumers.real_report().read_text())
        self.assertValid(report)
        proofs = [p for t in report["targets"] for f in t["findings"] for p in f["evidence"]]
        self.assertTrue([p for p in proofs if "line" in p])

    def test_live_and_dead_targets_keep_to_the_schema(self):
        with harness.admin_page() as page:
            self.assertValid(debrief("check", page.url, harness.closed_port(), "-o", "json").report)

    def test_members_stand_in_the_order_of_the_contract(self):
        report = self.site(self.file("a.txt", harness.ERROR), "-o", "json").report
        self.assertEqual(list(report), ["schema", "tool", "started", "finished", "summary", "targets"])
        self.assertEqual(list(report["targets"][0]), ["name", "verdict", "envoy", "findings", "checks", "asks",
                                                      "sources", "unrecognised", "unexplained", "timeline"])
        wanted = ["id", "severity", "role", "rank", "confidence", "subject", "state", "first", "last", "count", "title",
                  "message", "explains", "explained_by", "check", "fingerprint", "candidates", "evidence", "fix",
                  "references"]
        finding = report["targets"][0]["findings"][0]
        self.assertEqual(list(finding), [name for name in wanted if name in finding])

    def test_the_clock_is_injected(self):
        report = self.site(self.file("a.txt", harness.ERROR), "-o", "json").report
        self.assertEqual((report["started"], report["finished"]), (harness.NOW, harness.NOW))


class Destinations(Case):
    def test_unknown_format_lists_the_known_ones(self):
        self.assertUsage(self.site(self.file("a", ""), "-o", "xml"), "unknown format 'xml'; known: text, json")

    def test_two_formats_on_standard_output(self):
        evidence = self.file("a", "")
        self.assertUsage(self.site(evidence, "-o", "text", "-o", "json"), "two formats for standard output")
        self.assertUsage(self.site(evidence, "-o", "json=-", "-o", "text"), "two formats for standard output")
        self.assertUsage(self.site(evidence, "-o", f"json={self.dir}/x", "-o", f"text={self.dir}/x"), "two formats")

    def test_several_files_and_standard_output(self):
        evidence = self.file("a.txt", harness.ERROR)
        result = self.site(evidence, "-o", "text", "-o", f"json={self.dir}/report.json")
        self.assertStatus(result, 3)
        self.assertIn("site-said.thing", result.out)
        self.assertEqual(json.loads((self.dir / "report.json").read_text())["summary"]["errors"], 1)
        self.assertEqual(sorted(p.name for p in self.dir.iterdir()), ["a.txt", "report.json"])

    def test_a_file_is_replaced_as_a_whole_and_keeps_the_umask(self):
        evidence, report = self.file("a.txt", harness.ERROR), self.file("report.json", "old " * 100000)
        self.assertStatus(self.site(evidence, "-o", f"json={report}"), 3)
        json.loads(report.read_text())
        umask = os.umask(0)
        os.umask(umask)
        self.assertEqual(report.stat().st_mode & 0o777, 0o666 & ~umask)

    def test_a_file_that_cannot_be_written(self):
        evidence = self.file("a.txt", harness.NOTHING)
        result = self.site(evidence, "-o", "json=/nonexistent/report.json")
        self.assertStatus(result, 1)
        self.assertIn("cannot write '/nonexistent/report.json'", result.err)
        self.assertStatus(self.site(self.file("b.txt", harness.ERROR), "-o", "json=/nonexistent/x"), 3)

    def test_a_full_device(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([harness.PROGRAM, "check", self.file("a.txt", harness.NOTHING)], stdout=full,
                                  stderr=subprocess.PIPE, text=True, env=harness.environment())
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot write to standard output", done.stderr)

    def test_a_closed_pipe_is_no_trouble(self):
        evidence = self.file("a.txt", harness.ERROR * 1000)
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run([harness.PROGRAM, "check", "--plugin-path", harness.HERE / "sections", "--select",
                               "site-said", evidence, "-o", "json"], stdout=writer, stderr=subprocess.PIPE, text=True,
                              env=harness.environment())
        os.close(writer)
        self.assertEqual(done.stderr, "")
        self.assertEqual(done.returncode, 3)


class Text(Case):
    def test_what_an_error_looks_like(self):
        evidence = self.file("a.txt", harness.ERROR)
        out = self.site(evidence).out
        self.assertTrue(out.startswith(f"✖ {evidence}: 1 error: said: SITE error a\n"), out)
        for line in ("a thing was said [site-said.thing]", "SITE error a", "1. say something else", "$ echo else",
                     "read 1 of 1 sources; of 1 checks 1 failed"):
            self.assertIn(line, out)

    def test_nothing_wrong_says_what_was_looked_at(self):
        out = self.site(self.file("a.txt", harness.NOTHING)).out
        self.assertIn("nothing wrong found", out)
        self.assertRegex(out, r"looked at: \S*a\.txt")
        self.assertIn("judged: site-said", out)

    def test_quiet_is_one_line_a_target(self):
        a, b = self.file("a/x.txt", harness.ERROR).parent, self.file("b/x.txt", harness.NOTHING).parent
        lines = self.site(a, b, "--quiet").out.splitlines()
        self.assertEqual(len(lines), 2)
        self.assertIn("1 error", lines[0])
        self.assertIn("nothing wrong found", lines[1])

    def test_verbose_names_every_check(self):
        out = debrief("check", self.file("a.txt", harness.NOTHING), "--verbose").out
        listed = [row["id"] for row in json.loads(debrief("list", "-o", "json").out)]
        for check in listed:
            self.assertRegex(out, rf"(?m)^  . {check}: (pass|fail|skip|not applicable)")

    def test_escapes_of_the_evidence_do_not_reach_the_terminal(self):
        evidence = self.file("a.txt", "SITE error \x1b]0;owned\x07\x1b[31m \u202eevil\n")
        out = self.site(evidence, "--verbose").out
        self.assertIn("SITE error", out)
        self.assertFalse([c for c in out if ord(c) < 32 and c != "\n" or c == "\u202e"])

    def test_ascii_without_a_utf8_locale(self):
        out = self.site(self.file("a.txt", "SITE error ü\n"), env={"LANG": "C", "LC_ALL": ""}).out
        self.assertTrue(out.isascii())
        self.assertTrue(out.startswith("x "))

    def test_color_only_on_a_terminal(self):
        evidence = self.file("a.txt", harness.ERROR)
        call = ["check", "--plugin-path", harness.HERE / "sections", "--select", "site-said", evidence]
        self.assertIn(b"\x1b[", run_on_terminal(*call, TERM="xterm"))
        self.assertNotIn(b"\x1b[", run_on_terminal(*call, TERM="xterm", NO_COLOR="1"))
        self.assertNotIn(b"\x1b[", run_on_terminal(*call, TERM="dumb"))
        self.assertNotIn(b"\x1b[", run_on_terminal(*call, "--color", "never", TERM="xterm"))
        self.assertNotIn("\x1b[", self.site(evidence).out)
        self.assertIn("\x1b[", self.site(evidence, "--color=always").out)


harness.main()
