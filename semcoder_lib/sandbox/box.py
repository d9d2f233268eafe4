"""`Sandbox`: plans the work, keeps the zygotes busy, and hands outcomes back in order."""

from __future__ import annotations

import atexit
import functools
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any
from weakref import WeakValueDictionary

from semcoder_lib.core.errors import InfrastructureError, UserError
from semcoder_lib.core.scale import cores
from semcoder_lib.sandbox import host
from semcoder_lib.sandbox.judge import Ticket, run_of
from semcoder_lib.sandbox.model import Job, Limits, Outcome

LEVELS = ("full", "no-namespaces", "portable")
_IN_FLIGHT = 24  # jobs sent ahead to one zygote
_IN_FLIGHT_BYTES = 2_000_000
_AHEAD = 200  # jobs taken ahead of the oldest unfinished one


class _Worker:
    """One zygote and the tickets it holds, oldest first, with the numbers they were sent under."""

    def __init__(self) -> None:
        self.host: host.Host | None = None
        self.in_flight: deque[tuple[int, Ticket]] = deque()
        self.heard = 0.0  # when it last gave a sign of life

    @property
    def overdue(self) -> bool:
        """Whether the zygote itself must be at fault."""
        silence = time.monotonic() - self.heard
        return bool(self.in_flight) and silence > self.in_flight[0][1].patience


