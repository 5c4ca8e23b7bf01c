"""The configuration file debrief.yaml: where it is found, what it may say, severities and waivers."""
import hashlib
import json
import os
import sys

import jsonschema

import harness
from harness import Case, debrief

sys.path.insert(0, str(harness.TOP / "tests"))
import transcripts

SCHEMA = json.loads((harness.TOP / "docs/report.schema.json").read_text())
LEVELS = ("error", "warning", "incomplete", "never")
BOTH = harness.ERROR + harness.WARNING


def waiver(finding, expires="2026-12-31", **more):
    """A waiver as YAML, to stand in the list `waivers`."""
    fields = {"finding": json.dumps(finding), "reason": "known, ticket 7", "owner": "team-mesh", "expires": expires, **more}
    return "- " + "\n  ".join(f"{name}: {value}" for name, value in fields.items()) + "\n"


class Policy(Case):
    def config(self, text, name="debrief.yaml"):
        return self.file(f"config/{name}", text)

    def evidence(self, text):
        return self.file("evidence/note.txt", text).parent

    def judged(self, evidence, config, *arguments):
        """The report on EVIDENCE under CONFIG (texts)."""
        result = self.site(self.evidence(evidence), "--config", self.config(config), "-o", "json", *arguments)
        problems = list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(result.report))
        self.assertEqual([f"{list(p.absolute_path)}: {p.message}" for p in problems], [])
        return result

    def assertStatuses(self, evidence, config, wanted):
        for level, status in zip(LEVELS, wanted):
            with self.subTest(level=level):
                self.assertStatus(self.judged(evidence, config, "--fail-on", level), status)


class Lookup(Policy):
    """The first file that is there is used, alone."""

    def used(self, *arguments, **env):
        """The path in the report, of a run in a directory of its own."""
        env = {"DEBRIEF_CONFIG": "", **env}
        result = self.site(self.evidence(harness.NOTHING), "-o", "json", *arguments, env=env, cwd=self.here)
        self.assertStatus(result, 0)
        return result.report.get("policy", {}).get("config", {}).get("path"), result.err

    def setUp(self):
        super().setUp()
        self.here = self.file("here/x", "").parent

    def test_in_this_order(self):
        home = self.dir / "home"
        named, variable = self.config("fail-on: never\n", "named.yaml"), self.config("fail-on: never\n", "variable.yaml")
        self.assertEqual(self.used(HOME=str(home))[0], None)
        of_user = self.file("home/.config/debrief/debrief.yaml", "fail-on: never\n")
        self.assertEqual(self.used(HOME=str(home))[0], str(of_user))
        other = self.file("xdg/debrief/debrief.yaml", "fail-on: never\n")
        self.assertEqual(self.used(HOME=str(home), XDG_CONFIG_HOME=str(self.dir / "xdg"))[0], str(other))
        self.file("here/debrief.yaml", "fail-on: never\n")
        path, said = self.used(HOME=str(home))
        self.assertEqual(path, "debrief.yaml")
        self.assertIn("taking the configuration 'debrief.yaml' from the current directory", said)
        path, said = self.used(DEBRIEF_CONFIG=str(variable))
        self.assertEqual((path, said), (str(variable), ""))
        self.assertEqual(self.used("--config", named, DEBRIEF_CONFIG=str(variable)), (str(named), ""))

    def test_none_of_them(self):
        self.file("here/debrief.yaml", "fail-on: never\n")
        self.assertEqual(self.used("--no-config"), (None, ""))
        self.assertEqual(self.used("--config", "none"), (None, ""))
        self.assertEqual(self.used(DEBRIEF_CONFIG="none"), (None, ""))

    def test_a_named_one_must_be_there(self):
        evidence = self.evidence(harness.NOTHING)
        self.assertUsage(self.site(evidence, "--config", self.dir / "nothing.yaml"), "nothing.yaml", "No such file")
        self.assertUsage(self.site(evidence, env={"DEBRIEF_CONFIG": str(self.dir / "no.yaml")}), "no.yaml")
        self.assertUsage(self.site(evidence, "--config", self.dir), "Is a directory")
        self.assertUsage(self.site(evidence, "--config", "x", "--no-config"), "exclude each other")
        self.assertUsage(self.site(evidence, "--config", ""), "--config takes a file")

    def test_the_report_names_it_with_its_hash(self):
        text = "fail-on: never\n"
        policy = self.judged(harness.NOTHING, text).report["policy"]
        self.assertEqual(policy["config"], {"path": str(self.dir / "config/debrief.yaml"),
                                            "sha256": hashlib.sha256(text.encode()).hexdigest()})


