"""wild.py DEBRIEF: what debrief makes of real incidents and of real, healthy proxies.

The material is not part of the project (its licences differ): a folder `shared` beside the source, or
the one that DEBRIEF_WILD names, holds it together with the programs that measure. Prints the figures.
A wrong conclusion, a false alarm or a crash fails the test, and so do fewer hits than HITS_MIN.
"""
import os
import pathlib
import re
import subprocess
import sys

SKIPPED = 77
HITS_MIN = 0.95  # of the incidents
top = pathlib.Path(__file__).resolve().parents[2]
material = pathlib.Path(os.environ.get("DEBRIEF_WILD", top.parent / "shared"))


def measure(program, *more):
    """Runs PROGRAM of the material over it and gives the numbers of its last line."""
    done = subprocess.run([sys.executable, material / "score" / program, "--debrief", sys.argv[1], *more],
                          stdout=subprocess.PIPE, text=True)
    print(done.stdout, end="")
    if done.returncode:
        sys.exit(f"'{program}' itself failed with status {done.returncode}")
    return [int(number) for number in re.findall(r"\d+", done.stdout.splitlines()[-1].replace(".", " "))]


if not (material / "score" / "score").exists():
    print(f"skipped: there is no '{material}/score' (DEBRIEF_WILD names another place)")
    sys.exit(SKIPPED)
failed = []
incidents = measure("score", "--verbose")
hits, cases, wrong, crashed = incidents[0], incidents[1], incidents[4], incidents[-1]
if hits < HITS_MIN * cases:
    failed.append(f"{hits} of {cases} incidents are judged right, fewer than {HITS_MIN:.0%}")
if wrong or crashed:
    failed.append(f"{wrong} wrong conclusions, {crashed} crashes")
healthy = measure("healthy")
if healthy[0] or healthy[-1]:
    failed.append(f"{healthy[0]} false alarms, {healthy[-1]} crashes on healthy proxies")
for problem in failed:
    print(problem)
sys.exit(1 if failed else 0)
