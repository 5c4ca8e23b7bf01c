"""bench.py DEBRIEF BARE_SCAN PLUGINS: time and memory on a large log and a large dump, beside peers.

Prints, for a 500 MB log: debrief check against a bare libhs scan of the same patterns and ripgrep; for
a 100 MB config_dump: debrief check against jq; for both beside 2,000 objects of AWS and Kubernetes, and for
the objects alone: all sections against the first six, and the checks that take longest. Time is CPU time,
user and system, of all processes of a run, so that whatever else the machine does counts little; runs are
interleaved, the best of each counts, and the figures to look at are the ratios. Memory is the largest sum
of PSS over debrief's process tree. Nothing here can fail a test.
"""
import argparse
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
ROUNDS = 3
FIRST_SIX = "image-pull,ems-connection,grpc-codes,probes,lb-health,low-ports"


def tree(pid):
    """PID and all its descendants."""
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        try:
            for task in os.listdir(f"/proc/{one}/task"):
                todo += map(int, pathlib.Path(f"/proc/{one}/task/{task}/children").read_text().split())
        except OSError:
            continue
    return found


def pss(pid):
    """Bytes of the proportional set size of one process; 0 when it has gone."""
    try:
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def timed(command):
    """CPU time of COMMAND and of all its children."""
    began = cpu_seconds()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return cpu_seconds() - began


def peak_memory(command):
    """Largest sum of PSS over the process tree, sampled as fast as it goes; a run of its own, because
    sampling costs time."""
    process, peak = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL), 0
    while process.poll() is None:
        peak = max(peak, sum(map(pss, tree(process.pid))))
    return peak


def race(title, commands):
    """Best times of COMMANDS ({name: argv}), run in turns."""
    best = {}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            best[name] = min(best.get(name, 1e9), timed(command))
    print(f"{title}, CPU: " + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in best.items()))
    return best


def rg_patterns(bare_scan, plugins, path):
    """The same patterns for ripgrep, whose groups must not share a name; without those that it does not take
    line by line. Returns how many those are."""
    listed = subprocess.run([bare_scan, plugins], capture_output=True, text=True, check=True).stdout
    patterns = re.sub(r"\(\?<\w+>", "(", listed).splitlines()
    known = [one for one in patterns if subprocess.run(["rg", "-q", "-e", one, os.devnull], stderr=subprocess.DEVNULL).returncode < 2]
    path.write_text("\n".join(known) + "\n")
    return len(patterns) - len(known)


def slowest(check, path):
    """The checks that took longest, by their own account."""
    report = json.loads(subprocess.run([*check, "-o", "json", path], capture_output=True, check=True).stdout)
    checks = sorted(report["targets"][0]["checks"], key=lambda check: -check["elapsed_ms"])
    return ", ".join(f"{one['id']} {one['elapsed_ms']:.0f} ms" for one in checks[:5])


def race_sections(title, check, path):
    """All sections against the first six."""
    six = [*check, "--select", FIRST_SIX]
    for command in (check, six):
        timed([*command, path])  # fills the pattern cache
    best = race(title, {"all sections": [*check, path], "first six": [*six, path]})
    print(f"  all sections / first six {best['all sections'] / best['first six']:.2f} (goal 1.3), "
          f"memory {peak_memory([*check, path]) / 1e6:.0f} MB")
    print(f"  slowest: {slowest(check, path)}")


def make(script, size, path):
    with open(path, "wb") as out:
        subprocess.run([sys.executable, HERE / script, size], stdout=out, check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("debrief")
    parser.add_argument("bare_scan")
    parser.add_argument("plugins")
    parser.add_argument("--log-mb", type=int, default=500)
    parser.add_argument("--dump-mb", type=int, default=100)
    parser.add_argument("--objects", type=int, default=2000)
    options = parser.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="debrief-bench-"))
    log, dump = work / "envoy.log", work / "config_dump.json"
    try:
        make("make_log.py", f"{options.log_mb}M", log)
        make("make_dump.py", str(options.dump_mb), dump)
        left_out = rg_patterns(options.bare_scan, options.plugins, work / "patterns")
        check = [options.debrief, "check", "--fail-on", "never"]
        timed([*check, log])  # fills the pattern cache
        best = race(f"log of {options.log_mb} MB", {
            "debrief": [*check, log], "bare scan": [options.bare_scan, options.plugins, log],
            "ripgrep": ["rg", "-c", "-a", "--no-unicode", "--dfa-size-limit", "2G", "-f", work / "patterns", log]})
        print(f"  debrief / bare scan {best['debrief'] / best['bare scan']:.2f} (goal 1.3), "
              f"debrief / ripgrep {best['debrief'] / best['ripgrep']:.2f} (goal 0.5; "
              f"{left_out} patterns are not ripgrep's), memory {peak_memory([*check, log]) / 1e6:.0f} MB (goal 64)")
        best = race(f"dump of {options.dump_mb} MB", {
            "debrief": [*check, dump], "jq": ["jq", "-c", ".configs | length", dump]})
        print(f"  debrief / jq {best['debrief'] / best['jq']:.2f} (goal 0.25), "
              f"memory {peak_memory([*check, dump]) / 1e6:.0f} MB (goal 64)")
        incident = work / "incident"
        subprocess.run([sys.executable, HERE / "make_objects.py", str(options.objects), incident], check=True)
        race_sections(f"{options.objects} objects", check, incident)
        log.rename(incident / log.name)
        dump.rename(incident / dump.name)
        race_sections("log, dump and objects in one directory", check, incident)
    finally:
        shutil.rmtree(work)


main()
