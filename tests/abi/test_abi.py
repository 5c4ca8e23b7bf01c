"""test_abi.py PART DEBRIEF PLUGINS SCRIPTS: what plugins and scripts that do everything wrong cost.

Whatever a plugin does, there is exactly one record for each check, the bad ones are errors with the
reason, the good ones are not touched, and nothing is left behind: no process, no file, no line on
standard output.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PART, DEBRIEF = sys.argv[1:3]
PLUGINS, SCRIPTS = map(pathlib.Path, sys.argv[3:5])
MARK = f"ABI_TEST_MARK={os.getpid()}"

SERVER_INFO = {
    "version": "abc/1.36.4/Clean/RELEASE/BoringSSL", "state": "LIVE", "uptime_current_epoch": "100s",
    "uptime_all_epochs": "100s", "hot_restart_version": "disabled",
    "command_line_options": {"concurrency": 2}, "node": {"id": "sidecar~10.0.0.1~web-1.shop~shop.svc.cluster.local", "cluster": "c"},
}
LOG = """\
[2026-11-21 07:00:00.000][1][info][main] [source/server/server.cc:1] abi marker red in the log
[2026-11-21 07:00:01.000][1][info][main] [source/server/server.cc:1] nothing to see
[2026-11-21 07:00:02.000][1][info][main] [source/server/server.cc:1] abi marker blue in the log
"""

# How long a check may take here: enough for what must end by another cause, also where the machine is busy.
CHECK_S = 8

# Of the plugin abi-good, whatever runs beside it: outcome and reason.
GOOD = {
    "abi-good": ("fail", r"^$"),
    "abi-good/healthy": ("pass", r"^$"),
    "abi-good/hungry": ("skip", r"^missing: certs or xds.listeners"),
    "abi-good/old": ("not_applicable", r"^envoy is 1.36.4, and this is about envoy < 1.10$"),
    "abi-good/unsure": ("skip", r"^not enough to tell: the counters would tell$"),
    "abi-good/elsewhere": ("not_applicable", r"^this is no toaster$"),
}
REFUSED = {
    "abi-no-note": r"'.*abi-no-note.so' has no debrief stamp",
    "abi-text": r"'.*abi-text.so' has no debrief stamp",
    "abi-empty": r"'.*abi-empty.so' has no debrief stamp",
    "abi-cut": r"'.*abi-cut.so' is cut short",
    "abi-magic": r"'.*' bears the magic 0x12345678, .* rebuild it",
    "abi-major": r"'.*' is built for plugin ABI 2\.0 and this debrief speaks 1\.3: rebuild it",
    "abi-minor": r"'.*' is built for plugin ABI 1\.4, newer than this debrief's 1\.3: upgrade debrief",
    "abi-long-rows": r"'.*' says that its debrief_check is \d+ bytes, .* rebuild it",
    "abi-no-symbol": r"'.*' has a stamp but no symbol 'debrief_plugin'",
    "abi-unresolved": r"'.*' cannot be loaded: .*abi_nobody_has_this",
    "abi-crash-load": r"'.*' crashed with SIGABRT while it was loaded",
    "abi-hang-load": r"'.*' was still loading after 10 s",
    "abi-crash-rows": r"'.*' crashed with SIGSEGV while it was loaded",
    "abi-bad-need": r"'.*': .*there is no evidence 'admin.nothing'",
}
RUNNING = {
    "abi-crash": r"^crashed with SIGSEGV$",
    "abi-recursion": r"^crashed with SIGSEGV$",
    "abi-exit": r"^ended with status 0 instead of returning$",
    "abi-endless": fr"^still running after {CHECK_S} s$",
    "abi-hog": r"^grew above 512 MB$",
    "abi-undeclared-id": r"^reported 'abi-undeclared-id.surprise', which it does not declare$",
    "abi-undeclared-need": r"^read evidence 'certs', which its needs do not name$",
}
SCRIPT_ERRORS = {
    "abi-lua-syntax": r"abi-lua-syntax.lua:3: ",
    "abi-lua-key": r"check 'abi-lua-key': unknown key 'need': did you mean 'needs'\?$",
    "abi-lua-nothing": r"does not return debrief.check",
    "abi-lua-bytecode": r"attempt to load a binary chunk",
    "abi-lua-endless-load": r"abi-lua-endless-load.lua:1: still running when its time was over$",
    "abi-lua-hang-load": r"was still loading after 10 s$",
    "abi-lua-bad-line": r"lines\[1\]: its event has no column 'colour'$",
    "abi-lua-error": r"^abi-lua-error.lua:5: attempt to index .* \(called from abi-lua-error.lua:6\)$",
    "abi-lua-pcall": fr"^(abi-lua-pcall.lua:5: still running when its time was over|still running after {CHECK_S} s)$",
    "abi-lua-catcher": fr"^still running after {CHECK_S} s$",
    "abi-lua-find": fr"^still running after {CHECK_S} s$",
    "abi-lua-coroutine": r"^abi-lua-coroutine.lua:5: .*global 'coroutine'",
    "abi-lua-hog": r"^grew above 64 MB$",
    "abi-lua-exit": r"^abi-lua-exit.lua:5: .*global 'os'",
    "abi-lua-undeclared": r"^abi-lua-undeclared.lua:5: read evidence 'certs', which its needs do not name$",
    "abi-lua-column": r"^abi-lua-column.lua:5: asked for 'colour', which evidence 'proxy' does not have$",
    "abi-lua-self": r"^abi-lua-self.lua:5: bad argument #1 to 'first'",
}


def left_behind():
    """Processes of this test that are still there."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if MARK.encode() in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(entry.name)
            except OSError:
                pass
    return found


