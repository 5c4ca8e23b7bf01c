"""siblings.py DEBRIEF: healthy sidecars of one real mesh, laid side by side: nothing but what they were deployed with.

The material is not part of the project: see wild.py. Three versions of one service differ in image and labels, two
pods of one template in their namespace; their configuration, statistics and certificates do not differ.
"""
import json
import os
import pathlib
import subprocess
import sys

SKIPPED = 77
top = pathlib.Path(__file__).resolve().parents[2]
material = pathlib.Path(os.environ.get("DEBRIEF_WILD", top.parent / "shared"))
fleet = material / "data/bundle/istio_istio__bug-report-fleet-2023-09.tar.gz"
REVIEWS = ["default/reviews-v1-86896b7648-g99dg", "default/reviews-v2-b7dcd98fb-n5tr4",
           "default/reviews-v3-5c5cc7b6d-4lcsf"]
HTTPBINS = ["hello/httpbin-86869bccff-ztgt8", "test/httpbin-86869bccff-d2mzg"]
DEPLOYED = {"image", "env", "bootstrap"}
NAMESPACED = {"env", "bootstrap", "route", "certificate"}  # domains by short names, the identity's namespace
MOST = 8


def differences(a, b):
    done = subprocess.run([sys.argv[1], "diff", "--compare", f"{fleet}#bug-report/proxies/{a}",
                           f"{fleet}#bug-report/proxies/{b}", "-o", "json"], stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)["differences"]


if not fleet.exists():
    print(f"skipped: there is no '{fleet}' (DEBRIEF_WILD names another place)")
    sys.exit(SKIPPED)
failed = []
for first, second, kinds in ((*REVIEWS[:2], DEPLOYED), (*REVIEWS[::2], DEPLOYED), (*HTTPBINS, NAMESPACED)):
    rows = differences(first, second)
    noise = [(row["kind"], row["what"], row["name"], row.get("column")) for row in rows if row["kind"] not in kinds]
    print(f"{first} and {second}: {len(rows)} differences, {len(noise)} of other kinds than {', '.join(sorted(kinds))}")
    if noise or len(rows) > MOST:
        failed.append(f"{first} and {second}: {noise or rows}")
for problem in failed:
    print(problem)
sys.exit(1 if failed else 0)