class Trust(Policy):
    """What lies in the current directory may have come with the evidence."""

    def here(self, text):
        evidence = self.file("unpacked/note.txt", harness.ERROR).parent
        self.file("unpacked/debrief.yaml", text)
        return evidence

    def test_it_brings_no_code(self):
        evidence = self.here("plugin-path: [sections]\n")
        self.file("unpacked/sections/evil/evil.lua", "error('it ran')")
        for command in (["check", "note.txt"], ["list"], ["explain", "x"], ["--version"], ["evidence", "note.txt"],
                        ["collect", "note.txt"]):
            with self.subTest(command[0]):
                result = debrief(*command, cwd=evidence, env={"DEBRIEF_CONFIG": ""})
                self.assertUsage(result, "debrief.yaml:1:", "'plugin-path' runs code", "--config debrief.yaml")
                self.assertNotIn("it ran", result.err)

    def test_by_name_it_may(self):
        evidence = self.here(f"plugin-path: [{harness.HERE / 'sections'}, lie]\n")
        (evidence / "lie").mkdir()
        result = debrief("list", "--select", "site-said", "--config", "debrief.yaml", cwd=evidence)
        self.assertStatus(result, 0)
        self.assertIn("site-said", result.out)

    def test_what_it_waives_is_said(self):
        evidence = self.here("waivers:\n" + waiver("*"))
        result = self.site("note.txt", cwd=evidence, env={"DEBRIEF_CONFIG": ""})
        self.assertStatus(result, 0)
        self.assertIn("from the current directory", result.err)

    def test_pipes_are_not_waited_for(self):
        evidence = self.file("pipe/note.txt", harness.NOTHING).parent
        os.mkfifo(evidence / "debrief.yaml")
        self.assertUsage(self.site("note.txt", cwd=evidence, env={"DEBRIEF_CONFIG": ""}), "no regular file")

    def test_a_link_is_not_followed(self):
        """An archive can hold one to a file whose first line is nobody's business."""
        evidence = self.file("link/note.txt", harness.NOTHING).parent
        (evidence / "debrief.yaml").symlink_to(self.file("secret", "root:hash:1\n"))
        result = self.site("note.txt", cwd=evidence, env={"DEBRIEF_CONFIG": ""})
        self.assertUsage(result, "is a symbolic link; name it with --config")
        self.assertNotIn("hash", result.err)


