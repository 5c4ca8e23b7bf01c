"""INDEX.md: what each recorded state is, and the lines of its evidence that matter."""
import json
import os
import re

NOTEWORTHY_LOG = re.compile(r"\[(warning|error|critical)\]")
ORDINARY_LOG = re.compile(r"no configured limit to the number of allowed active|Deprecated field|admin address")
STATS = re.compile(
    r"^(control_plane\.connected_state|cluster_manager\.(cds\.(update_(attempt|success|rejected)|init_fetch_timeout)"
    r"|warming_clusters)|listener_manager\.(lds\.(update_(attempt|success|rejected)|init_fetch_timeout)"
    r"|listener_(stopped|create_failure)|total_listeners_active|workers_started)|dns\.cares\.[a-z_]+"
    r"|cluster\.management_server\.(upstream_cx_(active|connect_fail|connect_timeout|protocol_error)|upstream_rq_active"
    r"|membership_total|ssl\.[a-z_]+)|grpc\.ads\.streams_[a-z0-9_]+): ([0-9]+)$")
MOST_LINES = 4


def _read(folder, name):
    try:
        with open(os.path.join(folder, "evidence", name), encoding="utf-8", errors="replace") as source:
            return source.read()
    except FileNotFoundError:
        return ""


def _log_lines(folder):
    """The first few warnings and errors, without time and thread, each once."""
    seen = []
    for line in _read(folder, "log/envoy.log").splitlines():
        text = re.sub(r"^\[[^]]*\]\[[0-9]+\]", "", line)
        if NOTEWORTHY_LOG.search(line) and not ORDINARY_LOG.search(line) and text not in seen:
            seen.append(text)
    return seen[:MOST_LINES]


def _stats(folder):
    """The telling statistics, and those that are 0 although they should not be."""
    found = []
    for line in _read(folder, "admin/stats.txt").splitlines():
        match = STATS.match(line)
        zero_tells = ("connected_state", "update_success", "workers_started", "membership_total")
        if match and (match.group(match.lastindex) != "0" or match.group(1).endswith(zero_tells)):
            found.append("%s=%s" % (match.group(1), match.group(match.lastindex)))
    return found


def _entry(folder):
    with open(os.path.join(folder, "meta.json"), encoding="utf-8") as source:
        meta = json.load(source)
    lines = ["- **%s**: /ready `%s`" % (meta["envoy"], _read(folder, "admin/ready.txt").strip() or "(no answer)")]
    for key in ("skipped", "trouble"):
        if key in meta:
            lines.append("  - %s: %s" % (key, meta[key]))
    lines += ["  - `%s`" % line for line in _log_lines(folder)]
    lines += ["  - " + " ".join(_stats(folder))] if _stats(folder) else []
    return meta, lines


def write(out):
    """Describe everything that lies in OUT."""
    states = {}
    for version in sorted(os.listdir(out)):
        for name in sorted(os.listdir(os.path.join(out, version)) if os.path.isdir(os.path.join(out, version)) else ()):
            folder = os.path.join(out, version, name)
            if os.path.exists(os.path.join(folder, "meta.json")):
                states.setdefault(name, []).append(_entry(folder))
    text = ["# Recorded states of real Envoys", "",
            "`VERSION/STATE/evidence/` holds the sources, `meta.json` says when and how. "
            "Made by tests/real/drive.py.", ""]
    for name, entries in sorted(states.items()):
        meta = entries[0][0]
        expect = "; ".join(sorted({" or ".join(entry[0].get("expect") or ["nothing above info"]) for entry in entries}))
        text += ["## %s" % name, "%s. Expected: %s." % (meta["about"], expect), ""]
        for _, lines in entries:
            text += lines
        text.append("")
    with open(os.path.join(out, "INDEX.md"), "w", encoding="utf-8") as target:
        target.write("\n".join(text))
