"""Long work shows one live bar with rate and time left; without a screen, a line every so often."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from typing import Protocol, TextIO

DELAY = 3.0  # seconds before a bar is shown: what is done by then needs none
BETWEEN = 30.0  # seconds between lines without a screen


class Bar(Protocol):
    """What the worker tells: `update(n)` more are done; `set_postfix_str` something to show."""

    def update(self, n: int = 1) -> object: ...
    def set_postfix_str(self, s: str = "") -> object: ...


@contextlib.contextmanager
def bar(name: str, total: int, unit: str = "items") -> Iterator[Bar]:
    """A bar for `total` units of the work `name`."""
    screen = in_jupyter() or sys.stderr.isatty()
    if not screen or os.environ.get("SEMCODER_PROGRESS") == "off":
        yield _Lines(name, total, unit)
        return
    from tqdm.auto import tqdm

    with tqdm(
        total=total, desc=name, unit=f" {unit}", delay=DELAY, leave=False, dynamic_ncols=True
    ) as shown:
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


class _Lines:
    """The same on standard error, a line every `BETWEEN` seconds."""

    def __init__(self, name: str, total: int, unit: str) -> None:
        self.name, self.total, self.unit, self.done, self.note = name, total, unit, 0, ""
        self.began = self.shown = time.monotonic()

    def update(self, n: int = 1) -> None:
        self.done += n
        now = time.monotonic()
        if now - self.shown < BETWEEN:
            return
        self.shown = now
        rate = self.done / (now - self.began)
        left = f"{(self.total - self.done) / rate / 60:.1f} min left" if rate else "none yet"
        print(
            f"{self.name}: {self.done} of {self.total} {self.unit}, {rate:.3g} a second, "
            f"{left}{', ' if self.note else ''}{self.note}",
            file=sys.stderr, flush=True,
        )  # fmt: skip

    def set_postfix_str(self, s: str = "") -> None:
        self.note = s