class Keys(Policy):
    def refused(self, config, *texts):
        with self.subTest(config[:60]):
            path = self.config(config)
            result = self.site(self.evidence(harness.NOTHING), "--config", path)
            self.assertUsage(result, str(path), *texts)

    def test_what_is_wrong_is_named_with_its_line(self):
        self.refused("fail-on: never\n\nwaiver: []\n", ":3: unknown key 'waiver'; did you mean 'waivers'?")
        self.refused("colour: red\n", ":1: unknown key 'colour'; known: params, plugin-path")
        self.refused("fail-on: sometimes\n", ":1: 'fail-on' takes error, warning, incomplete or never, not 'sometimes'")
        self.refused("fail-on: [error]\n", "'fail-on' takes a text, not a list")
        self.refused("fail-on:\n", "'fail-on' takes a text, not nothing")
        self.refused("fail-on: never\nfail-on: never\n", ":2: 'fail-on' stands here twice, first in line 1")
        self.refused("- a\n", "a configuration is a mapping, not a list")
        self.refused("params: [1]\n", "'params' takes a mapping")
        self.refused("params:\n  nodot: 3\n", ":2: 'nodot' is not of the form CHECK.NAME")
        self.refused("params:\n  nobody.x: 3\n", ":2: no check has the id 'nobody'")
        self.refused("params:\n  site-said.prefx: 3\n", ":2: check 'site-said' has no parameter 'prefx'")
        self.refused("select: site-said\n", "'select' takes a list, not a text")
        self.refused("select: []\n", "'select' is empty")
        self.refused("skip: ['a,b']\n", "holds a comma")
        self.refused("skip:\n  - nobody\n", "no check matches 'nobody' of 'skip' in ", "debrief.yaml:1")
        self.refused("severity:\n  x.y: fatal\n", ":2: 'x.y' takes error, warning or info, not 'fatal'")
        self.refused("severity:\n  X Y: info\n", "'X Y' is neither a finding id")
        self.refused("severity: {x.y: {a: b}}\n", "'x.y' takes a text, not a mapping")

    def test_waivers(self):
        self.refused("waivers: {}\n", "'waivers' takes a list of waivers, not a mapping")
        self.refused("waivers:\n- x\n", ":2: a waiver is a mapping, not a text")
        for name in ("finding", "reason", "owner", "expires"):
            lines = ("waivers:\n" + waiver("x.y")).splitlines()
            kept = [line for line in lines if f" {name}:" not in line]
            if name == "finding":
                kept[1] = kept[1].replace("  ", "- ", 1)
            self.refused("\n".join(kept) + "\n", ":2: a waiver without '%s'" % name)
        self.refused("waivers:\n" + waiver("x.y", until="x"), "unknown key 'until' in a waiver")
        self.refused("waivers:\n" + waiver("nothing"), ":2: 'nothing' is neither a finding id")
        for day in ("soon", "2026-02-30", "2026-13-01", "26-01-01", "2026-1-1", "2026-11-21T08:00:00Z", "10d"):
            self.refused("waivers:\n" + waiver("x.y", day), "is no day like 2026-12-31")
        self.refused("waivers:\n" + waiver("x.y", reason="' '"), "'reason' is empty")
        self.refused("waivers:\n" + waiver("x.y", reason="a" * 1001), "'reason' is longer than 1000 bytes")

    def test_redaction(self):
        self.refused("redact: true\n", "'redact' takes a mapping, not a text")
        self.refused("redact:\n  secrets: false\n", ":2: unknown key 'secrets' in 'redact'; known: identities, patterns")
        self.refused("redact: {patterns: {}}\n", "takes a list of {name, pattern}, not a mapping")
        self.refused("redact: {patterns: [x]}\n", "a pattern of redaction is a mapping, not a text")
        self.refused("redact:\n  patterns:\n  - name: x\n", ":3: a pattern of redaction without 'pattern'")
        self.refused("redact:\n  patterns:\n  - {name: x, pattern: y}\n  - {name: x, pattern: z}\n", ":4: ", "'x' already")
        self.refused("redact: {patterns: [{name: X, pattern: y}]}\n", ":1: ", "cannot be called 'X'")
        self.refused("redact: {patterns: [{name: x, pattern: '('}]}\n", ":1: ")
        self.refused("redact: {patterns: [{name: x, pattern: y, regexp: z}]}\n", "unknown key 'regexp' in a pattern")
        self.refused("redact: {identities: 1}\n", "'identities' takes true or false")
        config = self.config("redact: {patterns: [{name: badge, pattern: 'badge=([0-9]+)'}]}\n")
        evidence = self.evidence("SITE error badge=123456\n")
        for more, shown in (((), "badge=[redacted:badge]"), (("--no-redact",), "badge=123456")):
            text = self.site(evidence, "--config", config, *more).out
            self.assertIn(f"SITE error {shown}", text)
        bundle = self.dir / "bundle"
        self.assertStatus(debrief("collect", evidence, "--config", config, "--bundle", bundle), 0)
        kept = b"".join(path.read_bytes() for path in bundle.rglob("*") if path.is_file())
        self.assertIn(b"badge=[redacted:badge]", kept)
        self.assertNotIn(b"badge=123456", kept)

    def test_identities(self):
        config = self.config("redact: {identities: true}\nwaivers:\n"
                             + waiver("*", target="'*10.1.2.3*'", reason="a wait for 10.1.2.3") + waiver("*"))
        evidence = self.evidence("SITE error 10.1.2.3\n")
        for more, hidden in (((), True), (("--redact", "secrets"), False), (("--redact", "identities"), True),
                             (("--no-redact",), False)):
            with self.subTest(more):
                result = self.site(evidence, "--config", config, "-o", "json", *more)
                self.assertStatus(result, 0)
                self.assertEqual("10.1.2.3" not in result.out, hidden, result.out)
                self.assertEqual([row["findings"] for row in result.report["policy"]["waivers"]], [0, 1])

    def test_hostile_yaml(self):
        self.refused("a: &x [&y [*x]]\n", ":1: aliases are not taken here")
        self.refused("fail-on: &x never\nselect: [*x]\n", ":2: aliases are not taken here")
        self.refused("fail-on: !!str never\n", "tags are not taken here")
        self.refused("fail-on: never\n---\nfail-on: never\n", ":2: a second document")
        self.refused("\tfail-on: never\n", ":1: not YAML")
        self.refused("fail-on: 'never\n", ":2: not YAML")
        self.refused("[" * 100000, ":1: nested deeper than 16 levels")
        self.refused("a: " * 1000, ":1: not YAML")
        self.refused("[a]: b\n", "a name that is no text")
        self.refused("#" * ((1 << 20) + 1), "larger than 1 MB")
        self.refused("skip: [" + "a," * 60000 + "]\n", "more than 50000 entries")
        self.refused("skip: [" + "a," * 40000 + "]\n", ":1: 'skip' is longer than 64 kB")
        self.refused("severity:\n" + "".join(f"  x.y{i}: info\n" for i in range(2001)), ":2002: more than 2000 names")
        self.refused('"\\e]0;you\\a": 1\n', "unknown key '\ufffd]0;you\ufffd'")
        self.refused('fail-on: "never\\0"\n', "a NUL character")
        for bytes_ in (b"fail-on: \xff\n", b"\xff\xfef\x00\n", b"\x00\x01\x02", b"\x1f\x8b\x08\x00"):
            path = self.file("config/debrief.yaml", bytes_)
            self.assertUsage(self.site(self.evidence(""), "--config", path), "not YAML")

    def test_ordinary_yaml(self):
        for text in ("", "# nothing\n", "\ufefffail-on: never\n", "fail-on: never\r\n", "---\nfail-on: never\n...\n",
                     "{fail-on: never}", "'fail-on': \"never\"\n"):
            with self.subTest(text):
                status = 0 if "never" in text else 3
                self.assertStatus(self.judged(harness.ERROR, text), status)


