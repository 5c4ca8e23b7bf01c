"""The table of exit statuses, walked: every command, and every status that it can end in. What holds for one command
alone (formats, levels, several targets) stands in test_exit.py, test_policy.py and test_diff.py."""
import signal
import socket
import subprocess
import time

import harness
from harness import Case, debrief

CUT = harness.PAGES["/server_info"][:-40]
SITE = ("--plugin-path", harness.HERE / "sections", "--select", "site-said")
# COMMAND: the statuses it can end in. 130 is for what waits: for a target, or for standard input.
CAN_END_IN = {
    "check": {0, 1, 2, 3, 4, 5, 130}, "collect": {0, 1, 2, 130}, "report": {0, 1, 2, 3, 4, 5, 130}, "merge": {0, 1, 2, 3, 4, 5, 130},
    "diff": {0, 1, 2, 3, 4, 5}, "diff --compare": {0, 1, 2, 3, 4, 5, 130}, "evidence": {0, 1, 2, 130}, "list": {0, 1, 2},
    "explain": {0, 2}, "new": {0, 1, 2}, "lint": {0, 2, 3}, "test": {0, 2, 3},
}


class Table(Case):
    def setUp(self):
        super().setUp()
        self.seen = {}
        for name, text in (("nothing", harness.NOTHING), ("error", harness.ERROR), ("warning", harness.WARNING)):
            setattr(self, name, self.file(f"{name}/note.txt", text).parent)
        self.cut = self.file("cut/note.txt", harness.NOTHING).parent
        (self.cut / "server_info.json").write_text(CUT)
        self.dead, self.gone, self.broken = harness.closed_port(), self.dir / "gone", self.file("broken.json", '{"schema": ')

    def saved(self, evidence):
        path = self.dir / f"{evidence.name}.json"
        debrief("check", *SITE, evidence, "-o", f"json={path}")
        return path

    def ends(self, command, status, *arguments, **options):
        with self.subTest(command=command, status=status, arguments=[str(each) for each in arguments]):
            result = debrief(*command.split(), *arguments, **options)
            self.assertStatus(result, status)
            if status == 2:
                self.assertTrue(result.err.startswith("debrief: "), result.err)
            self.seen.setdefault(command, set()).add(status)

    def is_interrupted(self, command, *arguments):
        """Status 130 when it is interrupted while it waits for an answer, or for its standard input."""
        with self.subTest(command=command, status=130), socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            silent.settimeout(20)
            words = [str(each).replace("SILENT", "http://127.0.0.1:%d" % silent.getsockname()[1]) for each in arguments]
            process = subprocess.Popen([harness.PROGRAM, *command.split(), *words], env=harness.environment(), cwd=self.dir,
                                       stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            peer = silent.accept()[0] if "SILENT" in arguments else None
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            status = process.wait(timeout=20)
            process.stdin.close()
            if peer:
                peer.close()
            self.assertIn(status, (130, -signal.SIGINT))  # a shell calls both 130
            self.seen.setdefault(command, set()).add(130)

    def tearDown(self):
        for command, statuses in self.seen.items():
            self.assertEqual(statuses, CAN_END_IN[command], command)

    def walk(self, command, rows):
        for status, *arguments in rows:
            self.ends(command, status, *arguments)

    def unwritable(self, form="text"):
        return "-o", f"{form}={self.gone}/x"

    def test_check(self):
        self.walk("check", [
            (0, *SITE, self.nothing), (0, *SITE, self.warning), (0, *SITE, self.error, "--fail-on", "never"), (0, "--help"),
            (3, *SITE, self.error), (4, *SITE, self.warning, "--fail-on", "warning"), (5, *SITE, self.cut, "--fail-on", "incomplete"),
            (1, *SITE, self.dead), (1, *SITE, self.dead, "--fail-on", "never"), (1, *SITE, self.nothing, *self.unwritable()),
            (2, *SITE, self.gone), (2, "--bogus"), (2, *SITE, self.nothing, "-o", "xml"), (2, *SITE, self.nothing, "--baseline", self.gone),
            (1, *SITE, self.nothing, "--baseline", self.broken), (2, *SITE, self.nothing, "--config", self.gone),
            (3, *SITE, self.error, *self.unwritable())])  # errors win over a format that cannot be written
        self.is_interrupted("check", "SILENT")

    def test_collect(self):
        def to(name):
            return "--bundle", self.dir / name
        self.walk("collect", [
            (0, self.error, *to("a.tar.gz")), (0, self.cut, *to("b.tar.gz")), (1, self.dead, *to("c.tar.gz")),
            (1, self.error, "--bundle", self.gone / "x" / "y.zip"), (2, self.gone), (2, "--bogus")])
        self.is_interrupted("collect", "SILENT", "--bundle", self.dir / "d.tar.gz")

    def test_report_and_merge(self):
        for command in ("report", "merge"):
            self.walk(command, [
                (0, self.saved(self.nothing)), (3, self.saved(self.error)), (4, self.saved(self.warning), "--fail-on", "warning"),
                (5, self.saved(self.cut), "--fail-on", "incomplete"), (1, self.broken), (1, self.saved(self.nothing), *self.unwritable()),
                (2, self.gone), (2,), (2, self.saved(self.nothing), "-o", "xml")])
            self.is_interrupted(command, "-")

    def test_diff(self):
        nothing, error, warning, cut = (self.saved(each) for each in (self.nothing, self.error, self.warning, self.cut))
        self.walk("diff", [
            (0, nothing, nothing), (0, error, error), (0, error, nothing), (3, nothing, error), (4, nothing, warning, "--fail-on", "warning"),
            (5, nothing, cut, "--fail-on", "incomplete"), (1, nothing, self.broken), (1, nothing, error, "--fail-on", "never", *self.unwritable()),
            (2, nothing, self.gone), (2, nothing), (2, nothing, error, "-o", "xml"), (2, nothing, error, "--no-redact")])

    def test_diff_of_targets(self):
        self.walk("diff --compare", [
            (0, *SITE[:2], self.nothing, self.nothing), (3, *SITE[:2], self.nothing, self.error), (0, *SITE[:2], self.error, self.error),
            (4, *SITE[:2], self.nothing, self.warning, "--fail-on", "warning"), (5, *SITE[:2], self.nothing, self.cut, "--fail-on", "incomplete"),
            (1, *SITE[:2], self.nothing, self.dead), (1, *SITE[:2], self.dead, self.nothing), (2, self.nothing, self.gone), (2, self.nothing)])
        self.is_interrupted("diff --compare", "SILENT", self.nothing)

    def test_evidence(self):
        self.walk("evidence", [
            (0, self.nothing), (0, self.nothing, "text"), (0, self.cut), (0, "--dictionary"), (1, self.dead), (1, self.nothing, *self.unwritable()),
            (2, self.gone), (2, self.nothing, "no.such")])
        self.is_interrupted("evidence", "SILENT")

    def test_what_ships(self):
        self.walk("list", [(0,), (1, *self.unwritable("csv")), (2, "--bogus"), (2, "--select", "no-such")])
        self.walk("explain", [(0, "probes"), (0, "probes.draining"), (2, "probes.no-such"), (2,)])

    def test_sections(self):
        self.walk("new", [(0, "mine", "--dir", self.dir), (1, "mine", "--dir", self.dir), (2, "Not_A_Name"), (2,)])
        mine = self.dir / "mine"
        self.walk("lint", [(0, mine), (2, self.gone)])
        self.walk("test", [(0, mine), (2, self.gone)])
        expect = mine / "cases/healthy/expect.json"
        expect.write_text('{"no": "such key"}')
        (mine / "README.md").write_text("# mine\n")
        self.ends("lint", 3, mine)
        self.ends("test", 3, mine)

    def test_the_program(self):
        for status, *words in ((0, "--help"), (0, "--version"), (2,), (2, "bogus"), (2, "--bogus")):
            self.assertStatus(debrief(*words), status)


class Policy(Case):
    """What is known or waived is no reason to fail; what a plugin of Nagios says is its own table."""

    def check(self, evidence, *more):
        return debrief("check", *SITE, evidence, *more)

    def test_waivers_and_baseline(self):
        error = self.file("error/note.txt", harness.ERROR).parent
        waiver = "waivers: [{finding: 'site-said.*', reason: known, owner: me%s}]\n"
        known = self.dir / "known.json"
        self.assertStatus(self.check(error, "-o", f"json={known}"), 3)
        for text, status in (("", 3), (waiver % ", expires: 2030-01-01", 0), (waiver % ", expires: 2020-01-01", 3)):
            with self.subTest(text):
                config = self.file("debrief.yaml", text)
                self.assertStatus(self.check(error, "--config", config), status)
                self.assertStatus(self.check(error, "--config", config, "--baseline", known), 0)
        saved = self.dir / "waived.json"
        self.assertStatus(self.check(error, "--config", self.file("debrief.yaml", waiver % ", expires: 2030-01-01"), "-o", f"json={saved}"), 0)
        for command in (["report", saved], ["merge", saved], ["diff", saved, saved]):
            self.assertStatus(debrief(*command), 0)
        self.assertStatus(self.check(self.file("both/note.txt", harness.ERROR + harness.WARNING).parent, "--baseline", known,
                                     "--fail-on", "warning"), 4)

    def test_nagios(self):
        rows = ((0, harness.NOTHING), (1, harness.WARNING), (2, harness.ERROR))
        for status, text in rows:
            evidence = self.file(f"{status}/note.txt", text).parent
            saved = self.dir / f"{status}.json"
            self.assertStatus(self.check(evidence, "--exit", "nagios", "-o", f"json={saved}", "-o", "nagios"), status)
            for command in ("report", "merge"):
                self.assertStatus(debrief(command, saved, "--exit", "nagios"), status)
        for words in ([harness.closed_port()], [self.dir / "gone"], ["--bogus"]):
            self.assertStatus(self.check(*words, "--exit", "nagios"), 3)


harness.main()