class Sandbox:
    """Runs untrusted programs, each in an isolated child of a warm zygote.

    `isolation` is `auto` (the strongest level this machine allows, `full` or `no-namespaces`), or
    a named level, which is used or refused, never weakened: `full`, `no-namespaces`, `portable`.
    `portable` contains nothing and must be asked for. `workers` is the number of zygotes (default:
    one per core that this process may use). With `dedupe`, jobs of one `map` that are equal in
    everything run once where they stand near each other (within 200 jobs). `hash_seed` is the seed
    of string hashes in the children. Zygotes start at the first use. Leaving the `with` block, or
    `close`, leaves no process behind. Raises `InfrastructureError` when no acceptable level can be
    set up. Not safe for use by several threads at once; a fork of this process gets its own
    zygotes.
    """

    def __init__(
        self,
        isolation: str = "auto",
        limits: Limits | None = None,
        workers: int | None = None,
        *,
        dedupe: bool = True,
        hash_seed: int = 0,
    ) -> None:
        if isolation not in ("auto", *LEVELS):
            raise UserError(f"isolation {isolation!r}: give one of auto, {', '.join(LEVELS)}")
        self.isolation = isolation
        self.limits = limits or Limits()
        self.dedupe = dedupe
        self.hash_seed = hash_seed
        self._workers = [_Worker() for _ in range(workers or cores())]
        self._waiting: deque[Ticket] = deque()
        self._plugins: dict[str, str] = {}
        self.refused: dict[str, str] = {}  # by level: why it could not be set up
        self._level = ""
        self._number = 0
        self._pid = os.getpid()

    # --- what it is ---

    @property
    def level(self) -> str:
        """The level in force: one of `LEVELS`. Starts a zygote if none runs."""
        self._any_host()
        return self._level

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the isolation layers in force. Starts a zygote if none runs."""
        return tuple(self._any_host().ready["layers"])

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
            worker.in_flight.clear()
        self._waiting.clear()

    def __del__(self) -> None:
        try:  # noqa: SIM105 (the interpreter may be half gone, `contextlib` with it)
            self.close()
        except Exception:
            pass

    # --- running ---

    def call(
        self,
        source: str,
        entry_point: str,
        arguments: tuple[Any, ...],
        *,
        limits: Limits | None = None,
    ) -> Outcome:
        """Load `source` and call `entry_point(*arguments)` in a process of its own."""
        return next(self.map([Job(source, entry_point, [arguments], limits)]))[0]

    def map(self, jobs: Iterable[Job]) -> Iterator[list[Outcome]]:
        """Run `jobs`, yielding for each, in order, one outcome per call. Takes jobs from the
        iterable only a little ahead of what it yields."""
        source = iter(jobs)
        order: deque[Ticket] = deque()
        underway: WeakValueDictionary[Any, Ticket] = WeakValueDictionary()
        exhausted = False
        try:
            while True:
                while not exhausted and len(order) < _AHEAD:
                    job = next(source, None)
                    if job is None:
                        exhausted = True
                        break
                    order.append(self._ticket(job, underway))
                if not order:
                    return
                while not order[0].done:
                    self._turn()
                yield list(order.popleft().outcomes)
        finally:  # also when the caller stops early
            abandoned = {id(ticket) for ticket in order}
            self._waiting = deque(t for t in self._waiting if id(t) not in abandoned)

    def _ticket(self, job: Job, underway: WeakValueDictionary[Any, Ticket]) -> Ticket:
        ticket = Ticket(job, job.limits or self.limits)
        if self.dedupe and (equal := underway.setdefault(ticket.key(), ticket)) is not ticket:
            return equal
        if not ticket.done:
            self._waiting.append(ticket)
        return ticket

    def _turn(self) -> None:
        """Hand out work, then wait for something to happen."""
        self._own()
        self._deal()
        busy = [w for w in self._workers if w.host is not None and w.in_flight]
        ready = host.wait_any([w.host for w in busy if w.host is not None], 1.0)
        for worker in busy:
            if worker.host in ready:
                self._serve(worker)
            elif worker.overdue:
                self._lost(worker)

    def _own(self) -> None:
        if self._pid != os.getpid():  # a fork: the zygotes belong to our parent
            self._pid = os.getpid()
            self._workers = [_Worker() for _ in self._workers]
            self._waiting.clear()

    def _deal(self) -> None:
        while self._waiting:
            ticket = self._waiting[0]
            busy = [w for w in self._workers if w.in_flight]
            if any(w.in_flight[0][1].alone for w in busy) or (ticket.alone and busy):
                return
            worker = min(self._workers, key=lambda w: len(w.in_flight))
            size = sum(t.size for _, t in worker.in_flight)
            if len(worker.in_flight) >= _IN_FLIGHT or size > _IN_FLIGHT_BYTES:
                return
            running = self._host_for(worker, ticket.job)
            if running is None:  # it must first finish what it has, then restart
                return
            self._waiting.popleft()
            self._number += 1
            if not worker.in_flight:
                worker.heard = time.monotonic()
            worker.in_flight.append((self._number, ticket))
            try:
                running.send(ticket.request(self._number))
            except ConnectionError:
                self._lost(worker)

    def _serve(self, worker: _Worker) -> None:
        assert worker.host is not None
        try:
            worker.host.flush()
            for message in worker.host.messages():
                run = run_of(message)
                number, ticket = worker.in_flight[0]
                if number != run.number:
                    raise ValueError("a message for another job")
                worker.heard = time.monotonic()
                ticket.take(run)
                if not run.more:
                    worker.in_flight.popleft()
                    if not ticket.done:
                        self._waiting.appendleft(ticket)
        except (ConnectionError, ValueError, IndexError):
            self._lost(worker)

    def _lost(self, worker: _Worker) -> None:
        """A zygote is gone. One of the jobs it held may be the reason, so they run alone now."""
        if worker.host is not None:
            worker.host.kill()
            worker.host = None
        tickets = [ticket for _, ticket in worker.in_flight]
        worker.in_flight.clear()
        for ticket in tickets:
            ticket.lost()
        self._waiting.extendleft(t for t in reversed(tickets) if not t.done)

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
        running = worker.host
        if running is not None:
            if not job.plugin or job.plugin in running.plugins:
                return running
            if worker.in_flight:
                return None
            running.close()
            worker.host = None
        worker.host = self._start()
        return worker.host

    def _start(self) -> host.Host:
        automatic = ["full", "no-namespaces"] if self.isolation == "auto" else [self.isolation]
        for level in [self._level] if self._level else automatic:
            try:
                started = host.Host(level, dict(self._plugins), self.hash_seed)
                if level in ("full", "no-namespaces"):
                    host.prove(started)
            except host.Refused as error:
                self.refused[level] = str(error)
                continue
            except OSError as error:
                raise InfrastructureError(
                    f"sandbox: no zygote could be started: {error}; "
                    "free descriptors, processes or memory and try again"
                ) from error
            self._level = level
            return started
        reasons = "; ".join(f"{level}: {error}" for level, error in self.refused.items())
        raise InfrastructureError(
            f"sandbox: no isolation could be set up ({reasons}); "
            "isolation='portable' runs programs with limits only, without containment"
        )


@functools.cache
def own(level: str, hash_seed: int = 0) -> Sandbox:
    """This process's sandbox at a level, with one zygote and these string hashes, for work that is
    spread over processes: started once, closed when the process ends."""
    box = Sandbox(level, workers=1, hash_seed=hash_seed)
    atexit.register(box.close)
    return box


_REMEDIES = {
    "full": "",
    "no-namespaces": (
        "allow user namespaces: in Docker run with --security-opt seccomp=unconfined or "
        "--cap-add SYS_ADMIN; on Ubuntu 24.04 sysctl kernel.apparmor_restrict_unprivileged_userns=0"
    ),
    "": (
        "use Linux 5.13 or newer on x86-64 or aarch64 with seccomp and Landlock; until then only "
        "isolation='portable' runs, which contains nothing: use it for programs that you trust"
    ),
}


def doctor_report() -> dict[str, Any]:
    """`ok` (a level that contains programs is available), `level`, `layers`, `missing`, `refused`
    (the reason for each stronger level that could not be set up) and `remedy` (empty when there
    is nothing to remedy). Starts and ends a zygote for each level tried."""
    with Sandbox(workers=1) as box:
        try:
            level, ready = box.level, box._any_host().ready
        except InfrastructureError:
            level, ready = "", {"layers": [], "missing": ["every layer"]}
    return {
        "ok": bool(level),
        "level": level,
        "layers": ready["layers"],
        "missing": ready["missing"],
        "refused": box.refused,
        "remedy": _REMEDIES[level],
    }
