"""`Sandbox`: plans the work, keeps the zygotes busy, and hands outcomes back in order."""

from __future__ import annotations

import json
import marshal
import os
import threading
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from typing import Any

from semcoder_lib import values
from semcoder_lib.errors import InfrastructureError, UserError
from semcoder_lib.records import Status
from semcoder_lib.sandbox import host, judge
from semcoder_lib.sandbox.model import Job, Limits, Outcome

LEVELS = ("full", "no-namespaces", "portable")
_IN_FLIGHT = 24  # jobs sent ahead to one zygote
_IN_FLIGHT_BYTES = 2_000_000
_AHEAD = 200  # jobs taken ahead of the oldest unfinished one
_REMEMBERED = 20_000


class _Ticket:
    """A job on its way: what was asked, what is known so far."""

    __slots__ = ("calls", "deaths", "job", "key", "limits", "losses", "outcomes", "plugin", "size")

    def __init__(self, job: Job, limits: Limits, calls: list[bytes | str]) -> None:
        self.job = job
        self.limits = limits
        self.calls = calls
        self.outcomes: list[Outcome] = []
        self.losses = 0  # zygotes lost while they ran it
        self.deaths = 0  # processes of a shared job that died
        self.size = len(job.source) + sum(map(len, calls))
        self.key: Any = None

    @property
    def done(self) -> bool:
        return len(self.outcomes) >= len(self.calls)


class _Worker:
    """One zygote and the tickets it holds, oldest first."""

    def __init__(self) -> None:
        self.host: host.Host | None = None
        self.held: deque[tuple[int, _Ticket]] = deque()

    @property
    def bytes_held(self) -> int:
        return sum(ticket.size for _, ticket in self.held)


