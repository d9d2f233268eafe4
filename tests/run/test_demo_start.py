"""The command: where it listens, what it says, how it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "semcoder_lib.run.demo"]


def test_without_gradio_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['gradio'] = None\n"
    code += "from semcoder_lib.run.demo.__main__ import main\n"
    done = subprocess.run(
        [sys.executable, "-c", code + "sys.argv = ['demo']; sys.exit(main())"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == 'the page needs Gradio: pip install "semcoder-lib[demo]"\n'


def test_a_port_that_is_none_is_wrong_usage() -> None:
    done = subprocess.run([*COMMAND, "--port", "70000"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("a port is a number from 0 to 65535")


def test_a_port_in_use_is_one_clear_line() -> None:
    pytest.importorskip("gradio", reason="the extra `demo` is not installed")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run([*COMMAND, "--port", str(port)], capture_output=True, text=True)
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"port {port} of 127.0.0.1 is in use; choose another with --port")


@contextmanager
def started(**changed: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The command on a free port, and the port."""
    pytest.importorskip("gradio", reason="the extra `demo` is not installed")
    command = [*COMMAND, "--port", "0"]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=os.environ | changed
    ) as page:
        try:
            assert page.stderr is not None
            for line in page.stderr:
                if found := re.match(r"http://127\.0\.0\.1:(\d+) ", line):
                    yield page, int(found[1])
                    break
        finally:
            page.kill()


def get(port: int, path: str, host: str = "") -> str:
    """A whole answer, as text: a client library would tidy the path."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        host = host or f"127.0.0.1:{port}"
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        parts = []
        while part := client.recv(65536):
            parts.append(part)
    return b"".join(parts).decode("utf-8", "replace")


def children(pid: int) -> set[int]:
    """Everything below a process."""
    below: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            below.setdefault(int(stat.read_text().rpartition(")")[2].split()[1]), []).append(
                int(stat.parent.name)
            )
        except OSError:  # it ended meanwhile
            continue
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        new = below.get(waiting.pop(), [])
        found.update(new)
        waiting += new
    return found


def listening(port: int) -> list[str]:
    """The addresses that have a socket listening on the port, as the kernel writes them."""
    found = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for row in Path(table).read_text().splitlines()[1:]:
            local, state = row.split()[1], row.split()[3]
            if state == "0A" and int(local.rpartition(":")[2], 16) == port:
                found.append(local.rpartition(":")[0])
    return found


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs Linux's /proc")
def test_it_listens_on_loopback_only_whatever_the_environment_says() -> None:
    wishes = {
        "GRADIO_SERVER_NAME": "0.0.0.0",
        "GRADIO_SHARE": "True",
        "GRADIO_ALLOWED_PATHS": "/",
        "GRADIO_ANALYTICS_ENABLED": "True",
        "GRADIO_MCP_SERVER": "True",
        "GRADIO_RUN_HISTORY": "True",
    }
    with started(**wishes) as (_page, port):
        assert get(port, "/").startswith("HTTP/1.1 200 ")
        assert listening(port) == ["0100007F"]
        assert "content-security-policy: default-src 'none'" in get(port, "/")
        for path in (
            "/gradio_api/file=/etc/passwd",
            "/gradio_api/file/etc/passwd",
            "/assets/../../../../../../../../etc/passwd",
            "/assets/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
            "/static//etc/passwd",
            "/static/%2fetc%2fpasswd",
            "/gradio_api/mcp/sse",
            "/gradio_api/runs",
            "/monitoring/summary",
        ):
            answer = get(port, path)
            assert re.match(r"HTTP/1.1 40\d ", answer), path
            assert "root:" not in answer
        assert get(port, "/", host="evil.example").startswith("HTTP/1.1 403 ")
        config = get(port, "/config")
        assert '"analytics_enabled":false' in config
        assert '"run_history":true' not in config


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_everything_below_it(number: int) -> None:
    with started() as (page, port):
        below = children(page.pid)
        assert below  # the sandbox
        with socket.create_connection(("127.0.0.1", port)) as open_tab:
            open_tab.sendall(
                f"GET /gradio_api/heartbeat/abc HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
            )
            open_tab.recv(10)
            page.send_signal(number)
            assert page.wait(timeout=30) == 0
        until = time.monotonic() + 10
        while any(Path(f"/proc/{pid}").exists() for pid in below) and time.monotonic() < until:
            time.sleep(0.1)
        assert not any(Path(f"/proc/{pid}").exists() for pid in below)
        assert listening(port) == []
