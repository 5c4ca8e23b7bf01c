"""catalogue.py TOP DEBRIEF: every finding of docs/findings.md is real.

It has a check that can report it at that severity, a manual entry that `debrief explain` prints, a
case that fires it, and a case of the same section in which it does not fire; and the program knows
no finding that the list does not hold. And every row of docs/coverage.md names findings that are
reported, and cases that fire one of them. Every check says where it applies, `any` included.
"""
import json
import os
import pathlib
import re
import subprocess
import sys

top, debrief = pathlib.Path(sys.argv[1]), sys.argv[2]
problems = []


def run(*arguments):
    environment = {**os.environ, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "COLUMNS": "200"}
    return subprocess.run([debrief, *arguments], capture_output=True, text=True, env=environment).stdout


def listed():
    """id -> (severity, title), as docs/findings.md has them."""
    rows = re.findall(r"^\| ([a-z-]+\.[a-z0-9-]+) \| (error|warning|info) \| (.*) \|$",
                      (top / "docs/findings.md").read_text(), re.M)
    return {id: (severity, title) for id, severity, title in rows}


def known():
    checks = json.loads(run("list", "-o", "json"))
    problems.extend(f"{check['id']}: does not say where it applies (applies = \"any\" says everywhere)"
                    for check in checks if "applies" not in check)
    return {finding for check in checks for finding in check["findings"]}


def cases():
    for path in sorted(top.glob("plugins/*/cases/*/expect.json")):
        if not path.relative_to(top).parts[1].startswith("_"):
            yield path.relative_to(top).parts[1], json.loads(path.read_text())


def check_manual(id, severity, title):
    explained = run("explain", id)
    first, _, rest = explained.partition("\n")
    if first != f"{id} ({severity}): {title}":
        problems.append(f"{id}: listed as '{severity}: {title}', but explained as '{first}'")
    if "Fix:" not in rest or "Proof:" not in rest:
        problems.append(f"{id}: its manual entry does not say what proves and what mends it")


def check_coverage():
    """| what a document names | `finding`, ... | [case](link), ... |"""
    rows = re.findall(r"^\| (.*) \| (`[a-z].*?) \| (.*?) ?\|$", (top / "docs/coverage.md").read_text(), re.M)
    for text, ids, links in rows:
        ids, links = re.findall(r"`([^`]+)`", ids), re.findall(r"\]\(([^)]+)\)", links)
        problems.extend(f"docs/coverage.md: '{id}' is no finding" for id in ids if id not in catalogue)
        if not links:
            problems.append(f"docs/coverage.md: no case for '{text}'")
        for link in links:
            expect = json.loads((top / "docs" / link).read_text())
            if not {*expect["top"], *expect.get("found", [])} & set(ids):
                problems.append(f"docs/coverage.md: {link} fires none of {', '.join(ids)}")
    return len(rows)


catalogue, findings = listed(), known()
for id in sorted(findings - catalogue.keys()):
    problems.append(f"{id}: reported by a check, but not in docs/findings.md")
fired, quiet = set(), {}
for section, expect in cases():
    reported = set(expect["top"]) | set(expect.get("found", []))
    # A case may name several ids of which one comes first; only what must come counts as fired.
    fired |= reported if len(expect["top"]) <= 1 else set(expect.get("found", []))
    quiet.setdefault(section, []).append(reported | set(expect.get("also", [])))
for id, (severity, title) in sorted(catalogue.items()):
    section = id.split(".")[0]
    if id not in findings:
        problems.append(f"{id}: no check reports it")
        continue
    check_manual(id, severity, title)
    if id not in fired:
        problems.append(f"{id}: no case fires it")
    if not any(id not in allowed for allowed in quiet.get(section, [])):
        problems.append(f"{id}: no case of its section shows evidence without it")
print(f"{len(catalogue)} findings and {check_coverage()} rows of documents looked at")
for problem in problems:
    print(problem)
sys.exit(1 if problems else 0)