class Plan(Policy):
    def test_the_command_line_wins(self):
        said = lambda result: result.target["findings"][0]["message"]
        config = "params: {site-said.prefix: configured}\n"
        self.assertTrue(said(self.judged(harness.ERROR, config)).startswith("configured: "))
        given = self.judged(harness.ERROR, config, "--param", "site-said.prefix=given")
        self.assertTrue(said(given).startswith("given: "))
        self.assertEqual(given.report["policy"]["params"], {"site-said.prefix": "configured"})
        self.assertStatus(self.judged(harness.ERROR, "fail-on: never\n"), 0)
        self.assertStatus(self.judged(harness.ERROR, "fail-on: never\n", "--fail-on", "error"), 3)

    def test_what_is_left_out_is_named(self):
        evidence, config = self.evidence(harness.NOTHING), self.config("select: [site-said, 'tag:appmesh']\nskip: [site-said]\n")
        run = lambda *more: debrief("check", evidence, "--plugin-path", harness.HERE / "sections", "--config", config,
                                    "-o", "json", *more).report
        report = run()
        run_ids = {check["id"] for check in report["targets"][0]["checks"]}
        self.assertIn("site-said", report["policy"]["left_out"])
        self.assertFalse(run_ids & set(report["policy"]["left_out"]))
        report = run("--select", "site-said", "--skip", "")
        self.assertEqual([check["id"] for check in report["targets"][0]["checks"]], ["site-said"])
        self.assertNotIn("left_out", report["policy"])

    def test_a_parameter_of_a_check_that_is_not_selected(self):
        result = debrief("check", self.evidence(harness.NOTHING), "--plugin-path", harness.HERE / "sections", "--select",
                         "grpc-codes", "--config", self.config("params: {site-said.prefix: x}\n"))
        self.assertStatus(result, 0)


