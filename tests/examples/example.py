"""An example as a test sees it: a program that is started on a port of the kernel's choice, talked to, and stopped.

Nothing waits without a deadline, and nothing of an example is left running: it has a session of its own, and each process of that
session is looked for at the end.
"""
import ctypes
import os
import re
import select
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

PATIENCE = 30.0
PROGRAM = sys.argv.pop(1)

# Orphans of an example become ours, so that none escapes the last look.
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def members_of(session):
    """The processes of a session, zombies too: {pid: parent}. Orphans that came to us are reaped on the way."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                state, parent, _, its_session = file.read().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(its_session) != session:
            continue
        if state == "Z" and int(parent) == os.getpid() and int(name) != session:
            reap(int(name))
        else:
            found[int(name)] = int(parent)
    return found


def wait_until(happened, what, within=PATIENCE):
    """For what the kernel tells nobody; a test that can wait for an event does."""
    end = time.monotonic() + within
    pause = threading.Event()
    while not (result := happened()):
        if time.monotonic() >= end:
            raise AssertionError(f"not within {within} s: {what() if callable(what) else what}")
        pause.wait(0.01)
    return result


def reap(pid):
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return False


def wait_for_end(pid, within=PATIENCE):
    """Waits until any process has ended, and somebody has reaped it."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if not select.select([descriptor], [], [], within)[0]:
            raise AssertionError(f"process {pid} still runs after {within} s")
    finally:
        os.close(descriptor)
    wait_until(lambda: not os.path.exists(f"/proc/{pid}") or reap(pid), f"process {pid} is reaped")


def end_session(process):
    """Kills what is left of a session, each process by its own number."""
    def gone():
        process.poll()
        left = members_of(process.pid)
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return not left
    wait_until(gone, "the session has ended")


def wait_until_it_waits(pid):
    """Until a process has not run for a while, because nobody takes what it writes."""
    looks = []

    def waits():
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            looks.append([line for line in file if line.startswith(("State:", "voluntary"))])
        return len(looks) >= 10 and looks[-1][0].startswith("State:\tS") and all(look == looks[-1] for look in looks[-10:])
    wait_until(waits, f"process {pid} waits")


