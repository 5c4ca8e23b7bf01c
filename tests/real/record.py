"""Put down what a scene shows: the raw evidence under the contract's source names, then debrief's reports on it."""
import json
import os
import shutil
import subprocess
import time

# Source name and the question that answers it. The dump comes last: it is the largest.
QUESTIONS = (
    ("admin/server_info.json", "/server_info"),
    ("admin/ready.txt", "/ready"),
    ("admin/stats.txt", "/stats"),
    ("admin/clusters.json", "/clusters?format=json"),
    ("admin/listeners.json", "/listeners?format=json"),
    ("admin/certs.json", "/certs"),
    ("admin/init_dump.json", "/init_dump"),
    ("admin/memory.json", "/memory"),
    ("admin/runtime.json", "/runtime"),
    ("admin/config_dump.json", "/config_dump?include_eds"),
)
NOT_READY = 503     # how /ready says that the state is not LIVE: an answer like any other
DEBRIEF_LIMIT = 60


def write_json(path, content):
    """Write readable JSON."""
    with open(path, "w", encoding="utf-8") as target:
        json.dump(content, target, indent=2)
        target.write("\n")


def evidence(scene, folder, alive):
    """Record every source; returns what went wrong, one sentence each."""
    for part in ("admin", "log"):
        os.makedirs(os.path.join(folder, part))
    problems = []
    for name, question in QUESTIONS if alive else ():
        try:
            status, body = scene.admin(question)
        except OSError as error:
            problems.append("%s: %s" % (name, error))
            continue
        if status not in (200, NOT_READY):
            problems.append("%s: status %d" % (name, status))
            continue
        with open(os.path.join(folder, name), "wb") as target:
            target.write(body)
    for path in (scene.log_path, scene.access_log):
        if os.path.exists(path) and os.path.getsize(path):
            shutil.copyfile(path, os.path.join(folder, "log", os.path.basename(path)))
    for name, text in scene.by_hand.items():
        os.makedirs(os.path.join(folder, "file"), exist_ok=True)
        with open(os.path.join(folder, "file", name), "w", encoding="utf-8") as target:
            target.write(text)
    if not alive:
        os.rmdir(os.path.join(folder, "admin"))
    return problems


def _run(debrief, name, args):
    """One bounded call of debrief, and how it went."""
    started = time.monotonic()
    try:
        done = subprocess.run([debrief] + args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=DEBRIEF_LIMIT, check=False)
        status, out, err = done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired as error:
        status, out, err = "timeout", error.stdout or b"", error.stderr or b""
    return {"name": name, "arguments": args, "status": status, "seconds": round(time.monotonic() - started, 2),
            "stdout": out.decode(errors="replace"), "stderr": err.decode(errors="replace")}


def reports(debrief, scene, folder, source, alive):
    """Have debrief judge the same state three ways: live, from a bundle, from the raw evidence directory."""
    os.makedirs(folder)
    target = ["http://" + scene.at("admin")] if alive else []
    for part in ("log", "file"):
        extra = os.path.join(source, part)
        for name in sorted(os.listdir(extra)) if os.path.isdir(extra) else ():
            target += ["--evidence", os.path.join(extra, name)]
    bundle = os.path.join(folder, "bundle.tar.gz")

    def judge(name, what):
        return _run(debrief, name, ["check"] + what + ["-o", "json=" + os.path.join(folder, name + ".json")])
    runs = [judge("live", target),
            _run(debrief, "collect", ["collect"] + target + ["--bundle", bundle]),
            judge("bundle", [bundle]),
            judge("directory", [source])]
    write_json(os.path.join(folder, "runs.json"), runs)
