"""Transcripts in documents, kept true: a block that begins with `$ debrief` shows a command and parts of what it prints.
`...` on a line of its own stands for what was left out; how lines are broken does not count."""
import re


def blocks(path):
    """(the command's words, the parts that must be printed, in order), one for each transcript."""
    found = []
    for block in re.findall(r"```text\n\$ debrief (.*?)\n```", path.read_text(), re.S):
        command, _, shown = block.partition("\n")
        parts = [" ".join(part.split()) for part in re.split(r"(?m)^\s*\.\.\.$", shown)]
        found.append((command.split(), [part for part in parts if part]))
    return found


def missing(parts, printed):
    """The first part that is not printed behind the one before it; None: all are."""
    printed = " ".join(printed.split())
    for part in parts:
        at = printed.find(part)
        if at < 0:
            return part
        printed = printed[at + len(part):]
    return None
