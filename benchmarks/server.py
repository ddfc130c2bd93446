"""Starting a server to be measured, knowing when it listens, and ending it: always by its pid."""
import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import process_tree

PATIENCE = 60  # seconds; a server under valgrind on a busy machine is slow to start and to end


def free_port():
    """A port that nobody has now; the kernel does not give it to another one soon."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


def listens(port):
    """Whether somebody listens there. Asked of the kernel, so that no client is spent on it."""
    wanted = f":{port:04X}"
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[1].endswith(wanted) and fields[3] == "0A":
                    return True
    return False


def wait_until(condition, what):
    """Returns once the condition holds; raises when it takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {PATIENCE} s")
        time.sleep(0.005)


class Server:
    """A server, or a tool that runs one, as a child of ours."""

    def __init__(self, command, port, *, under=(), kids=0, cpu=()):
        """Returns when it listens and has its kids. `under` is a tool that the command is given to; `kids` how many to wait for;
        `cpu` where it has to run."""
        self.port = port
        self.process = subprocess.Popen([*under, *command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True,
                                        preexec_fn=(lambda: os.sched_setaffinity(0, cpu)) if cpu else None)
        try:
            wait_until(lambda: self._ended() or listens(port), f"{command[0]} listens")
            # strace is the parent of the server; valgrind becomes the server.
            self.pid = self.process.pid if not under or "valgrind" in under[0] else process_tree.children(self.process.pid)[0]
            wait_until(lambda: self._ended() or len(process_tree.children(self.pid)) >= kids, f"{command[0]} has {kids} kids")
            if self._ended():
                raise RuntimeError(f"ended with {self.process.returncode}: {' '.join(command)}")
        except BaseException:
            self.kill()
            raise

    def _ended(self):
        return self.process.poll() is not None

    def stop(self, how=signal.SIGTERM):
        """Asks it to end, waits for it and for all below it."""
        below = process_tree.tree(self.pid)[1:]
        os.kill(self.pid, how)
        try:
            self.process.wait(PATIENCE)
            wait_until(lambda: not any(_lives(one) for one in below), "all kids have ended")
        except (subprocess.TimeoutExpired, TimeoutError):
            self.kill()
            raise

    def kill(self):
        """Ends it and all below it, whatever they do."""
        for one in reversed(process_tree.tree(self.process.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        if failure:
            self.kill()
        elif not self._ended():
            self.stop()


def _lives(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