class Scene:
    """A folder of plugins, a folder of evidence, and a call of debrief over both."""

    def __init__(self, top):
        self.top = pathlib.Path(top)
        self.plugins, self.evidence, self.tmp = (self.top / name for name in ("plugins", "evidence", "tmp"))
        for folder in (self.plugins, self.tmp, self.evidence / "admin", self.evidence / "log"):
            folder.mkdir(parents=True)
        (self.evidence / "admin/server_info.json").write_text(json.dumps(SERVER_INFO))
        (self.evidence / "admin/stats.txt").write_text("server.live: 1\nserver.state: 0\n")
        (self.evidence / "log/envoy.log").write_text(LOG)

    def add_plugins(self, *names):
        for name in names:
            shutil.copy(PLUGINS / f"{name}.so", self.plugins)

    def start(self, timeout=f"{CHECK_S}s", target=None, stdin=subprocess.DEVNULL):
        environment = dict(os.environ, TMPDIR=str(self.tmp), DEBRIEF_CHECK_TIMEOUT=timeout)
        environment.pop("DEBRIEF_PLUGIN_PATH", None)
        key, value = MARK.split("=")
        environment[key] = value
        return subprocess.Popen(
            [DEBRIEF, "check", target or str(self.evidence), "--plugin-path", str(self.plugins), "--select", "abi-*",
             "-o", "json", "--fail-on", "never"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=stdin, env=environment, text=True)

    def finish(self, process, status=0):
        out, err = process.communicate(timeout=120)
        assert process.returncode == status, (process.returncode, err)
        self.check_clean()
        report = json.loads(out)  # nothing but the report is on standard output
        assert report["schema"] == "debrief.report/1"
        return report["targets"][0], err

    def check_clean(self):
        deadline = time.monotonic() + 5
        while left_behind() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not left_behind(), f"processes were left behind: {left_behind()}"
        assert not list(self.tmp.iterdir()), f"files were left behind: {list(self.tmp.iterdir())}"


def compare(target, expected):
    """Exactly the expected records, in order of their ids, with outcome and reason."""
    ids = [record["id"] for record in target["checks"]]
    assert ids == sorted(expected), f"{ids} are not {sorted(expected)}"
    for record in target["checks"]:
        outcome, reason = expected[record["id"]]
        assert record["outcome"] == outcome, record
        assert re.search(reason, record["reason"]), record
        assert record["elapsed_ms"] >= 0, record


def errors(table):
    return {name: ("error", reason) for name, reason in table.items()}


def finding(target, check, subject):
    return next(f for f in target["findings"] if f["check"] == check and f["subject"]["name"] == subject)


def check_good_findings(target):
    red = finding(target, "abi-good", "red")
    assert red["severity"] == "warning" and red["confidence"] == "certain", red
    assert red["message"] == "the log holds the marker 'red' (dark)"
    assert red["evidence"][0]["locator"] == "line 1" and len(red["evidence"][0]["sha256"]) == 64
    assert red["evidence"][0]["time"] == red["first"] == red["last"] == "2026-11-21T07:00:00Z"
    assert [step.get("command") for step in red["fix"]] == ["sed -i /marker/d FILE", None]
    assert red["fix"][1]["snippet"] == {"path": "marker.yaml", "text": "marker: false\n"}
    assert red["candidates"] == [{"id": "abi-good.other", "for": ["it looks alike"], "against": []}]
    assert len([f for f in target["findings"] if f["check"] == "abi-good"]) == 2
    assert {ask["evidence"] for ask in target["asks"]} >= {"admin/stats.txt", "certs or xds.listeners"}
    assert "curl the admin page" in {ask["how"] for ask in target["asks"]}  # that for istio on kubernetes


def refused_plugins(scene):
    made = {"abi-text", "abi-empty", "abi-cut"}
    scene.add_plugins("abi-good", *(set(REFUSED) - made))
    (scene.plugins / "abi-text.so").write_text("#!/bin/sh\n")
    (scene.plugins / "abi-empty.so").write_text("")
    (scene.plugins / "abi-cut.so").write_bytes((PLUGINS / "abi-good.so").read_bytes()[:9000])
    target, _ = scene.finish(scene.start())
    compare(target, {**GOOD, **errors(REFUSED)})
    check_good_findings(target)


def running_plugins(scene):
    scene.add_plugins("abi-good", "abi-short-rows", "abi-stdout", *RUNNING)
    target, err = scene.finish(scene.start())
    others = {"abi-short-rows": ("fail", "^$"), "abi-stdout": ("pass", "^$")}
    compare(target, {**GOOD, **others, **errors(RUNNING)})
    check_good_findings(target)
    old = finding(target, "abi-short-rows", "envoy")
    assert old["count"] == 2 and old["explains"] == [], old
    assert "this is" in err  # what a plugin prints goes to standard error


def scripts(scene):
    for script in SCRIPTS.glob("*.lua"):
        shutil.copy(script, scene.plugins)
    (scene.plugins / "abi-lua-bytecode.lua").write_bytes(b"\x1bLuaT\0\x19\x93\r\n\x1a\n")
    target, _ = scene.finish(scene.start())
    fine = {"abi-lua-good": ("fail", "^$"), "abi-lua-good/sandbox": ("pass", "^$"), "abi-lua-lines": ("fail", "^$")}
    compare(target, {**fine, **errors(SCRIPT_ERRORS)})
    red = finding(target, "abi-lua-good", "red")
    assert red["message"] == "the log holds 'red' (3, red)" and red["count"] == 7, red
    assert (red["severity"], red["confidence"], red["state"]) == ("warning", "likely", "before"), red
    assert red["candidates"] == [{"id": "abi-lua-good.other", "for": ["it looks alike"], "against": ["it does not"]}]
    row = finding(target, "abi-lua-lines", "red")
    assert row["message"] == "the marker is red in unknown" and row["fix"][0]["command"] == "paint red", row
    rest = finding(target, "abi-lua-lines", "envoy")
    assert rest["severity"] == "info" and len(rest["evidence"]) == 1, rest
    assert {"evidence": "paint", "why": "who painted red?", "how": "ask around"} in target["asks"]


def wait_for(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it never came to this"
        time.sleep(0.05)


def signals(scene):
    scene.add_plugins("abi-good", "abi-endless")
    process = scene.start("60s")
    wait_for(lambda: len(left_behind()) >= 4)  # supervisor, reader, runner and the runner's own child
    process.send_signal(signal.SIGINT)
    target, _ = scene.finish(process, 130)
    interrupted = ("error", "^interrupted before it came to its end$")
    assert target["checks"][0]["id"] == "abi-endless"
    compare(target, {"abi-endless": interrupted, **{name: interrupted for name in GOOD}})

    process = scene.start("60s")
    wait_for(lambda: len(left_behind()) >= 4)
    process.kill()  # nobody can tidy up after this, but nothing may go on running
    process.wait()
    wait_for(lambda: len(left_behind()) <= 1)  # the plugin's own child has no parent to die with
    for pid in left_behind():
        os.kill(int(pid), signal.SIGKILL)
    process.communicate()


def children(pid):
    text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def reads_stdin(pid):
    try:
        return os.readlink(f"/proc/{pid}/fd/0").startswith("pipe:")
    except OSError:
        return False


def deaths(scene):
    """The collector and the reader are lost too: what was not answered is an error with the reason."""
    scene.add_plugins("abi-good", "abi-endless")
    process = scene.start("60s")
    wait_for(lambda: len(left_behind()) >= 4)
    (reader,) = children(process.pid)
    os.kill(reader, signal.SIGKILL)
    target, _ = scene.finish(process, 1)  # nothing could be judged
    lost = ("error", "^reading was killed by SIGKILL")
    compare(target, {"abi-endless": lost, **{name: lost for name in GOOD}})

    # A collector that is lost in mid-work: its target is judged by what it had got, here nothing.
    hold, give = os.pipe()
    process = scene.start("3s", "-", hold)
    wait_for(lambda: any(map(reads_stdin, children(process.pid))))  # the scout before it does not
    (collector,) = children(process.pid)
    os.kill(collector, signal.SIGKILL)
    target, _ = scene.finish(process, 1)  # nothing could be read
    os.close(hold)
    os.close(give)
    problems = [problem for source in target["sources"] for problem in source["problems"]]
    assert any("collecting was killed by SIGKILL" in problem for problem in problems), target["sources"]
    outcomes = {record["id"]: record["outcome"] for record in target["checks"]}
    assert outcomes["abi-endless"] == "error" and outcomes["abi-good"] == "skip", outcomes


with tempfile.TemporaryDirectory() as folder:
    try:
        globals()[PART](Scene(folder))
    finally:
        for straggler in left_behind():
            os.kill(int(straggler), signal.SIGKILL)
print(f"{PART}: every record is there, once")