class Sandbox:
    """Runs untrusted programs, each in an isolated child of a warm zygote.

    `isolation` is `auto` (the strongest level this machine allows, `full` or `no-namespaces`), or
    a named level, which is used or refused, never weakened: `full`, `no-namespaces`, `portable`.
    `portable` contains nothing and must be asked for. `workers` is the number of zygotes (default:
    one per core that this process may use). With `dedupe`, jobs of one `map` that are equal in
    everything run once. Zygotes start at the first use. Leaving the `with` block, or `close`,
    leaves no process behind. Raises `InfrastructureError` when no acceptable level can be set up.
    Not safe for use by several threads at once; a fork of this process gets its own zygotes.
    """

    def __init__(
        self,
        isolation: str = "auto",
        limits: Limits = Limits(),
        workers: int | None = None,
        *,
        dedupe: bool = True,
    ) -> None:
        if isolation not in ("auto", *LEVELS):
            raise UserError(f"isolation {isolation!r}: give one of auto, {', '.join(LEVELS)}")
        self.isolation = isolation
        self.limits = limits
        self.dedupe = dedupe
        count = workers or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
        self._workers = [_Worker() for _ in range(count)]
        self._waiting: deque[_Ticket] = deque()
        self._plugins: dict[str, str] = {}
        self._paths: tuple[str, ...] = ()
        self._level = ""
        self._number = 0
        self._pid = os.getpid()
        self._lock = threading.RLock()

    # --- what it is ---

    @property
    def level(self) -> str:
        """The level in force: `full`, `no-namespaces` or `portable`. Starts a zygote if none runs."""
        self._any_host()
        return self._level

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the isolation layers in force. Starts a zygote if none runs."""
        return tuple(self._any_host().ready["layers"])

    @property
    def missing(self) -> tuple[str, ...]:
        """Layers that this level could have and this machine does not give."""
        return tuple(self._any_host().ready["missing"])

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every zygote and everything below them. The sandbox can be used again."""
        for worker in self._workers:
            if worker.host is not None:
                if self._pid == os.getpid():
                    worker.host.close()
                worker.host = None
            worker.held.clear()
        self._waiting.clear()

    def __del__(self) -> None:
        try:
            self.close()
        except Exception:  # the interpreter may be half gone
            pass

    # --- running ---

    def call(
        self,
        source: str,
        entry_point: str,
        arguments: tuple[Any, ...],
        *,
        limits: Limits | None = None,
        plugin: str | None = None,
        options: dict[str, Any] | None = None,
    ) -> Outcome:
        """Load `source` and call `entry_point(*arguments)` in a process of its own."""
        job = Job(source, entry_point, [arguments], limits, plugin, options)
        return next(self.map([job]))[0]

    def map(self, jobs: Iterable[Job]) -> Iterator[list[Outcome]]:
        """Run `jobs`, yielding for each, in order, one outcome per call. Takes jobs from the
        iterable only a little ahead of what it yields."""
        source = iter(jobs)
        order: deque[_Ticket] = deque()
        known: OrderedDict[Any, _Ticket] = OrderedDict()
        exhausted = False
        while True:
            while not exhausted and len(order) < _AHEAD:
                job = next(source, None)
                if job is None:
                    exhausted = True
                    break
                order.append(self._ticket(job, known))
            if not order:
                return
            while not order[0].done:
                self._turn()
            yield list(order.popleft().outcomes)

    def _ticket(self, job: Job, known: OrderedDict[Any, _Ticket]) -> _Ticket:
        limits = job.limits or self.limits
        calls = [_packed(arguments) for arguments in job.calls]
        if self.dedupe:
            key = (
                job.source, job.entry_point, tuple(calls), limits, job.plugin,
                json.dumps(job.options, sort_keys=True), job.share, job.reload, job.stdin,
                job.paths,
            )  # fmt: skip
            ticket = known.get(key)
            if ticket is not None:
                known.move_to_end(key)
                return ticket
        ticket = _Ticket(job, limits, calls)
        if self.dedupe:
            known[key] = ticket
            if len(known) > _REMEMBERED:
                known.popitem(last=False)
        if not ticket.done:
            self._waiting.append(ticket)
        return ticket

    def _turn(self) -> None:
        """Hand out work, then wait for something to happen."""
        self._own()
        self._deal()
        hosts = [w.host for w in self._workers if w.host is not None and w.held]
        for ready in host.wait_any(hosts, 1.0):
            worker = next(w for w in self._workers if w.host is ready)
            self._serve(worker)

    def _own(self) -> None:
        if self._pid != os.getpid():  # a fork: the zygotes belong to our parent
            self._pid = os.getpid()
            for worker in self._workers:
                worker.host = None
                worker.held.clear()

    def _deal(self) -> None:
        while self._waiting:
            ticket = self._waiting[0]
            worker = min(self._workers, key=lambda w: len(w.held))
            if len(worker.held) >= _IN_FLIGHT or (
                worker.held and worker.bytes_held > _IN_FLIGHT_BYTES
            ):
                return
            running = self._host_for(worker, ticket.job)
            if running is None:  # it must first finish what it has, then restart
                return
            self._waiting.popleft()
            self._send(worker, running, ticket)

    def _send(self, worker: _Worker, running: host.Host, ticket: _Ticket) -> None:
        job, limits = ticket.job, ticket.limits
        self._number += 1
        done = len(ticket.outcomes)
        request = (
            self._number, job.source, job.entry_point, ticket.calls[done:],
            {name: getattr(limits, name) for name in limits.__dataclass_fields__},
            job.share, job.reload, job.plugin, job.options, job.stdin, job.paths,
        )  # fmt: skip
        worker.held.append((self._number, ticket))
        try:
            running.send(marshal.dumps(request))
        except ConnectionError:
            self._lost(worker)

    def _serve(self, worker: _Worker) -> None:
        assert worker.host is not None
        try:
            worker.host.flush()
            replies = worker.host.replies()
        except ConnectionError:
            self._lost(worker)
            return
        for reply in replies:
            number, ticket = worker.held.popleft()
            got, runs = judge.runs_of(reply)
            if got != number:
                raise InfrastructureError("sandbox: a zygote answered out of order")
            self._take(ticket, runs)

    def _take(self, ticket: _Ticket, runs: list[judge.Run]) -> None:
        if not ticket.job.share:
            for run in runs:
                ticket.outcomes.extend(judge.judge(run, ticket.limits, 1))
            return
        left = len(ticket.calls) - len(ticket.outcomes)
        (run,) = runs
        ticket.outcomes.extend(judge.judge(run, ticket.limits, left))
        if ticket.done:
            return
        last = ticket.outcomes[-1]
        if last.status in (Status.OK, Status.EXCEPTION):  # only its result file was full
            self._waiting.appendleft(ticket)
            return
        ticket.deaths += 1
        if ticket.deaths < ticket.job.give_up:
            self._waiting.appendleft(ticket)
            return
        note = f"not run: {ticket.deaths} processes of this job had ended before"
        rest = len(ticket.calls) - len(ticket.outcomes)
        ticket.outcomes.extend([Outcome(last.status, note=note)] * rest)

    def _lost(self, worker: _Worker) -> None:
        """A zygote is gone: the job it was running may be the reason; the others are not."""
        if worker.host is not None:
            worker.host.kill()
            worker.host = None
        held = [ticket for _, ticket in worker.held]
        worker.held.clear()
        for place, ticket in enumerate(held):
            if place == 0:
                ticket.losses += 1
                if ticket.losses > 1:
                    note = "the zygote that ran it was lost twice"
                    rest = len(ticket.calls) - len(ticket.outcomes)
                    ticket.outcomes.extend([Outcome(Status.INFRASTRUCTURE, note=note)] * rest)
        self._waiting.extendleft(t for t in reversed(held) if not t.done)

    # --- zygotes ---

    def _any_host(self) -> host.Host:
        self._own()
        for worker in self._workers:
            if worker.host is not None:
                return worker.host
        self._workers[0].host = self._start()
        return self._workers[0].host

    def _host_for(self, worker: _Worker, job: Job) -> host.Host | None:
        """The worker's zygote, able to run `job`; None if it must become idle first."""
        if job.plugin and job.plugin not in self._plugins:
            self._plugins = {**self._plugins, job.plugin: host.plugin_file(job.plugin)}
        if not set(job.paths) <= set(self._paths):
            self._paths = tuple(dict.fromkeys([*self._paths, *job.paths]))
        running = worker.host
        if running is not None:
            fits = (not job.plugin or job.plugin in running.plugins) and set(job.paths) <= set(
                running.paths
            )
            if fits:
                return running
            if worker.held:
                return None
            running.close()
            worker.host = None
        worker.host = self._start()
        return worker.host

    def _start(self) -> host.Host:
        wanted = [self._level] if self._level else self._candidates()
        reasons = []
        for level in wanted:
            try:
                started = host.Host(level, dict(self._plugins), self._paths)
            except host.Refused as error:
                reasons.append(f"{level}: {error}")
                continue
            self._level = level
            return started
        raise InfrastructureError(
            f"sandbox: no isolation could be set up ({'; '.join(reasons)}); "
            "isolation='portable' runs programs with limits only, without containment"
        )

    def _candidates(self) -> list[str]:
        return (
            ["full", "no-namespaces", "portable"] if self.isolation == "auto" else [self.isolation]
        )


def _packed(arguments: tuple[Any, ...]) -> bytes | str:
    """Arguments for the child: `marshal` data where it keeps the exact types, else text.

    Raises `values.Unserializable` for arguments that are not exact built-in values.
    """
    text = values.encode(tuple(arguments))
    if "bytearray(" in text:
        return text
    try:
        return marshal.dumps(tuple(arguments), 2)
    except ValueError:
        return text
