"""Texts of evidence are data in every format: a set of hostile strings walks through all writers.

Once in a report that was edited by hand, where each member of text is hostile, and once in evidence: lines of logs,
names of files, names of targets. Each output is opened by a real consumer of its format, which has to find the text as
text, and nothing else. A new format fails here until it says how it is opened.
"""
import html.parser
import json
import os
import re
import subprocess

import consumers
import harness
from harness import Case, debrief

MARK = "hostile"  # of elements, attributes and labels that nobody may find
HOSTILE = [
    f"<{MARK} onclick=alert(1)>x</{MARK}><script>{MARK}()</script>",
    f"</script></style></textarea></title></pre><{MARK}>",
    f"<!--{MARK}--><![CDATA[{MARK}]]><?{MARK}?><!DOCTYPE {MARK} [<!ENTITY a 'b'>]>&a;&amp;&#60;{MARK}&#62;",
    f"\" onmouseover={MARK} x='` autofocus",
    f"[{MARK}](https://{MARK}.example) ![{MARK}](https://{MARK}.example/x.png) [{MARK}]: https://{MARK}.example",
    f"@{MARK} #1 {MARK}/{MARK}#2 GH-3 www.{MARK}.example https://{MARK}.example mailto:{MARK}@{MARK}.example :{MARK}:",
    f"\n```\n# {MARK}\n~~~\n---\n> {MARK}\n| {MARK} | b |\n|---|---|\n```\n",
    f"# {MARK}", f"- {MARK}", f"1. {MARK}", f"    {MARK}", f"+ {MARK}", f"> {MARK}", "---", "===", f"a\\|{MARK}|b\\",
    f"**{MARK}** _{MARK}_ ~~{MARK}~~ `{MARK} ``{MARK} $${MARK}$$ <https://{MARK}.example>",
    f"\x1b[31m{MARK}\x1b]8;;https://{MARK}.example\x07x\x1b]8;;\x07\x1b]0;{MARK}\x07\x1b[2J\x1bc",
    f"\x9b31m{MARK}\x9d0;{MARK}\x9c\x85\u2028\u2029", f"\u202e{MARK}\u202c\u2066\u200b\u200f\ufeff",
    f"={MARK}()", f"+{MARK}", f"@SUM({MARK})", f"-1+{MARK}|' /C calc'!A0",
    f"]]>\x01\x08\x0b\x0c\x1f{MARK}\ufffe\uffff\x7f",
    f'x"}} 1\n{MARK}{{y="\\n\\', f"{MARK} | errors=0;;0;0\n{MARK}|x=1\r\nOK; {MARK}",
    f'", "{MARK}": "', f"%s%n%x%99999d {MARK}", f"../../../{MARK}/..%2f\\..\\{MARK}", f"~/{MARK} $(touch {MARK}) `id`; {MARK}",
    f"{MARK} " + "long" * 4000, f"{{{{ {MARK} }}}} {{0}} ${{jndi:{MARK}}} <%= {MARK} %>", "\U0001f4a9\u0301 e\u0301 \u00a0 " + MARK,
]
KEPT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")          # what no format carries but JSON
STEERING = re.compile("[\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")  # nor texts for people


def clean(text):
    return KEPT.sub("\ufffd", text)


def plain(text):
    """As people see it: on a line, nothing that steers; blanks do not count."""
    return " ".join(STEERING.sub("\ufffd", KEPT.sub("\ufffd", text).replace("\n", " ")).split(" ")).split()