class Example:
    def __init__(self, *arguments, env=os.environ, **how):
        self.directory = tempfile.TemporaryDirectory()  # for its files, which it may have no time to remove
        self.process = subprocess.Popen([PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, start_new_session=True, **how,
                                        env={**env, "TMPDIR": self.directory.name})
        self.pid = self.process.pid
        self._lines = []
        self._ended = False
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        for line in self.process.stderr:
            with self._news:
                self._lines.append(line.decode("utf-8", "replace"))
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def output(self):
        with self._news:
            return "".join(self._lines)

    def wait_for(self, pattern, times=1):
        """The match of a pattern in what it wrote to standard error; of its last occurrence, when several are waited for."""
        with self._news:
            def found():
                matches = list(re.finditer(pattern, "".join(self._lines)))
                return matches[times - 1] if len(matches) >= times else None
            self._news.wait_for(lambda: found() or self._ended, PATIENCE)
            match = found()
            if not match:
                raise AssertionError(f"it did not write {pattern!r} but:\n" + "".join(self._lines))
            return match

    @property
    def port(self):
        return int(self.wait_for(r"listening on port (\d+)")[1])

    def kids(self):
        return sorted(pid for pid, parent in members_of(self.pid).items() if parent == self.pid)

    def wait(self, within=PATIENCE):
        status = self.process.wait(within)
        self._reader.join(within)
        if self._reader.is_alive():
            raise AssertionError("it has ended, but somebody still holds its standard error")
        return status

    def stop(self):
        """SIGTERM; its exit status, when nothing of it is left."""
        self.process.send_signal(signal.SIGTERM)
        status = self.wait()
        left = members_of(self.pid)
        if left:
            raise AssertionError(f"it left behind {left}")
        return status

    def close(self):
        end_session(self.process)
        self._reader.join(PATIENCE)
        self.process.stderr.close()
        self.directory.cleanup()


class Client:
    """A client over TCP, or over TLS with `tls`: what it was told to trust, and which name it expects."""

    def __init__(self, port, source=None, trusts=None, **tls):
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE, source)
        self.address = self.socket.getsockname()
        self._session = None
        if trusts:
            context = ssl.create_default_context(cafile=trusts)
            for name, value in tls.items():
                if name == "certificate":
                    context.load_cert_chain(*value)
                else:
                    setattr(context, name, value)
            # In memory, because Python's TLS sockets cannot be half-closed.
            self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            self._session = context.wrap_bio(self._incoming, self._outgoing, server_hostname="localhost")
            try:
                self._step(self._session.do_handshake)
            except BaseException:
                self.close()
                raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _flush(self):
        if self._outgoing.pending:
            self.socket.sendall(self._outgoing.read())

    def _step(self, action):
        while True:
            try:
                result = action()
                self._flush()
                return result
            except ssl.SSLWantReadError:
                self._flush()
                data = self.socket.recv(65536)
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()

    def tls_version(self):
        return self._session.version()

    def send(self, text):
        data = text if isinstance(text, bytes) else text.encode()
        if self._session is None:
            self.socket.sendall(data)
        else:
            self._step(lambda: self._session.write(data))

    def send_together(self, *texts):
        """Several TLS records, which arrive as one piece."""
        for text in texts:
            self._session.write(text.encode())
        self._flush()

    def read_some(self):
        """What has come, or b"" at the end; a TLS stream that is cut off is an error."""
        if self._session is None:
            return self.socket.recv(65536)
        try:
            return self._step(lambda: self._session.read(65536))
        except ssl.SSLZeroReturnError:
            return b""

    def read_all(self):
        parts = []
        while part := self.read_some():
            parts.append(part)
        return b"".join(parts)

    def read_line(self):
        line = b""
        while not line.endswith(b"\n"):
            byte = self.socket.recv(1) if self._session is None else self._step(lambda: self._session.read(1))
            if not byte:
                break
            line += byte
        return line.decode()

    def half_close(self):
        if self._session is not None:
            try:
                self._session.unwrap()
            except ssl.SSLWantReadError:
                pass
            self._flush()
        self.socket.shutdown(socket.SHUT_WR)

    def ask(self, text):
        """Sends, says that this was all, and reads all."""
        self.send(text)
        self.half_close()
        return self.read_all().decode()

    def vanish(self):
        """As a client that crashes: with a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()


def run(*command, text=""):
    """Runs a client program to its end: (exit status, output, errors)."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    try:
        output, errors = process.communicate(text.encode(), PATIENCE)
    finally:
        end_session(process)
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()
    return process.returncode, output.decode("utf-8", "replace"), errors.decode("utf-8", "replace")


def curl(*arguments):
    return run("curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", str(int(PATIENCE)), *arguments)


def look_around():
    """What a test could leave behind: this process's descriptors, threads and children (also adopted ones), named objects."""
    found = set()
    for number in os.listdir("/proc/self/fd"):
        try:
            found.add(f"descriptor {number} of " + os.readlink(f"/proc/self/fd/{number}"))
        except OSError:
            pass  # the one that the look itself needed
    for thread in os.listdir("/proc/self/task"):
        found.add(f"thread {thread}")
        try:
            with open(f"/proc/self/task/{thread}/children", encoding="ascii") as file:
                found.update(f"process {child}" for child in file.read().split())
        except OSError:
            pass
    for kind in ("shm", "sem", "msg"):
        with open(f"/proc/sysvipc/{kind}", encoding="ascii") as file:
            found.update(f"{kind} {line.split()[1]}" for line in file.readlines()[1:])
    return found


class ExampleTest(unittest.TestCase):
    def setUp(self):
        # The first clean-up that is announced is the last that is done.
        self.addCleanup(self.assert_nothing_left, look_around())

    def assert_nothing_left(self, before):
        wait_until(lambda: not look_around() - before, lambda: f"nothing is left behind: {look_around() - before}", within=5)

    def start(self, *arguments, **how):
        example = Example(*arguments, **how)
        self.addCleanup(example.close)
        return example

    def connect(self, port, **how):
        client = Client(port, **how)
        self.addCleanup(client.close)
        return client

    def assert_refuses(self, *arguments, saying="usage: ", status=2):
        """One sentence, and a status that says whose fault it was."""
        example = self.start(*arguments)
        self.assertEqual(example.wait(), status)
        self.assertIn(saying, example.output())
        self.assertEqual(example.output().count("\n"), 1)


def main():
    unittest.main(verbosity=2)
