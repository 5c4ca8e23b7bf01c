"""Help, version, and calls that are wrong."""
import harness
from harness import Case, debrief

COMMANDS = "check collect report diff merge evidence list explain new lint test".split()


class Help(Case):
    def test_program_help_names_every_command(self):
        result = debrief("--help")
        self.assertStatus(result, 0)
        for command in COMMANDS:
            self.assertRegex(result.out, rf"(?m)^  {command} ")
        self.assertIn("examples:", result.out)
        self.assertEqual(debrief("help").out, result.out)
        self.assertEqual(debrief("-h").out, result.out)

    def test_every_command_has_help_with_examples_and_options(self):
        for command in COMMANDS:
            with self.subTest(command):
                result = debrief(command, "--help")
                self.assertStatus(result, 0)
                self.assertTrue(result.out.startswith(f"usage: debrief {command}"))
                self.assertIn(f"\n  debrief {command}", result.out.split("examples:")[1])
                self.assertIn("--help", result.out.split("options:")[1])
                self.assertEqual(debrief("help", command).out, result.out)

    def test_help_fits_any_terminal(self):
        for words in ([], *([command] for command in COMMANDS)):
            self.assertEqual([line for line in debrief(*words, "--help").out.splitlines() if len(line) > 80], [], words)

    def test_options_of_check(self):
        out = debrief("check", "--help").out
        for option in ("output", "select", "skip", "plugin-path", "param", "fail-on", "dry-run", "cacert", "cert",
                       "key", "timeout", "no-redact", "quiet", "verbose", "color", "jobs", "shard", "targets",
                       "evidence"):
            self.assertIn(f"--{option}", out)
        self.assertIn("formats: text, json", out)
        self.assertNotIn("--bundle", out)
        self.assertIn("--bundle", debrief("collect", "--help").out)

    def test_version_then_each_plugin_with_version_and_path(self):
        result = debrief("--version", "--plugin-path", harness.HERE / "sections")
        self.assertStatus(result, 0)
        lines = result.out.splitlines()
        self.assertRegex(lines[0], r"^debrief \d+\.\d+\.\d+$")
        self.assertIn(f"site-said 1.2.3 {harness.HERE}/sections/site-said/site-said.lua", lines)

    def test_a_manual_is_wrapped_at_the_width_and_loses_no_word(self):
        for finding in ("grpc-codes.permission-denied", "low-ports.capability-ineffective", "certificates.expiring"):
            narrow, wide = (debrief("explain", finding, env={"COLUMNS": width}).out for width in ("60", "120"))
            self.assertEqual(narrow.split(), wide.split())
            for line in narrow.splitlines():
                self.assertTrue(len(line) <= 60 or len(line.split()) <= 2, line)
            manual = (harness.TOP / "plugins" / finding.split(".")[0] / "README.md").read_text()
            said = manual.split(finding, 1)[1].split("\n", 1)[1].split("\n#", 1)[0]
            words = said.replace("**", "").replace("```", "").split()
            self.assertLessEqual(set(words) - {"sh", "json", "yaml", "text", "lua"}, set(narrow.split()))


class Usage(Case):
    def test_no_command(self):
        result = debrief()
        self.assertStatus(result, 2)
        self.assertEqual(result.out, "")
        self.assertIn("usage: debrief", result.err)

    def test_unknown_command_and_option(self):
        self.assertUsage(debrief("chekc"), "unknown command 'chekc'; see 'debrief --help'")
        self.assertUsage(debrief("--foo"), "unknown option '--foo'; see 'debrief --help'")
        self.assertUsage(debrief("check", "--foo"), "unknown option '--foo'; see 'debrief check --help'")
        self.assertUsage(debrief("check", "-x"), "unknown option '-x'")
        self.assertUsage(debrief("check", "--verb"), "unknown option '--verb'")

    def test_an_option_of_another_command(self):
        self.assertUsage(debrief("check", "--bundle", "x"), "option '--bundle' is not for 'check'")
        self.assertUsage(debrief("list", "--fail-on", "never"), "option '--fail-on' is not for 'list'")

    def test_values_of_options(self):
        wrong = [(["--timeout", "10"], "duration"), (["--timeout", "0s"], "duration"),
                 (["--fail-on", "maybe"], "error|warning|incomplete|never"), (["--jobs", "0"], "--jobs"),
                 (["--jobs", "many"], "--jobs"), (["--shard", "3/2"], "I/N"), (["--shard", "0/2"], "I/N"),
                 (["--shard", "1"], "I/N"), (["--color", "blue"], "auto|always|never"),
                 (["--quiet=yes"], "takes no value"), (["--timeout"], "needs a value")]
        for arguments, text in wrong:
            with self.subTest(arguments):
                self.assertUsage(debrief("check", *arguments), text)

    def test_operands(self):
        self.assertUsage(debrief("report"), "'report' needs REPORT.json")
        self.assertUsage(debrief("diff", "a.json"), "'diff' needs OLD.json NEW.json")
        self.assertUsage(debrief("explain"), "'explain' needs ID")
        self.assertUsage(debrief("list", "x"), "unexpected 'x'")

    def test_selections_that_match_nothing(self):
        evidence = self.file("a.txt", harness.NOTHING)
        self.assertUsage(debrief("check", evidence, "--select", "no-such-check"), "no-such-check")
        self.assertUsage(debrief("check", evidence, "--skip", "tag:nothing"), "nothing")
        self.assertUsage(self.site(evidence, "--param", "site-said.nothing=1"), "nothing")
        self.assertUsage(self.site(evidence, "--param", "site-said"), "site-said")

    def test_plugin_path_that_is_not_there(self):
        self.assertUsage(debrief("check", self.file("a.txt", ""), "--plugin-path", "/nonexistent"), "/nonexistent")

    def test_options_may_follow_operands_and_dashes_end_them(self):
        evidence = self.file("-strange.txt", harness.NOTHING)
        result = debrief("check", "--plugin-path", harness.HERE / "sections", "--select=site-said", "-qo", "text",
                         "--", evidence.name, cwd=self.dir)
        self.assertStatus(result, 0)
        self.assertEqual(len(result.out.splitlines()), 1)


harness.main()
