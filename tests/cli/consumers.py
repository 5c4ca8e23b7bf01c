"""Real consumers of the formats, and reports to give them.

Programs come from PATH or from $DEBRIEF_TEST_CACHE, where scripts/setup and tests/cli/fetch put them. What is missing
skips the tests that need it, with the reason.
"""
import atexit
import csv
import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

import harness
from harness import debrief

CACHE = pathlib.Path(os.environ.get("DEBRIEF_TEST_CACHE") or
                     pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "debrief-test")
PYTHON = CACHE / "formats-venv/bin/python"
MULTITOOL = CACHE / "sarif-multitool/Sarif.Multitool"
SARIF_SCHEMA = CACHE / "sarif-multitool/sarif-2.1.0.json"
# Real evidence: a refusal, a manifest, a load balancer, a fleet in a mesh, a healthy proxy.
CASES = ["grpc-codes/cases/permission-denied", "ems-connection/cases/host-network-dns",
         "traffic-capture/cases/app-port-missing-kubernetes", "traffic-capture/cases/healthy-appmesh-kubernetes",
         "lb-health/cases", "low-ports/cases/capability-in-manifest", "upstreams/cases"]


def program(name):
    """The path of a program, or None."""
    places = [CACHE / "unpacked/usr/bin", CACHE / "unpacked/usr/sbin", "/usr/sbin"]
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *map(str, places)]))


def needs(name):
    """Skips a test where the program is not there."""
    return unittest.skipUnless(program(name), f"no {name} here; scripts/setup test brings it")


def run(*command, **options):
    """What a consumer printed; it has to be content."""
    done = subprocess.run([str(part) for part in command], capture_output=True, timeout=120, **options)
    if done.returncode:
        raise AssertionError(f"{command[0]}: status {done.returncode}\n{done.stdout.decode()}{done.stderr.decode()}")
    return done.stdout.decode()


needs_venv = unittest.skipUnless(PYTHON.exists(), "no formats-venv in the cache; tests/cli/fetch makes it")


def python(code, *arguments, **options):
    """The JSON that CODE prints, run where the readers of formats are installed."""
    return json.loads(run(PYTHON, "-c", code, *arguments, **options))


def formats():
    """All formats that the program knows."""
    said = debrief("report", "/dev/null", "-o", "no-such-format").err
    return said.strip().split("known: ")[1].split(", ")


def scratch():
    path = pathlib.Path(tempfile.mkdtemp(prefix="debrief-reports-"))
    atexit.register(shutil.rmtree, path, True)
    return path


def evidence_of(case):
    """The evidence of one case, or of the first few of a section's."""
    path = harness.TOP / "plugins" / case
    found = [path / "evidence"] if (path / "evidence").is_dir() else sorted(path.glob("*/evidence"))[:3]
    assert found, f"no case {case}"
    return found


@functools.cache
def real_report():
    """The path of a saved report about real evidence: several targets, one of them dead."""
    path = scratch() / "report.json"
    targets = [folder for case in CASES for folder in evidence_of(case)]
    debrief("check", *targets, "-o", f"json={path}", cwd=harness.TOP)
    report = json.loads(path.read_text())
    assert len(report["targets"]) == len(targets) and report["summary"]["errors"], report["summary"]
    return path


def incident():
    """The path of a saved report with something of everything."""
    return harness.TOP / "tests/golden/incident.json"


def edited(path, change):
    """A copy of the report at PATH after CHANGE(report)."""
    report = json.loads(pathlib.Path(path).read_text())
    change(report)
    copy = scratch() / "edited.json"
    copy.write_text(json.dumps(report))
    return copy


def waive_all(report):
    for target in report["targets"]:
        for finding in target["findings"]:
            finding["waiver"] = {"finding": finding["id"], "target": "*", "reason": "known & accepted", "owner": "edge",
                                 "expires": "2027-01-31", "state": "active"}


def render(path, form, *options, **more):
    """The bytes of a report in a format."""
    result = debrief("report", path, "-o", form, *options, text=False, **more)
    assert result.status in (0, 1, 3), result.err
    return result.out


# ---- opening a format: what the consumer made of it ----

def open_markdown(data):
    """The HTML tree that GitHub's renderer makes. --unsafe: what is HTML in it would come to life."""
    html = run(program("cmark-gfm"), "--unsafe", "--to", "html", "-e", "table", "-e", "autolink", "-e", "strikethrough",
               "-e", "tagfilter", input=data)
    html = re.sub("[\ufffe\uffff]", "\ufffd", html)  # text to HTML, not to the parser of the tests
    return xml.etree.ElementTree.fromstring(f"<body>{html}</body>")


def open_junit(data):
    path = scratch() / "junit.xml"
    path.write_bytes(data)
    xml.etree.ElementTree.fromstring(data)
    return python("""
import json, sys, junitparser
print(json.dumps([{"name": suite.name, "tests": suite.tests, "failures": suite.failures, "errors": suite.errors,
    "skipped": suite.skipped, "time": suite.time, "cases": [{"class": case.classname, "name": case.name, "time": case.time,
    "out": case.system_out, "results": [{"kind": type(result).__name__, "type": result.type, "message": result.message,
    "text": result.text} for result in case.result]} for case in suite]}
    for suite in junitparser.JUnitXml.fromfile(sys.argv[1])]))""", path)


def open_sarif(data):
    path = scratch() / "log.sarif"
    path.write_bytes(data)
    records = python("""
import json, sys
from sarif import loader
print(json.dumps(loader.load_sarif_file(sys.argv[1]).get_records()))""", path)
    return json.loads(data), records


def open_prometheus(data):
    run(program("promtool"), "check", "metrics", input=data)
    return python("""
import json, sys
from prometheus_client.parser import text_string_to_metric_families
print(json.dumps([[sample.name, sample.labels, sample.value] for family in
    text_string_to_metric_families(sys.stdin.buffer.read().decode()) for sample in family.samples]))""", input=data)


def open_jsonl(data):
    """jq reads the stream line by line and refuses what is no JSON."""
    return [json.loads(line) for line in run("jq", "-c", ".", input=data).split("\n")[:-1]]


def open_csv(text):
    return list(csv.DictReader(text.splitlines()))


def places(log):
    """All artifact locations of a SARIF log, with the line where there is one."""
    found = []

    def walk(node):
        if isinstance(node, dict):
            if "artifactLocation" in node:
                found.append({**node["artifactLocation"], **node.get("region", {})})
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)
    walk(log["runs"])
    return found
