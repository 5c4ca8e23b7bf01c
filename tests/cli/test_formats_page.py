"""docs/formats.md shows what the program writes, and its recipes work."""
import re
import subprocess

import yaml

import consumers
import harness
from harness import Case, debrief

PAGE = (harness.TOP / "docs/formats.md").read_text()


def blocks(marker):
    """The fenced blocks behind a marker: (what stands behind its colon, text)."""
    return re.findall(rf"<!-- {marker}(?:: (\S+))? -->\n```\w*\n(.*?)```\n", PAGE, re.S)


def missing(shown, written):
    """The first line of SHOWN that WRITTEN has not, in order; lines of dots stand for any number of them."""
    lines, gap = iter(written.split("\n")), True
    for line in shown.rstrip("\n").split("\n"):
        if line == "…":
            gap = True
            continue
        begin, *rest = line.split("…")
        for each in lines:
            if each.startswith(begin) if rest else each == begin:
                break
            if not gap:
                return line
        else:
            return line
        gap = False
    return None


class Page(Case):
    def test_each_format_has_its_place(self):
        table = re.findall(r"(?m)^\| `(\w+)` \| [^|]* \| [^|]* \|$", PAGE.split("\n## ")[0])
        known = set(consumers.formats())
        self.assertLessEqual(set(table), known)
        self.assertLessEqual(known - {"html"}, set(table))

    def test_examples_are_what_the_program_writes(self):
        shown = dict(blocks("example"))
        self.assertLessEqual({"markdown", "junit", "sarif", "prometheus", "nagios", "jsonl"}, set(shown))
        for form, text in shown.items():
            with self.subTest(form):
                self.assertIsNone(missing(text, consumers.render(consumers.incident(), form).decode()))
        self.assertEqual(missing("a\nc\n", "a\nb\nc"), "c")
        self.assertIsNone(missing("a\n…\nc…\n", "a\nb\ncd"))

    def test_recipes_of_jq(self):
        (self.dir / "report.jsonl").write_bytes(consumers.render(consumers.incident(), "jsonl"))
        ((_, text),) = blocks("jq")
        for line in text.splitlines():
            done = subprocess.run(["sh", "-c", line], cwd=self.dir, capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""), line)
            self.assertTrue(done.stdout.strip(), line)

    def test_options_of_recipes_are_known(self):
        """Each call is taken but for its target, which is not there."""
        calls = re.findall(r"debrief (check|report) ([^\n|;']*)", "\n".join(re.findall(r"```\w*\n(.*?)```", PAGE, re.S)))
        calls = [call for call in calls if call[1].strip()]
        self.assertGreater(len(calls), 5)
        for command, rest in calls:
            words = [re.sub(r"^(\w+)=.*", r"\1=" + str(self.dir / "out"), word) if "=" in word and "://" not in word else word
                     for word in rest.split()]
            words = [str(consumers.incident()) if word in ("report.json", "deploy/") else word for word in words]
            words = [harness.closed_port() if "9901" in word else word for word in words]
            for index, word in enumerate(words):
                if word.endswith(str(self.dir / "out")):
                    words[index] = word + str(index)
            self.assertNotEqual(debrief(command, *words).status, 2, (command, words))

    def test_yaml_is_yaml(self):
        for marker in ("yaml", "rules"):
            ((_, text),) = blocks(marker)
            self.assertTrue(yaml.safe_load(text))

    @consumers.needs("promtool")
    def test_rules_of_prometheus(self):
        ((_, text),) = blocks("rules")
        consumers.run(consumers.program("promtool"), "check", "rules", self.file("rules.yaml", text))


harness.main()
