"""siblings.py TOP: docs/siblings.md tells the truth.

In each of its rows two cases hold the same text in their evidence, and expect different answers: the ones that the
table names.
"""
import json
import pathlib
import re
import sys

top = pathlib.Path(sys.argv[1])
ROWS_AT_LEAST = 40
CASE = r"\[([a-z-]+/[\w.-]+)\]\(\.\./plugins/([a-z-]+)/cases/([\w.-]+)/expect\.json\)"
ROW = re.compile(rf"^\| `(.+?)` \| {CASE} \| (none|`[a-z0-9.-]+`) \| {CASE} \| (none|`[a-z0-9.-]+`) \| (.+) \|$")


def expects(expect, answer):
    """`none` is nothing above information; an id comes first, alone, or must be found."""
    if answer == "none":
        return expect["top"] == []
    return expect["top"] == [answer] or answer in expect.get("found", [])


def holds(folder, text):
    return any(text.encode() in path.read_bytes() for path in (folder / "evidence").rglob("*") if path.is_file())


def problems_of(text, name, section, case, answer):
    folder = top / "plugins" / section / "cases" / case
    if name != f"{section}/{case}" or not (folder / "expect.json").is_file():
        yield f"{name}: no such case"
        return
    if not expects(json.loads((folder / "expect.json").read_text()), answer):
        yield f"{name}: does not expect {answer}"
    if not holds(folder, text):
        yield f"{name}: '{text}' does not stand in its evidence"


rows, problems = 0, []
for line in (top / "docs/siblings.md").read_text().splitlines():
    if not line.startswith("| `"):
        continue
    row = ROW.match(line)
    if not row:
        problems.append(f"not a row: {line}")
        continue
    rows += 1
    text, *cells = row.groups()
    first, second = cells[:4], cells[4:8]
    answers = [one[3].strip("`") for one in (first, second)]
    if answers[0] == answers[1]:
        problems.append(f"'{text}': {first[0]} and {second[0]} conclude the same")
    for one, answer in zip((first, second), answers):
        problems.extend(problems_of(text, *one[:3], answer))
if rows < ROWS_AT_LEAST:
    problems.append(f"{rows} pairs, fewer than {ROWS_AT_LEAST}")
print(f"{rows} pairs looked at")
print("\n".join(problems))
sys.exit(1 if problems else 0)
