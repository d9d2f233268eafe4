"""The work behind the page: requests in, HTML out, one at a time."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable

from semcoder_lib.core.errors import InfrastructureError, UserError
from semcoder_lib.run.demo import html
from semcoder_lib.run.demo.debug import debug
from semcoder_lib.run.demo.examine import check, examine
from semcoder_lib.run.demo.paste import DEFAULT, Bounds, Engine
from semcoder_lib.sandbox import Sandbox


class Desk:
    """One sandbox, one request at a time. Whatever is pasted, a method returns what to show."""

    def __init__(self, engine: Engine | None = None, bounds: Bounds = DEFAULT) -> None:
        self.engine = engine
        self.bounds = bounds
        self.box = Sandbox(limits=bounds.limits(), workers=1)
        self._lock = threading.Lock()  # a sandbox serves one thread at a time

    def examine(self, source: str, call: str, ask: bool = False) -> tuple[str, ...]:
        """HTML of outcome, derived monologue, the model's, the trace; the monologue as text,
        and nothing, for the place where an older one was checked."""

        def work() -> tuple[str, ...]:
            engine = self.engine if ask else None
            found = examine(source, call, self.box, engine=engine, bounds=self.bounds)
            return (*html.examined(found, loaded=self.engine is not None), "")

        return self._answer(work, 6)

    def check(self, source: str, call: str, text: str) -> tuple[str, ...]:
        """HTML of somebody's own monologue of the call, checked."""

        def work() -> tuple[str, ...]:
            return (html.told(check(source, call, text, self.box, bounds=self.bounds)),)

        return self._answer(work, 1)

    def debug(
        self, source: str, tests: str, problem: str = "", ask: bool = False
    ) -> tuple[str, ...]:
        """HTML of the tests, the derived rationale; the fixed program; the model's rationale."""

        def work() -> tuple[str, ...]:
            engine = self.engine if ask else None
            found = debug(
                source, tests, self.box, problem=problem, engine=engine, bounds=self.bounds
            )
            return html.debugged(found, loaded=self.engine is not None)

        return self._answer(work, 4)

    def _answer(self, work: Callable[[], tuple[str, ...]], parts: int) -> tuple[str, ...]:
        """What `work` returns, or one line and `parts - 1` empty places."""
        with self._lock:
            try:
                return work()
            except (UserError, InfrastructureError) as error:
                line = str(error)
            except Exception as error:  # a page on a wall must not go blank over our mistake
                traceback.print_exc()
                line = f"this demo failed ({type(error).__name__}); its terminal says where"
        return (html.error(line), *[""] * (parts - 1))

    def about(self) -> str:
        """What is in force, in words."""
        layers = ", ".join(self.box.layers)
        model = self.engine.name if self.engine else "none (start with --model)"
        return (
            f"What you paste runs in the sandbox ({self.box.level}: {layers}), one request at a "
            f"time. {self.bounds.say()} Model: {model}."
        )

    def close(self) -> None:
        """Ends the sandbox."""
        self.box.close()
