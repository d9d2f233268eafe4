"""Long work shows one live bar with rate and time left; without a screen, a line every so often."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO

DELAY = 3.0  # seconds before a bar is shown: what is done by then needs none
BETWEEN = 30.0  # seconds between lines without a screen


@contextlib.contextmanager
def bar(name: str, total: int, unit: str = "items") -> Iterator[Any]:
    """A bar of tqdm's for `total` units of the work `name`."""
    screen = in_jupyter() or sys.stderr.isatty()
    look: dict[str, Any] = {"delay": DELAY, "dynamic_ncols": True}
    if not screen or os.environ.get("SEMCODER_PROGRESS") == "off":
        from tqdm.std import tqdm

        look = {"delay": BETWEEN, "mininterval": BETWEEN, "miniters": 1, "file": _Lines()}
        look["bar_format"] = "{desc}: {n} of {total}{unit}, {rate_fmt}, {remaining} left{postfix}"
    else:
        from tqdm.auto import tqdm
    tqdm.monitor_interval = 0  # no thread of its own in a process that forks
    with tqdm(total=total, desc=name, unit=f" {unit}", leave=False, **look) as shown:
        yield shown


def in_jupyter() -> bool:
    """Whether this process is the kernel of a notebook. (One that starts kernels has the package
    loaded, too.)"""
    kernel = sys.modules.get("ipykernel.kernelapp")
    return kernel is not None and bool(kernel.IPKernelApp.initialized())


_streams: list[TextIO] = []  # where lines go while what cells print is swallowed


def say(line: str) -> None:
    """One line of progress: below the cell in Jupyter, on standard error elsewhere. It may quote a
    program; what would move the cursor or begin a line is shown as an escape."""
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
    print(shown, file=_stream(), flush=True)


def _stream() -> TextIO:
    return _streams[-1] if _streams else sys.stdout if in_jupyter() else sys.stderr


@contextlib.contextmanager
def only_progress() -> Iterator[None]:
    """Within it, lines of `say` show as before, and what is printed does not."""
    _streams.append(_stream())
    try:
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            yield
    finally:
        _streams.pop()


class _Lines(io.StringIO):
    """What a bar draws over itself, line by line on standard error."""

    def write(self, text: str) -> int:
        if text.strip():
            print(text.strip(), file=sys.stderr, flush=True)
        return len(text)
