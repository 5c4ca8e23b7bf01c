"""mutants.py TOP DEBRIEF [SEED [SECONDS]]: evidence that was cut, flipped, retyped or nested breaks nothing.

Mutates the evidence of the sections' cases, some files at a time in one directory, and asks debrief about
each: every check must end well, the report must be JSON, the exit status one that is documented, and nothing
may be said of a defect on standard error. The same seed gives the same mutants; a number of bundles is fixed,
so that a slow machine tests as much as a fast one, and SECONDS only ends a longer search by hand.
"""
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

top, debrief = pathlib.Path(sys.argv[1]), sys.argv[2]
seed = int(sys.argv[3]) if len(sys.argv) > 3 else 20261121
seconds = float(sys.argv[4]) if len(sys.argv) > 4 else None
BUNDLES, FILES, LARGEST, DEADLINE = 12, 40, 100_000, 120

sys.setrecursionlimit(20000)  # for the writer of deep nesting, below
rng = random.Random(seed)

ODD = [b"\0", b"\xff\xfe", b"\xf0\x9f\x92", b"99999999999999999999999999", b"-1", b"1e999", b"\n\n", b"\r", b'"', b"\\",
       b"{", b"}", b"[", b"]", b"\x1b[31m", b"%s%n", b"'", b"::", b" " * 300, b"A" * 70000, b"null", b"\xef\xbb\xbf", b"\t",
       b"---\n"]
VALUES = [None, True, False, -1, 0, 2**63, 1e308, "", "x", "%s%n", [], {}, [None], [[]], {"": None}, [{}], "A" * 5000,
          "\u0000", "\ud83d\ude00", "1", ["a", 1, None], {"a": {"a": []}}]


def places(root):
    """The path of every member and element; without recursion, because trees are nested on purpose."""
    left = [((), root)]
    while left:
        path, node = left.pop()
        for name, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
            yield (*path, name)
            left.append(((*path, name), value))


def nested():
    value = "x"
    for _ in range(rng.choice([5, 50, 400])):
        value = [value] if rng.random() < .5 else {"a": value}
    return value


def retype(tree):
    """Another type or value, another name, or too many levels somewhere in the tree."""
    paths = list(places(tree))
    if not paths:
        return
    *way, last = rng.choice(paths)
    holder = tree
    for name in way:
        holder = holder[name]
    kind = rng.randrange(5)
    if kind == 0 and isinstance(holder, dict):
        holder[rng.choice(["", "id", "name", "A" * 300, "k\n"])] = holder.pop(last)
    else:
        holder[last] = nested() if kind == 1 else rng.choice(VALUES)


def twice(text):
    """One member stands twice, as something else."""
    found = list(re.finditer(r'"(\w+)": ', text))
    if not found or rng.random() < .8:
        return text
    at = rng.choice(found)
    return f'{text[:at.start()]}"{at[1]}": {rng.choice(["null", "1", "[]", "{}"])}, {text[at.start():]}'


def mutate_json(data):
    tree = json.loads(data)
    for _ in range(rng.randint(1, 4)):
        retype(tree)
    return twice(json.dumps(tree)).encode("utf-8", "surrogatepass")


def mutate_bytes(data):
    data = bytearray(data)
    for _ in range(rng.randint(1, 12)):
        at, kind = rng.randint(0, max(0, len(data) - 1)), rng.randrange(4)
        if kind == 0 and data:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at:at] = rng.choice(ODD)
        elif kind == 2:
            del data[at:at + rng.randint(1, 40)]
        else:
            data[at:at] = data[at:at + rng.randint(1, 200)]
    return bytes(data)


def mutate(data):
    kind = rng.randrange(7)
    if kind < 3:
        try:
            return mutate_json(data)
        except ValueError:
            pass
    return data[:rng.randint(0, len(data))] if kind == 3 else mutate_bytes(data)


def evidence():
    files = {}
    for path in sorted(top.glob("plugins/*/cases/*/evidence/**/*")):
        if path.is_file() and path.stat().st_size < LARGEST:
            files.setdefault(path.read_bytes(), path.name)
    return list(files.items())


def judge(folder):
    """What is wrong with what debrief says of FOLDER; None when it is well."""
    environment = {**os.environ, "ASAN_OPTIONS": "abort_on_error=1", "UBSAN_OPTIONS": "halt_on_error=1"}
    try:
        done = subprocess.run([debrief, "check", folder, "-o", "json"], capture_output=True, timeout=DEADLINE, env=environment)
        report = json.loads(done.stdout.decode())
    except subprocess.TimeoutExpired:
        return f"no answer after {DEADLINE} s"
    except ValueError as error:
        return f"no JSON: {error}\n{done.stderr.decode(errors='replace')[-2000:]}"
    for target in report["targets"]:
        for check in target["checks"]:
            if check["outcome"] == "error":
                return f"{check['id']}: {check['reason']}"
    if done.returncode not in (0, 1, 3):
        return f"exit status {done.returncode}"
    if re.search(rb"Sanitizer|runtime error|BUG", done.stderr):
        return done.stderr.decode(errors="replace")[-2000:]
    return None


def main():
    files, broken, began, number = evidence(), 0, time.monotonic(), 0
    while (time.monotonic() - began < seconds) if seconds else number < BUNDLES:
        with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
            for at in range(FILES):
                data, name = rng.choice(files)
                pathlib.Path(folder, f"{at}-{name}").write_bytes(mutate(data))
            why = judge(folder)
            if why:
                broken += 1
                kept = f"{tempfile.gettempdir()}/mutants-{seed}-{number}"
                subprocess.run(["cp", "-r", folder, kept], check=True)
                print(f"{kept}: {why}")
        number += 1
    print(f"{number * FILES} mutants in {number} bundles, {broken} bundles broke something")
    return broken > 0


sys.exit(main())
