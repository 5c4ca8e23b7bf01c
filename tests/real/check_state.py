#!/usr/bin/env python3
"""Judge debrief's reports on one state of one Envoy, as drive.py recorded them.

    check_state.py OUT VERSION STATE
    check_state.py --list                 the VERSION STATE pairs, one per line

Status 0: as expected; 1: not, and why; 77: the state was not played on this machine (see its meta.json).
"""
import json
import os
import sys
import tarfile

import citations
import states

SKIPPED = 77
ERRORS_FOUND = 3
REPORTS = ("live", "bundle", "directory")
LOUD = ("warning", "error")


class Failure(Exception):
    """One thing that is not as expected."""


def load(path):
    """A JSON file."""
    try:
        with open(path, encoding="utf-8") as source:
            return json.load(source)
    except (OSError, ValueError) as error:
        raise Failure("cannot read '%s': %s" % (path, error)) from error


def brief(finding):
    """A finding in one line, for messages."""
    subject = finding.get("subject", {})
    return "#%s %s %s %s (%s %s): %s" % (
        finding.get("rank"), finding.get("id"), finding.get("severity"), finding.get("role"),
        subject.get("kind"), subject.get("name"), finding.get("message", finding.get("title", "")))


def only_target(report, name):
    """The one target of a report."""
    if report.get("schema") != "debrief.report/1":
        raise Failure("%s: schema is %r" % (name, report.get("schema")))
    targets = report.get("targets", [])
    if len(targets) != 1:
        raise Failure("%s: %d targets, expected 1" % (name, len(targets)))
    return targets[0]


def check_healthy(name, findings):
    """A healthy proxy: nothing above info."""
    loud = [each for each in findings if each.get("severity") in LOUD]
    if loud:
        raise Failure("%s: the proxy is healthy, debrief found\n    %s" % (name, "\n    ".join(map(brief, loud))))


def check_cause(name, findings, expected, state):
    """A broken proxy: the first finding is the expected cause, and nothing claims what cannot be known."""
    if not findings:
        raise Failure("%s: no finding, expected %s" % (name, " or ".join(expected)))
    listing = "\n    ".join(map(brief, findings))
    first = findings[0]
    if first.get("rank") != 1 or [each.get("rank") for each in findings] != sorted(
            each.get("rank", 0) for each in findings):
        raise Failure("%s: findings are not in the order of their ranks\n    %s" % (name, listing))
    if first.get("id") not in expected:
        raise Failure("%s: expected %s first, got\n    %s" % (name, " or ".join(expected), listing))
    severity = "warning" if state.warns else "error"
    if first.get("role") != "cause" or first.get("severity") != severity:
        raise Failure("%s: the first finding is no cause of severity %s\n    %s" % (name, severity, listing))
    claimed = [each for each in findings if each.get("id") in state.never]
    if claimed:
        raise Failure("%s: the evidence cannot tell this\n    %s" % (name, "\n    ".join(map(brief, claimed))))


def check_citations(name, finding, read):
    """At least one citation of the first finding stands where it says."""
    cited = finding.get("evidence", [])
    problems = [(each, citations.problem(each, read)) for each in cited]
    if not problems:
        raise Failure("%s: %s cites nothing" % (name, finding["id"]))
    if all(problem for _, problem in problems):
        raise Failure("%s: no citation of %s stands in its source\n    %s" % (name, finding["id"], "\n    ".join(
            "%s, %s: '%s'\n      %s" % (each.get("source"), each.get("locator"), each.get("excerpt"), problem)
            for each, problem in problems)))


def check_asks(name, target, first):
    """Where no cause can be proven, debrief names candidates and asks for what would decide."""
    if not target.get("asks"):
        raise Failure("%s: nothing is asked for, though the cause cannot be told" % name)
    if first.get("id") in states.NO_CONNECTION and not first.get("candidates"):
        raise Failure("%s: %s names no candidates" % (name, first["id"]))


def identity(findings):
    """What must be the same however the evidence came."""
    return {(each.get("id"), each.get("subject", {}).get("kind"), each.get("subject", {}).get("name"),
             each.get("severity"), each.get("role")) for each in findings}


def check_same(found):
    """Live, from the bundle and from the directory: the same findings."""
    live = identity(found["live"])
    for name in REPORTS[1:]:
        other = identity(found[name])
        lines = ["only live: %s" % (each,) for each in sorted(live - other, key=str)]
        lines += ["only %s: %s" % (name, each) for each in sorted(other - live, key=str)]
        if lines:
            raise Failure("live and %s differ\n    %s" % (name, "\n    ".join(lines)))


def check_runs(runs, quiet):
    """Each call ended with the status that the contract says."""
    for run in runs:
        right = ERRORS_FOUND if run["name"] != "collect" and not quiet else 0
        if run["status"] != right:
            raise Failure("debrief %s: status %s, expected %d\n%s" % (
                " ".join(run["arguments"]), run["status"], right, run["stderr"].strip()))


class Readers:
    """The text of sources: of the recorded evidence, and of the bundle that debrief wrote."""

    def __init__(self, folder):
        self.folder = folder

    def directory(self, source):
        """A file of the recorded evidence."""
        path = os.path.join(self.folder, "evidence", source)
        if not os.path.isfile(path):
            return None
        with open(path, encoding="utf-8", errors="replace") as content:
            return content.read()

    def bundle(self, source):
        """A member of the bundle; it may lie under a folder of its own."""
        with tarfile.open(os.path.join(self.folder, "reports", "bundle.tar.gz")) as archive:
            for member in archive:
                if member.isfile() and ("/" + member.name).endswith("/" + source):
                    return archive.extractfile(member).read().decode(errors="replace")
        return None

    def live(self, source):
        """Only the log is the very same in a live run; counters have moved on."""
        return self.directory(source) if source.startswith("log/") else None


def check(out, version, state):
    """Everything about one state; Failure says what is wrong."""
    folder = os.path.join(out, version, state.name)
    expected = states.expected(state, version)
    runs = load(os.path.join(folder, "reports", "runs.json"))
    check_runs(runs, expected is None or state.warns)
    targets = {name: only_target(load(os.path.join(folder, "reports", name + ".json")), name) for name in REPORTS}
    found = {name: target.get("findings", []) for name, target in targets.items()}
    readers = Readers(folder)
    for name in REPORTS:
        if expected is None:
            check_healthy(name, found[name])
            continue
        check_cause(name, found[name], expected, state)
        first = found[name][0]
        read = getattr(readers, name)
        if name != "live" or any(str(each.get("source", "")).startswith("log/") for each in first.get("evidence", [])):
            check_citations(name, first, read)
        if states.must_ask(state, version):
            check_asks(name, targets[name], first)
    check_same(found)


def main():
    """One pair, or the list of them."""
    if sys.argv[1:] == ["--list"]:
        for version in states.VERSIONS:
            for state in states.STATES:
                print(version, state.name)
        return 0
    if len(sys.argv) != 4 or sys.argv[2] not in states.VERSIONS or sys.argv[3] not in states.BY_NAME:
        print(__doc__, file=sys.stderr)
        return 2
    out, version, state = sys.argv[1], sys.argv[2], states.BY_NAME[sys.argv[3]]
    try:
        meta = load(os.path.join(out, version, state.name, "meta.json"))
        if "skipped" in meta:
            print("skipped: " + meta["skipped"])
            return SKIPPED
        if "trouble" in meta:
            raise Failure("the state was not brought about: " + meta["trouble"])
        check(out, version, state)
    except Failure as failure:
        print("%s %s (%s)\n  %s" % (version, state.name, state.about, failure))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