class Severity(Policy):
    def test_lowered_and_raised(self):
        result = self.judged(harness.ERROR, "severity: {site-said.thing: warning}\n")
        self.assertStatus(result, 0)
        finding = result.target["findings"][0]
        self.assertEqual((finding["severity"], finding["severity_was"]), ("warning", "error"))
        self.assertEqual(result.target["verdict"], "warning")
        self.assertStatuses(harness.ERROR, "severity: {site-said.thing: warning}\n", (0, 4, 4, 0))
        self.assertStatuses(harness.WARNING, "severity: {'site-said.*': error}\n", (3, 3, 3, 0))

    def test_an_info_is_a_note_and_its_check_passes(self):
        result = self.judged(harness.ERROR, "severity: {site-said.thing: info}\n")
        self.assertEqual((result.target["findings"][0]["role"], result.target["checks"][0]["outcome"]), ("note", "pass"))
        self.assertEqual(result.report["summary"]["infos"], 1)
        result = self.judged(harness.NOTHING + harness.INFO, "severity: {site-said.thing: error}\n")
        self.assertEqual((result.target["findings"][0]["role"], result.target["checks"][0]["outcome"]), ("cause", "fail"))
        self.assertStatus(result, 3)

    def test_the_first_that_matches_counts(self):
        result = self.judged(BOTH, "severity:\n  site-said.other: error\n  'site-said.*': info\n")
        self.assertEqual({f["id"]: f["severity"] for f in result.target["findings"]},
                         {"site-said.thing": "info", "site-said.other": "error"})
        self.assertEqual([(row["finding"], row["findings"]) for row in result.report["policy"]["severity"]],
                         [("site-said.other", 1), ("site-said.*", 1)])

    def test_what_it_is_already_is_no_change(self):
        finding = self.judged(harness.ERROR, "severity: {site-said.thing: error}\n").target["findings"][0]
        self.assertNotIn("severity_was", finding)


class Waivers(Policy):
    def test_what_is_waived_does_not_count(self):
        result = self.judged(BOTH, "waivers:\n" + waiver("site-said.thing"))
        summary = result.report["summary"]
        self.assertEqual((summary["verdict"], summary["errors"], summary["warnings"], summary["waived"]), ("warning", 0, 1, 1))
        waived = next(f for f in result.target["findings"] if f["id"] == "site-said.thing")
        self.assertEqual(waived["severity"], "error")
        self.assertEqual(waived["waiver"], {"finding": "site-said.thing", "target": "*", "reason": "known, ticket 7",
                                            "owner": "team-mesh", "expires": "2026-12-31", "state": "active"})
        self.assertEqual(result.target["checks"][0]["outcome"], "fail")

    def test_exit_statuses(self):
        error, warning, both = (waiver(glob) for glob in ("site-said.thing", "site-said.other", "*"))
        late = waiver("*", "2026-11-20")
        for waivers, wanted in ((error, (0, 4, 4, 0)), (warning, (3, 3, 3, 0)), (both, (0, 0, 0, 0)),
                                (late, (3, 3, 3, 0)), (late + error, (0, 4, 4, 0)), (error + warning, (0, 0, 0, 0))):
            with self.subTest(waivers):
                self.assertStatuses(BOTH, "waivers:\n" + waivers, wanted)

    def test_a_check_whose_findings_are_all_waived_passes(self):
        result = self.judged(BOTH, "waivers:\n" + waiver("*"))
        self.assertEqual(result.target["checks"][0]["outcome"], "pass")
        self.assertEqual((result.target["verdict"], result.report["summary"]["verdict"]), ("ok", "ok"))
        self.assertEqual(result.report["summary"]["checks"]["pass"], 1)

    def test_it_holds_to_the_end_of_its_last_day(self):
        for now, state in (("2026-11-21T23:59:59Z", "active"), ("2026-11-22T00:00:00Z", "expired")):
            result = self.site(self.evidence(harness.ERROR), "--config",
                               self.config("waivers:\n" + waiver("*", "2026-11-21")), "-o", "json", env={"DEBRIEF_NOW": now})
            self.assertEqual(result.target["findings"][0]["waiver"]["state"], state)
            self.assertStatus(result, 0 if state == "active" else 3)

    def test_it_is_judged_when_checked_not_when_rendered(self):
        saved = self.dir / "saved.json"
        self.site(self.evidence(harness.ERROR), "--config", self.config("waivers:\n" + waiver("*")), "-o", f"json={saved}")
        for command in ("report", "merge"):
            later = debrief(command, saved, "-o", "json", env={"DEBRIEF_NOW": "2030-01-01T00:00:00Z"})
            self.assertStatus(later, 0)
            self.assertEqual(later.out, saved.read_text())

    def test_for_some_targets(self):
        a, b = self.file("a/x.txt", harness.ERROR).parent, self.file("b/x.txt", harness.ERROR).parent
        config = self.config("waivers:\n" + waiver("*", target="'*/a'"))
        result = self.site(a, b, "--config", config, "-o", "json")
        self.assertStatus(result, 3)
        self.assertEqual([t["verdict"] for t in result.report["targets"]], ["ok", "error"])
        self.assertEqual(result.report["policy"]["waivers"][0]["findings"], 1)
        self.assertStatus(self.site(a, "--config", config), 0)

    def test_all_of_them_are_listed(self):
        waivers = waiver("nothing.at-all") + waiver("site-said.*", "2020-01-01") + waiver("*.thing")
        rows = self.judged(BOTH, "waivers:\n" + waivers).report["policy"]["waivers"]
        self.assertEqual([(row["finding"], row["state"], row["findings"]) for row in rows],
                         [("nothing.at-all", "active", 0), ("site-said.*", "expired", 2), ("*.thing", "active", 1)])


