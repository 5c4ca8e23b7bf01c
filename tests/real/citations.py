"""Whether a citation of a report really stands in the source that it names.

A citation is {source, locator, excerpt}. The locator is `line N`, a JSON pointer, a statistic's name, or `whole
document`. The excerpt is text of the source, or JSON written anew, or the fields of a record (`name: ingress, state:
warming`), some of which debrief works out: of these at least one must stand in the source word for word. An excerpt may
be shortened, and secrets in it are replaced by `[redacted:KIND]`.
"""
import json
import re

LINE = re.compile(r"line ([0-9]+)$")
GAPS = re.compile(r"\[redacted:[^]]*\]|\.\.\.|…")
FIELD = re.compile(r"(?:^|, )[a-z_0-9.]+: (.*?)(?=, [a-z_0-9.]+: |$)")
SPAN = 200            # lines a record may be long: a refused message is printed whole
SHORTEST = 3          # an excerpt of fewer characters proves nothing


def _squeezed(text):
    """Text without regard to blanks and line breaks, nor to the quotes and commas that JSON adds."""
    return re.sub(r"[\s\"',{}\[\]:=\\]+", " ", text).strip()


def _in_order(excerpt, text):
    """Whether the parts of an excerpt stand in a text, in their order."""
    text, at = _squeezed(text), 0
    parts = [_squeezed(part) for part in GAPS.split(excerpt)]
    parts = [part for part in parts if part]
    for part in parts:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return sum(map(len, parts)) >= SHORTEST


def _words_stand(excerpt, text):
    """Whether each word of JSON that was written anew stands in a text, in any order."""
    words = _squeezed(GAPS.sub(" ", excerpt)).split()
    text = _squeezed(text)
    return sum(map(len, words)) >= SHORTEST and all(word in text for word in words)


def _a_field_stands(excerpt, text):
    """Whether the value of at least one field of `key: value, key: value` stands in a text."""
    text = " %s " % _squeezed(text)
    values = [_squeezed(value) for value in FIELD.findall(excerpt)]
    return any(len(value) >= SHORTEST and " %s " % value in text for value in values)


def at_pointer(document, pointer):
    """The value at a JSON pointer; KeyError if there is none."""
    value = document
    for step in pointer.split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(step)] if isinstance(value, list) else value[step]
        except (IndexError, ValueError, TypeError) as error:
            raise KeyError(pointer) from error
    return value


def problem(citation, read):
    """What is wrong with a citation, or None. `read(source)` gives a source's text, or None if there is none."""
    for key in ("source", "locator", "excerpt"):
        if not citation.get(key):
            return "it has no %s" % key
    source, locator, excerpt = citation["source"], citation["locator"], citation["excerpt"]
    text = read(source)
    if text is None:
        return "there is no source %s" % source
    return _misplaced(text, locator, excerpt)


def _misplaced(text, locator, excerpt):
    line = LINE.match(locator)
    if line:
        number = int(line.group(1))
        lines = text.splitlines()
        if not 1 <= number <= len(lines):
            return "the source has no %s" % locator
        near = "\n".join(lines[number - 1:number - 1 + SPAN])
        first = _squeezed(GAPS.split(excerpt)[0])[:20]
        if first not in _squeezed(lines[number - 1]) or not _in_order(excerpt, near):
            return "%s is: %s" % (locator, lines[number - 1])
        return None
    if locator.startswith("/"):
        try:
            text = json.dumps(at_pointer(json.loads(text), locator), ensure_ascii=False)
        except (ValueError, KeyError):
            return "the source has nothing at %s" % locator
        name = locator.rsplit("/", 1)[1]
        text = name + " " + text
        stands = _words_stand(excerpt, text) or _a_field_stands(excerpt, text)
        return None if stands else "at %s stands: %s" % (locator, text[:300])
    return _not_a_statistic(text, locator, excerpt)


def _not_a_statistic(text, locator, excerpt):
    named = [line for line in text.splitlines() if line.startswith(locator + ":")]
    if named:
        return None if any(_in_order(excerpt, line) for line in named) else "the statistic is: %s" % named[0]
    stands = _words_stand(excerpt, text) or _a_field_stands(excerpt, text)
    return None if stands else "no such text in the source (locator '%s')" % locator
