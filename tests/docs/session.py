#!/usr/bin/env python3
"""Holds the session in README.md with the server in README.md.

    session.py README PROGRAM       the exit status is 77 (skipped) where somebody else has the port
"""
import re
import select
import socket
import subprocess
import sys
import time
from pathlib import Path

SKIPPED = 77
PORT = 9123
PATIENCE = 20.0


def shown(readme):
    """(what the server's terminal shows, what the client's shows)"""
    blocks = re.findall(r"^```console\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    by_command = dict(block.split("\n", 1) for block in blocks)
    return by_command["$ examples/run"], by_command[f"$ nc localhost {PORT}"]


def port_is_taken():
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", PORT))
        except OSError:
            return True
    return False


def talk():
    """What a client is told; it tries until the server listens."""
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            with socket.create_connection(("127.0.0.1", PORT), timeout=PATIENCE) as client:
                return b"".join(iter(lambda: client.recv(4096), b"")).decode()
        except ConnectionRefusedError:
            if time.monotonic() > ends:
                raise
            select.select([], [], [], 0.01)


def without_particulars(line):
    """A line of the log without its time, its process and the client's port."""
    return re.sub(r"^[-\d]+ [:\d]+ \[\d+\]|:\d+$", "", line)


def main():
    readme, program = Path(sys.argv[1]).read_text(), sys.argv[2]
    server_shows, client_shows = shown(readme)
    if port_is_taken():
        print(f"somebody else has port {PORT}")
        return SKIPPED
    server = subprocess.Popen([program], stderr=subprocess.PIPE, text=True)
    try:
        told = talk()
    finally:
        server.terminate()
        _, log = server.communicate(timeout=PATIENCE)
    wanted = without_particulars(server_shows.splitlines()[-1])
    logged = [without_particulars(line) for line in log.splitlines()]
    if told != client_shows:
        return f"the client is told {told!r}, not {client_shows!r}"
    if wanted not in logged:
        return f"the log has {logged}, but not {wanted!r}"
    if server.returncode != 0:
        return f"the server ended with {server.returncode}"
    return 0


if __name__ == "__main__":
    sys.exit(main())