class Consequences(Policy):
    """A real incident: the stream is refused, so the proxy does not start."""

    CAUSE, FOLLOWS = "grpc-codes.permission-denied", "probes.pre-initializing"
    BUNDLE = harness.TOP / "plugins/grpc-codes/cases/permission-denied/evidence"

    def check(self, config, *more):
        return debrief("check", self.BUNDLE, "--config", self.config(config), *more)

    def by_id(self, config):
        result = self.check(config, "-o", "json")
        return result, {finding["id"]: finding for finding in result.target["findings"]}

    def test_they_count_when_their_cause_is_waived(self):
        result, findings = self.by_id("waivers:\n" + waiver(self.CAUSE))
        self.assertStatus(result, 3)
        self.assertEqual((findings[self.FOLLOWS]["role"], findings[self.FOLLOWS]["severity"]), ("consequence", "error"))
        self.assertEqual((result.target["verdict"], result.report["summary"]["errors"]), ("error", 1))
        text = self.check("waivers:\n" + waiver(self.CAUSE)).out
        self.assertRegex(text, r"evidence: 1 error; 1 waived;\s+PRE_INITIALIZING: the proxy has")
        self.assertRegex(text, r"1\. PRE_INITIALIZING.*\[probes.pre-initializing\]")
        self.assertIn("PRE_INITIALIZING", self.check("waivers:\n" + waiver(self.CAUSE), "--quiet").out)

        markdown = self.check("waivers:\n" + waiver(self.CAUSE), "-o", "markdown").out
        self.assertIn("1. `PRE_INITIALIZING`: no clusters yet", markdown)
        self.assertIn("configuration ", markdown.splitlines()[-1])

    def test_they_count_when_their_cause_is_made_a_note(self):
        result, findings = self.by_id(f"severity: {{{self.CAUSE}: info}}\n")
        self.assertStatus(result, 3)
        self.assertEqual((findings[self.CAUSE]["role"], findings[self.FOLLOWS]["severity"]), ("note", "error"))
        self.assertIn("because  grpc-codes.permission-denied, which does not count", self.check(f"severity: {{{self.CAUSE}: info}}\n").out)

    def test_waived_themselves_their_cause_counts(self):
        result, findings = self.by_id("waivers:\n" + waiver(self.FOLLOWS))
        self.assertStatus(result, 3)
        self.assertEqual(result.report["summary"]["errors"], 1)
        result = self.check("waivers:\n" + waiver(self.FOLLOWS) + waiver(self.CAUSE), "-o", "json")
        self.assertStatus(result, 0)
        self.assertEqual((result.target["verdict"], result.report["summary"]["waived"]), ("ok", 2))


class Explain(Policy):
    def test_what_is_ruled(self):
        config = self.config("severity: {'grpc-codes.*': info, grpc-codes.permission-denied: error}\nwaivers:\n"
                             + waiver("grpc-codes.*", "2026-11-20", target="x"))
        text = debrief("explain", "grpc-codes.permission-denied", "--config", config, env={"COLUMNS": "120"}).out
        said = [" ".join(part.split()) for part in text.split("policy   ")[1:]]
        self.assertEqual(said, [f"{config}:1 makes it an info",
                                f"{config}:3 waives it on x until 2026-11-20 (expired) by team-mesh: known, ticket 7"])
        self.assertNotIn("policy ", debrief("explain", "probes.pre-initializing", "--config", config).out)


