"""Seconds and peak memory of a notebook: the process tree's summed proportional set size.

PSS counts a shared page once over all its sharers, so forked workers are not counted several times.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time

import psutil


def tree_pss_bytes(root: int) -> int:
    """Summed PSS of a process and all its descendants; 0 where the system does not tell (macOS)."""
    total = 0
    with contextlib.suppress(psutil.Error):
        top = psutil.Process(root)
        for process in (top, *top.children(recursive=True)):
            with contextlib.suppress(psutil.Error):  # it has ended meanwhile
                total += getattr(process.memory_full_info(), "pss", 0)
    return total


class Meter:
    """Measures until `stop` in a background thread, every `interval` seconds or a hundred times
    what a look costs (some milliseconds for each gigabyte in use), whichever is longer."""

    def __init__(self, interval: float = 1.0) -> None:
        self.seconds = 0.0
        self.peak_bytes = 0
        self._interval = interval
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._began = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        """End the measurement; a second call changes nothing."""
        if self._done.is_set():
            return
        self.seconds = time.monotonic() - self._began
        self._done.set()
        self._thread.join()

    def _sample(self) -> None:
        while True:
            began = time.monotonic()
            with contextlib.suppress(OSError):  # no descriptor is left: look again later
                self.peak_bytes = max(self.peak_bytes, tree_pss_bytes(os.getpid()))
            if self._done.wait(max(self._interval, 100 * (time.monotonic() - began))):
                return
