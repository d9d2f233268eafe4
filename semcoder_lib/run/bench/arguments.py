"""Command lines whose mistakes are told in one line."""

from __future__ import annotations

import argparse
from typing import NoReturn

from semcoder_lib.core.errors import UsageError


class Parser(argparse.ArgumentParser):
    """argparse, with usage errors as UsageError: one line, exit status 2."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}; --help shows the usage")
