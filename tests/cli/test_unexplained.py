"""Lines that speak of trouble and that no check knows: they are shown, and never called healthy."""
import harness
from harness import Case, debrief

INFO = "[2026-11-21 07:59:00.000][1][info][main] [source/server/server.cc:1018] starting main dispatch loop\n"


class Unexplained(Case):
    def lines(self, text, *options):
        target = debrief("check", self.file("paste.txt", text), "-o", "json", *options).target
        return target["verdict"], [line["text"].strip() for line in target["unexplained"]]

    def test_what_nobody_knows_is_shown_and_not_called_healthy(self):
        said = "the frobnicator failed to engage: gear 7 is missing"
        result = debrief("check", self.file("paste.txt", f"$ frobctl status\n{said}\n"))
        self.assertStatus(result, 1)
        self.assertIn("speaks of trouble, and no check knows it\n    paste.txt:2  " + said, result.out)

    def test_a_whole_log_that_was_judged_keeps_its_verdict(self):
        odd = "[2026-11-21 07:59:01.000][1][error][main] [a.cc:1] the frobnicator failed to engage"
        self.assertEqual(self.lines(INFO + odd + "\n"), ("ok", [odd]))

    def test_a_critical_line_is_never_healthy(self):
        odd = "[2026-11-21 07:59:01.000][1][critical][main] [a.cc:1] the frobnicator failed to engage"
        self.assertEqual(self.lines(INFO + odd + "\n"), ("unknown", [odd]))

    def test_what_a_check_knows_is_not(self):
        text = "[2026-11-21 07:59:01.000][1][warning][config] [a.cc:1] DeltaAggregatedResources gRPC config stream " \
               "to xds closed: 7, permission denied by policy\n"
        self.assertEqual(self.lines(text), ("error", []))

    def test_lines_that_go_on_belong_to_their_header(self):
        self.assertEqual(self.lines(INFO + "an error in the rest of an informational record\n")[1], [])

    def test_denials_and_quiet_levels_are_no_trouble(self):
        for text in ("no error was seen\n", "errors: 0\n", "error=null\n", '"error": ""\n', "0 errors, 3 warnings\n",
                     "cluster.a.upstream_rq_pending_failure_eject: 4\n", "max_failure 3\n",
                     INFO.replace("starting main dispatch loop", "a failed stream is taken up again")):
            with self.subTest(text):
                self.assertEqual(self.lines(INFO + text if text[0] != "[" else text)[1], [])
                self.assertEqual(self.lines("words\n\n" + text if text[0] != "[" else text)[1], [])

    def test_a_selection_of_checks_tells_nothing_of_it(self):
        self.assertEqual(self.lines(INFO + "\nfatal: nobody knows this\n", "--select", "low-ports")[1], [])

    def test_one_odd_text_among_many_leaves_the_verdict(self):
        folder = self.dir / "many"
        folder.mkdir()
        for i in range(4):
            (folder / f"{i}.log").write_text(INFO)
        (folder / "odd.txt").write_text("fatal: nobody knows this\n")
        target = debrief("check", folder, "-o", "json").target
        self.assertEqual((target["verdict"], len(target["unexplained"])), ("ok", 1))

    def test_the_first_few_are_kept_and_secrets_are_not(self):
        text = "".join(f"\nerror {i}: Authorization: Bearer abcdef0123456789abcdef{i:010}\n" for i in range(9))
        lines = self.lines(text)[1]
        self.assertEqual(len(lines), 5)
        self.assertNotIn("abcdef0123456789", "".join(lines))

    def test_a_log_of_days_is_not_looked_through(self):
        self.assertEqual(self.lines(INFO * 12000 + "\nfatal: nobody knows this\n"), ("ok", []))


harness.main()