class Text(Policy):
    def text(self, evidence, config, *arguments):
        return self.site(self.evidence(evidence), "--config", self.config(config), *arguments, env={"COLUMNS": "120"}).out

    def test_what_is_waived_stands_in_a_line_at_the_end(self):
        text = self.text(BOTH, "waivers:\n" + waiver("site-said.thing"))
        self.assertIn("evidence: 1 warning; 1 waived; said: SITE warning b\n", text)
        self.assertIn("  waived: a thing was said [site-said.thing] (container a) until 2026-12-31 by team-mesh: known, ticket 7\n",
                      text)
        self.assertLess(text.index("another thing was said"), text.index("waived: a thing"))
        self.assertNotIn("1. a thing was said", text)

    def test_what_has_expired_says_so(self):
        text = self.text(harness.ERROR, "waivers:\n" + waiver("*", "2026-11-20"))
        self.assertIn("policy   waiver of team-mesh expired on 2026-11-20: known, ticket 7\n", text)
        self.assertIn(": 1 waiver, 1 of them expired\n", text)

    def test_severities(self):
        text = self.text(harness.ERROR, "severity: {site-said.thing: warning}\n")
        self.assertIn("policy   the configuration says warning, the check error\n", text)

    def test_all_waived(self):
        text = self.text(harness.ERROR, "waivers:\n" + waiver("*"))
        self.assertIn("evidence: nothing wrong found; 1 waived\n", text)
        self.assertIn("looked at: note.txt", text)
        self.assertIn("evidence: nothing wrong found; 1 waived\n", self.text(harness.ERROR, "waivers:\n" + waiver("*"), "--quiet"))

    def test_what_met_nothing(self):
        config = "waivers:\n" + waiver("site-said.other", target="x") + "severity: {site-said.other: info}\n"
        self.assertIn("1 of its waivers met no finding (--verbose)\n", self.text(harness.ERROR, config))
        text = self.text(harness.ERROR, config, "--verbose")
        self.assertIn("waiver of 'site-said.other' on x met no finding; owner team-mesh\n", text)
        self.assertIn("severity of 'site-said.other' met no finding\n", text)

    def test_findings_that_no_check_has(self):
        result = self.site(self.evidence(harness.ERROR), "--config", self.config("waivers:\n" + waiver("site-said.thign")))
        self.assertIn("debrief.yaml:2: no check has a finding 'site-said.thign'; near it: 'site-said.thing'", result.err)
        self.assertStatus(result, 3)

    def test_texts_of_the_file_cannot_steer_a_terminal(self):
        config = "waivers:\n" + waiver("*", reason='"\\e[2Jgone\\x9b31m"', owner='"\\u202eme"')
        text = self.text(harness.ERROR, config)
        for hostile in ("\x1b", "\x9b", "\u202e"):
            self.assertNotIn(hostile, text)


class Documented(Policy):
    """docs/policy.md: its example is taken as it stands, and what it shows is what is printed."""

    PAGE = harness.TOP / "docs/policy.md"

    def setUp(self):
        super().setUp()
        example = self.PAGE.read_text().split("```yaml\n")[1].split("```")[0]
        self.example = self.file("site/debrief.yaml", example)
        self.file("site/sections/README", "")

    def test_the_example_has_every_key(self):
        known = debrief("list", "--config", self.config("no-such-key: 1\n")).err
        keys = known.strip().split("known: ")[1].split(", ")
        for key in keys:
            self.assertRegex(self.example.read_text(), f"(?m)^{key}:")

    def test_transcripts(self):
        bundle = "plugins/grpc-codes/cases/permission-denied/evidence"
        last = self.dir / "last-week.json"
        debrief("check", bundle, "-o", f"json={last}", cwd=harness.TOP)
        shown = transcripts.blocks(self.PAGE)
        self.assertEqual(len(shown), 2)
        for command, parts in shown:
            with self.subTest(command):
                words = [{"debrief.yaml": self.example, "last-week.json": last}.get(word, word) for word in command]
                result = debrief(*words, cwd=harness.TOP)
                self.assertNotIn("debrief.yaml:", result.err)
                self.assertIsNone(transcripts.missing(parts, result.out), result.out)


if __name__ == "__main__":
    harness.main()
