"""three_cases.py TOP DEBRIEF: every error that debrief can report is shown by three cases of its section.

docs/cases.md says which three: one fires it, one is its healthy twin, one lacks the evidence that decides. That the
cases hold what they expect, the tests of the sections see to.
"""
import json
import pathlib
import re
import subprocess
import sys

top, debrief = pathlib.Path(sys.argv[1]), sys.argv[2]


def errors():
    """The ids of error severity, as docs/findings.md and the sections' own checks have them."""
    return sorted(set(re.findall(r"^\| ([a-z-]+\.[a-z0-9-]+) \| error \|", (top / "docs/findings.md").read_text(), re.M)))


def owners():
    """id -> the checks that can report it."""
    listed = subprocess.run([debrief, "list", "-o", "json"], capture_output=True, text=True).stdout
    found = {}
    for check in json.loads(listed):
        for finding in check["findings"]:
            found.setdefault(finding, set()).add(check["id"])
    return found


def cases(section):
    for path in sorted(top.glob(f"plugins/{section}/cases/*/expect.json")):
        yield path.parent, json.loads(path.read_text())


def fires(finding, expect):
    """A case that allows several ids at the top shows none of them for certain."""
    return expect["top"] == [finding] or finding in expect.get("found", [])


def is_twin(finding, checks, expect):
    """Nothing is wrong, and a check that could have said so looked."""
    looked = set(expect.get("pass", [])) | set(expect.get("not_applicable", []))
    return expect["top"] == [] and finding in expect.get("never", []) and bool(looked & checks)


def lacks_evidence(finding, checks, folder, expect):
    """There is something to read, it is not claimed, and what would decide is asked for or missing."""
    honest = set(expect.get("skip", [])) & checks or isinstance(expect.get("ask"), str)
    read = any(path.is_file() and path.stat().st_size for path in (folder / "evidence").rglob("*"))
    return finding in expect.get("never", []) and finding not in expect.get("found", []) and bool(honest) and read


def missing_of(finding, checks):
    own = list(cases(finding.split(".")[0]))
    if not any(fires(finding, expect) for _, expect in own):
        yield "no case fires it"
    if not any(is_twin(finding, checks, expect) for _, expect in own):
        yield "no healthy twin: top [], in never, and a check that can report it in pass or not_applicable"
    if not any(lacks_evidence(finding, checks, folder, expect) for folder, expect in own):
        yield "no case without the evidence that decides: in never, and its check in skip or an ask named"


listed, owned = errors(), owners()
problems = [f"{finding}: {what}" for finding in listed for what in missing_of(finding, owned.get(finding, set()))]
print(f"{len(listed)} errors looked at")
print("\n".join(problems))
sys.exit(1 if problems or not listed else 0)
