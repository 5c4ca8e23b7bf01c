"""documents.py TOP DEBRIEF: documents that are generated, or that quote the program, are up to date."""
import os
import pathlib
import re
import subprocess
import sys

top, debrief = pathlib.Path(sys.argv[1]), sys.argv[2]
problems = []


def run(*arguments):
    done = subprocess.run([debrief, *arguments], capture_output=True, text=True, cwd=top,
                          env={**os.environ, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "COLUMNS": "100"})
    return done.stdout


def check_dictionary():
    if run("evidence", "--dictionary") != (top / "docs/evidence.md").read_text():
        problems.append("docs/evidence.md: out of date; debrief evidence --dictionary > docs/evidence.md")


def without_checks(text):
    """How many checks there are, and what became of them, changes with every section."""
    return re.sub(r"of \d+ checks .*", "", text, flags=re.S)


def check_readme_sample():
    """README shows what the embedded incident prints; the block behind the marker must be that."""
    readme = (top / "README.md").read_text()
    sample = re.search(r"<!-- sample: (.*?) -->\n```text\n(.*?)```", readme, re.S)
    if not sample:
        problems.append("README.md: has no output sample")
        return
    if without_checks(run(*sample[1].split())) != without_checks(sample[2]):
        problems.append(f"README.md: the sample is not what 'debrief {sample[1]}' prints")


def check_links():
    for document in [top / "README.md", *sorted((top / "docs").rglob("*.md"))]:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
            if not (document.parent / link).exists():
                problems.append(f"{document.relative_to(top)}: links to '{link}', which is not there")


def check_modules():
    """docs/lua-checks.md has a row for each module that sections share, and for no other."""
    listed = set(re.findall(r"^\| `(\w+)` \| ", (top / "docs/lua-checks.md").read_text().partition("## Sharing")[2].partition("\n## ")[0], re.M))
    for name in sorted(listed ^ {module.stem for module in (top / "lua/modules").glob("*.lua")}):
        problems.append(f"docs/lua-checks.md: module '{name}' is listed and not there, or there and not listed")


check_dictionary()
check_readme_sample()
check_links()
check_modules()
for problem in problems:
    print(problem)
sys.exit(1 if problems else 0)
