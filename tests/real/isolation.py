"""A network and process namespace for each scene: its ports are its own, and nothing that it starts can survive it.

Where the machine does not allow namespaces (an unprivileged container), scenes share the host's loopback, on free
ports, and the states that need a namespace are skipped.
"""
import os
import subprocess

# The process namespace gets its own /proc where that is allowed: leak checkers look up their own number there.
_PLAIN = ["unshare", "--net", "--pid", "--fork", "--kill-child"]
_AS_USER = ["unshare", "--user", "--map-root-user"] + _PLAIN[1:]
_OWN_PROC = ["--mount-proc"]
_LOOPBACK_UP = ["ip", "link", "set", "lo", "up"]


def prefix():
    """The command that puts another into its own namespaces, or [] if that cannot be had here."""
    kinds = ([_PLAIN] if os.geteuid() == 0 else []) + [_AS_USER]
    for command in [kind + _OWN_PROC for kind in kinds] + kinds:
        try:
            subprocess.run(command + _LOOPBACK_UP, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, timeout=10, check=True)
            return command
        except (OSError, subprocess.SubprocessError):
            continue
    return []


def environment(command):
    """The environment of what runs behind COMMAND: in a process namespace without its own /proc a leak checker cannot
    find itself and ends the program; leaks are then left to the other tests."""
    if not command or _OWN_PROC[0] in command:
        return dict(os.environ)
    options = os.environ.get("ASAN_OPTIONS", "")
    return dict(os.environ, ASAN_OPTIONS=(options + ":" if options else "") + "detect_leaks=0")


def enter():
    """Inside a new namespace: switch loopback on."""
    subprocess.run(_LOOPBACK_UP, check=True, timeout=10)


def lacking(needs, command):
    """Which of a state's needs this machine does not meet, as a sentence; None if it meets all."""
    if "namespace" in needs and not command:
        return "no network namespace can be made here"
    if "root" in needs and os.geteuid() != 0:
        return "only root can become another user"
    return None
