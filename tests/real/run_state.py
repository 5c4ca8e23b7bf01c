#!/usr/bin/env python3
"""Play one state on one Envoy and record it. Called by drive.py, usually inside namespaces of its own.

    run_state.py --cache DIR --out DIR --envoy V --state NAME [--debrief PATH] [--first-port N]

Without a first port the scene has namespaces of its own.
"""
import argparse
import os
import shutil
import signal
import sys
import time

import isolation
import record
import states
from scene import Scene, Trouble


def _now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)


def run(options, state):
    """Play, record, judge, clean up."""
    folder = os.path.join(os.path.abspath(options.out), options.envoy, state.name)
    _fresh(folder)
    source = os.path.join(folder, "evidence")
    scene = Scene(options.cache, options.envoy, folder, options.first_port)
    meta = {"state": state.name, "about": state.about, "envoy": options.envoy, "started": _now(),
            "expect": state.expect and list(states.expected(state, options.envoy)),
            "isolated": options.first_port is None}
    try:
        state.play(scene)
        if state.alive:
            scene.outlast_patience()
        meta["observed"] = _now()
        meta["problems"] = record.evidence(scene, source, state.alive)
        if options.debrief:
            record.reports(options.debrief, scene, os.path.join(folder, "reports"), source, state.alive)
        if state.alive and scene.envoy.poll() is not None:
            raise Trouble("the proxy died with %s" % scene.envoy.returncode)
        meta["exit"] = scene.envoy.poll()
    except Trouble as trouble:
        meta["trouble"] = str(trouble)
    finally:
        scene.stop()
        meta.update(command=scene.command, ports=scene.ports, finished=_now())
        meta = {key: value for key, value in meta.items() if value is not None}
        record.write_json(os.path.join(folder, "meta.json"), meta)
    return meta.get("trouble")


def main():
    """Status 0: recorded; 1: the state could not be brought about."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--cache", "--out", "--envoy", "--state"):
        parser.add_argument(name, required=True)
    parser.add_argument("--debrief")
    parser.add_argument("--first-port", type=int)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that `finally` runs
    if options.first_port is None:
        isolation.enter()
    trouble = run(options, states.BY_NAME[options.state])
    if trouble:
        print(trouble)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
