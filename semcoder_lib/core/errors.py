"""Errors that a user sees: one line that says what, where, and what to do, and an exit status."""

from __future__ import annotations


class SemcoderError(Exception):
    """Base of the errors that end a command with one line; `exit_status` is the process's."""

    exit_status = 3


class UserError(SemcoderError):
    """The input was wrong: a file, a value, a name."""

    exit_status = 1


class UsageError(SemcoderError):
    """The command was called in a way that does not exist."""

    exit_status = 2


class InfrastructureError(SemcoderError):
    """The machine or the set-up failed; the input may be fine."""


class DownloadError(InfrastructureError):
    """A file could not be downloaded: offline, no connection, a broken transfer, not there."""

    exit_status = 5


class ChecksumError(InfrastructureError):
    """What was downloaded is not what was expected; it was not kept."""

    exit_status = 6


class PreflightFailed(InfrastructureError):
    """A scorer did not give the known answers on known solutions, so its scores mean nothing."""