def soil(node, text, kept=()):
    """Every text in NODE becomes TEXT, but for those members that say what something is."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        if isinstance(value, str) and key not in kept:
            node[key] = text
        elif isinstance(value, (dict, list)):
            soil(value, text, kept)


KEYS = ("severity", "role", "confidence", "state", "verdict", "outcome", "check", "sha256", "lane", "fingerprint", "expires")


def hostile_target(text):
    """A target of which all texts are TEXT."""
    target = json.loads(consumers.incident().read_text())["targets"][0]
    target["timeline"] = [{"time": "t", "lane": "proxy", "text": "t", "source": "s", "locator": "l", "findings": ["f"]}]
    target["unexplained"] = [{"source": "s", "locator": "l", "text": "t", "level": "error"}]
    target["unrecognised"] = ["u"]
    target["walks"] = [{"request": "r", "ends": "refused", "check": "c", "unknown": "u",
                        "hops": [{"kind": "listener", "name": "n", "why": "w", "broke": True, "source": "s", "locator": "l"}]}]
    target["redactions"] = [{"source": "s", "kind": "k", "count": 1}]
    target["findings"][1]["waiver"] = {"finding": "f", "target": "t", "reason": "r", "owner": "o", "expires": "2027-01-31",
                                       "state": "active"}
    target["findings"][0]["evidence"][0]["line"] = 7
    target["sources"][0]["path"] = "p"
    ids = [check["id"] for check in target["checks"]]
    soil(target, text, KEYS)
    for check, name in list(zip(target["checks"], ids))[:-1]: # findings name them
        check["id"] = name
    return target


def hostile_report(texts):
    def change(report):
        report["targets"] = [hostile_target(text) for text in texts]
        report["tool"] = {"name": texts[0], "version": texts[0], "plugins": [{"name": texts[0], "version": "1", "kind": "so"}]}
        report["policy"] = {"config": {"path": texts[0], "sha256": "0"}, "waivers": []}
    return consumers.edited(consumers.incident(), change)


class Names(html.parser.HTMLParser):
    """The names of all elements and attributes of an HTML page."""

    def __init__(self):
        super().__init__()
        self.found, self.links = set(), []

    def handle_starttag(self, tag, attributes):
        self.found |= {tag, *(name for name, _ in attributes)}
        self.links += [value for name, value in attributes if name in ("href", "src", "action", "formaction") and value]


class Openers:
    """How each format is opened, and what has to be found in it; TEXTS in the order of the targets."""

    def __init__(self, case):
        self.case = case

    def text(self, data, texts):
        for options in ((), ("--verbose",), ("--quiet",)):
            out = consumers.render(self.report, "text", *options).decode()
            self.case.assertIsNone(re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]", out))
        lines = consumers.render(self.report, "text", "--quiet").decode().split("\n")[:-1]
        self.case.assertEqual(len(lines), len(texts))
        for text, line in zip(texts, lines):
            self.case.assertEqual(line.split()[1:1 + len(plain(text))][:3], plain(text + ":")[:3])

    def json(self, data, texts):
        self.case.assertEqual([t["name"] for t in json.loads(data)["targets"]], texts)

    def jsonl(self, data, texts):
        lines = consumers.open_jsonl(data)
        self.case.assertEqual([l["target"] for l in lines if l["type"] == "target"], texts)
        messages = [l["message"] for l in lines if l["type"] == "finding"]
        self.case.assertEqual(messages[::4], texts)

    def junit(self, data, texts):
        def xml(text):
            return re.sub("[\ufffe\uffff]", "\ufffd", clean(text))
        suites = consumers.open_junit(data)
        failures = [(case["class"], r["message"], r["type"]) for s in suites for case in s["cases"] for r in case["results"]
                    if r["kind"] == "Failure"]
        for text in texts:
            self.case.assertIn((xml(text),) * 3, failures)

    def sarif(self, data, texts):
        def message(text):
            return clean(re.sub(r"([\[\]])", r"\\\1", text) if "](" in text else text)
        log, _ = consumers.open_sarif(data)
        results = log["runs"][0]["results"]
        self.case.assertEqual([r["message"]["text"] for r in results[::4]], [message(f"{t}: {t}") for t in texts])
        self.case.assertEqual([r["ruleId"] for r in results[::4]], [clean(t) for t in texts])
        for place in consumers.places(log):
            self.case.assertRegex(place["uri"], r"^[A-Za-z0-9._~%/-]+$")
            self.case.assertGreaterEqual(place.get("startLine", 1), 1)
        if consumers.MULTITOOL.exists():
            path = self.case.file("log.sarif", data)
            done = subprocess.run([consumers.MULTITOOL, "validate", path], capture_output=True, text=True, env={
                **os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}, timeout=120)
            self.case.assertNotIn(": error SARIF", done.stdout)

    def prometheus(self, data, texts):
        samples = consumers.open_prometheus(data)
        verdicts = [labels["target"] for name, labels, _ in samples if name == "debrief_target_verdict"]
        self.case.assertEqual(sorted(verdicts), sorted({clean(text) for text in texts}))
        for name, labels, _ in samples:
            self.case.assertTrue(name.startswith("debrief_"))
            self.case.assertFalse([label for label in labels if MARK in label])
            if name == "debrief_finding":
                self.case.assertEqual(labels["subject"], labels["target"])

    def nagios(self, data, texts):
        for text in texts:
            report = hostile_report([text])
            for options in ((), ("--verbose",)):
                out = consumers.render(report, "nagios", *options).decode()
                lines = out.split("\n")[:-1]
                self.case.assertRegex(lines[0], r"^DEBRIEF CRITICAL - [^|<>]*\|errors=2;;0;0 warnings=0;0;;0 infos=1;;;0 waived=1;")
                self.case.assertEqual(out.count("|"), 1)
                self.case.assertEqual(len(lines), 2 if options else 1)  # the other cause is waived
                self.case.assertIsNone(re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", out))

    def markdown(self, data, texts):
        allowed = {"body", "h2", "h3", "p", "strong", "code", "pre", "ol", "ul", "li", "details", "summary", "sub", "table",
                   "thead", "tbody", "tr", "th", "td"}
        for text in texts:
            tree = consumers.open_markdown(consumers.render(hostile_report([text]), "markdown"))
            self.case.assertLessEqual({element.tag for element in tree.iter()}, allowed, text[:80])
            attributes = {name for element in tree.iter() for name in element.attrib}
            self.case.assertLessEqual(attributes, {"class", "start"})
            self.case.assertEqual([len(tree.findall(tag)) for tag in ("h1", "h2", "h3")], [0, 1, 1])
            said = "".join(tree.find("h3").itertext()).split()
            wanted = [re.sub("[\ufffe\uffff]", "\ufffd", word) for word in plain(text)]
            # What is very long is cut to fit.
            self.case.assertEqual([w[:500] for w in said[2:2 + len(wanted)]], [w[:500] for w in wanted])
            for table in tree.iter("table"):
                self.case.assertEqual(len({len(row) for row in table.iter("tr")}), 1, text[:80])

    def html(self, data, texts):
        page = Names()
        page.feed(data.decode())
        page.close()
        self.case.assertFalse([name for name in page.found if MARK in name or name.startswith("on")])
        for link in set(page.links) - {"data:,"}:  # the page's own icon: none
            self.case.assertNotRegex(link.strip().lower(), "^(javascript|data|vbscript):")


@consumers.needs("cmark-gfm")
@consumers.needs("promtool")
@consumers.needs_venv
class EditedReport(Case):
    def test_every_writer_keeps_texts_as_texts(self):
        openers = Openers(self)
        openers.report = hostile_report(HOSTILE)
        for form in consumers.formats():
            with self.subTest(form):
                getattr(openers, form)(consumers.render(openers.report, form), HOSTILE)

    def test_bytes_that_are_no_text(self):
        """A report with bytes between its quotes that are no UTF-8, lone surrogates and NUL."""
        text = hostile_report(["PLACE"]).read_bytes()
        for number, raw in enumerate((b"a\xff\xc0\xafb", b"\xed\xa0\x80", b"cut \xe2\x82", b"\xf8\x88\x80\x80\x80", b"a\\u0000b",
                                      b"a\x00b", b"\\ud800", b"\\udc00\\ud800")):
            saved = self.file(f"{number}.json", text.replace(b"PLACE", raw))
            for form in consumers.formats():
                result = debrief("report", saved, "-o", form, text=False)
                self.assertIn(result.status, (1, 3), result.err)
                result.out.decode()
                if result.status == 1:
                    self.assertRegex(result.err, b"is no report: (not JSON|a NUL byte)")
                    self.assertEqual(result.out, b"")


class Evidence(Case):
    def evidence(self):
        """A directory with a hostile name, files with hostile names, and lines of logs."""
        folder = self.dir / f"<{MARK}>|\"'`*[x](y)@{MARK} \u202e\x1b[31m\n=1"
        folder.mkdir()
        lines = [f"SITE error {line}".encode() for text in HOSTILE for line in text.splitlines() or [text]]
        lines += [b"SITE error \xff\xfe\xc0\xaf\xed\xa0\x80 bytes", b"SITE warning a\x00b", b"SITE error " + b"x" * 70000]
        (folder / "said.txt").write_bytes(b"\n".join(lines) + b"\n")
        names = [f"</{MARK}>"[1:].replace("/", "_"), "|x=1;\n", "-o", "%s%n", "``x``", "<!--", "\x1b]0;x\x07", "=1+1"]
        for name in [*names, b"\xff\xfe"]:
            path = os.path.join(os.fsencode(folder), os.fsencode(name))
            with open(path, "wb") as file:
                file.write(b"SITE warning in a file with a name\n")
        return folder

    def test_the_run_gives_the_same_bytes_as_the_report_and_twice_the_same(self):
        """All formats in one run, twice; then each from the saved report; and each can be opened."""
        folder = self.evidence()
        forms = [form for form in consumers.formats() if form != "json"]

        def outputs(name):
            return [argument for form in [*forms, "json"] for argument in ("-o", f"{form}={self.dir}/{name}.{form}")]
        for name in ("first", "second"):
            self.assertStatus(self.site(folder, *outputs(name)), 3)
        for form in [*forms, "json"]:
            with self.subTest(form):
                first = (self.dir / f"first.{form}").read_bytes()
                self.assertTrue(first)
                self.assertTrue((self.dir / f"second.{form}").read_bytes() == first, "a second run differs")
                again = consumers.render(self.dir / "first.json", form)
                self.assertTrue(again == first, "the saved report renders otherwise")

    @consumers.needs("cmark-gfm")
    @consumers.needs("promtool")
    @consumers.needs_venv
    def test_what_the_program_says_of_it_can_be_opened(self):
        saved = self.dir / "report.json"
        self.assertStatus(self.site(self.evidence(), "-o", f"json={saved}"), 3)
        report = json.loads(saved.read_text())
        (target,) = report["targets"]
        self.assertGreater(len(target["findings"]), len(HOSTILE))
        data = {form: consumers.render(saved, form) for form in consumers.formats()}
        tree = consumers.open_markdown(data["markdown"])
        self.assertEqual({e.tag for e in tree.iter()} & {"a", "img", "script", MARK, "h1", "em", "del"}, set())
        (failure,) = [r for s in consumers.open_junit(data["junit"]) for c in s["cases"] for r in c["results"]]
        self.assertEqual(failure["kind"], "Failure")
        log, _ = consumers.open_sarif(data["sarif"])
        self.assertEqual(len(log["runs"][0]["results"]), len(target["findings"]))
        subjects = [l["subject"] for name, l, _ in consumers.open_prometheus(data["prometheus"]) if name == "debrief_finding"]
        self.assertEqual(sorted(subjects), sorted(f["subject"]["name"] for f in target["findings"]))
        self.assertEqual(len([l for l in consumers.open_jsonl(data["jsonl"]) if l["type"] == "finding"]), len(target["findings"]))
        self.assertEqual((data["nagios"].count(b"\n"), data["nagios"].count(b"|")), (1, 1))
        for form, out in data.items():
            self.assertIsNone(re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", out.decode()), form)


class Table(Case):
    def test_no_cell_is_a_formula(self):
        section = self.dir / "sections/site-cell"
        text = (harness.HERE / "sections/site-said/site-said.lua").read_text().replace("site-said", "site-cell")
        self.file("sections/site-cell/site-cell.lua", text.replace(
            '"what does the text say?"', "'=HYPERLINK(\"http://x\", \"y\")'"))
        rows = consumers.open_csv(debrief("list", "--plugin-path", section.parent, "--select", "site-cell", "-o", "csv").out)
        self.assertEqual([row["title"] for row in rows], ["'=HYPERLINK(\"http://x\", \"y\")"])


harness.main()
