"""The three descriptors that every program begins with."""

import os


def fill_standard_descriptors() -> None:
    """Put `/dev/null` where standard input, output or error is closed.

    Else the next socket or file would get its number, and what a library prints would go into it.
    What Python itself has for a closed stream stays None.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            os.set_inheritable(number, True)
