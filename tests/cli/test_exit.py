"""Exit statuses: the same for every format and number of targets."""
import harness
from harness import Case

LEVELS = ("error", "warning", "incomplete", "never")


class Status(Case):
    def assertStatuses(self, targets, wanted):
        """WANTED: the statuses for --fail-on error, warning, incomplete and never."""
        for level, status in zip(LEVELS, wanted):
            for form in ("text", "json"):
                with self.subTest(level=level, form=form):
                    self.assertStatus(self.site(*targets, "--fail-on", level, "-o", form), status)

    def folder(self, name, text):
        return self.file(f"{name}/note.txt", text).parent

    def test_one_target(self):
        for name, text, wanted in (("nothing", harness.NOTHING, (0, 0, 0, 0)),
                                   ("info", harness.NOTHING + harness.INFO, (0, 0, 0, 0)),
                                   ("warning", harness.WARNING, (0, 4, 4, 0)), ("error", harness.ERROR, (3, 3, 3, 0)),
                                   ("both", harness.ERROR + harness.WARNING, (3, 3, 3, 0))):
            with self.subTest(name):
                self.assertStatuses([self.folder(name, text)], wanted)

    def test_without_an_option_errors_count(self):
        self.assertStatus(self.site(self.folder("e", harness.ERROR)), 3)
        self.assertStatus(self.site(self.folder("w", harness.WARNING)), 0)

    def test_nothing_could_be_read(self):
        self.assertStatuses([harness.closed_port()], (1, 1, 1, 1))

    def test_incomplete(self):
        """A source that is cut short; what came before stands."""
        folder = self.folder("cut", harness.NOTHING)
        (folder / "server_info.json").write_text(harness.PAGES["/server_info"][:-40])
        self.assertStatuses([folder], (0, 0, 5, 0))

    def test_a_skip_is_not_incomplete(self):
        result = harness.debrief("check", self.folder("n", harness.NOTHING), "--fail-on", "incomplete", "-o", "json")
        self.assertGreater(result.report["summary"]["checks"]["skip"], 0)
        self.assertStatus(result, 0)

    def test_the_first_that_holds_wins(self):
        error, warning = self.folder("e", harness.ERROR), self.folder("w", harness.WARNING)
        dead = harness.closed_port()
        self.assertStatuses([error, dead], (3, 3, 3, 1))
        self.assertStatuses([warning, dead], (1, 1, 1, 1))
        self.assertStatuses([warning, self.folder("n", harness.NOTHING)], (0, 4, 4, 0))


harness.main()
