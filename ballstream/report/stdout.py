"""Standard output: what a run leaves there at its end, in whatever letters it takes."""

import json
import logging
import os
import re
import sys
from collections.abc import Callable, Iterable

logger = logging.getLogger(__name__)

_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def print_lines(lines: Iterable[str]) -> bool:
    """Print lines of text; what the encoding does not have becomes escapes.

    False, and a line in the log, where it cannot be written.
    """
    return _print("".join(f"{line}\n" for line in lines), _as_escapes)


def print_document(document: str) -> bool:
    """Print a JSON document, which stays one: what the encoding does not have is escaped as there.

    False, and a line in the log, where it cannot be written.
    """
    return _print(f"{document}\n", _as_json_escapes)


def _print(text: str, escape: Callable[[str, str], str]) -> bool:
    try:
        if sys.stdout is None:
            raise OSError("it is closed")
        sys.stdout.write(escape(text, sys.stdout.encoding))
        sys.stdout.flush()
    except OSError as error:
        logger.error("cannot write to standard output: %s", error.strerror or error)
        _let_go()
        return False
    return True


def _as_escapes(text: str, encoding: str) -> str:
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _as_json_escapes(text: str, encoding: str) -> str:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return _NOT_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], text)
    return text


def _let_go() -> None:
    """Keep Python from trying once more, and from complaining, when it ends."""
    if sys.stdout is not None:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
