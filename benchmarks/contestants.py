"""Who is measured: the library, and the references in C. The peers are in peers.py."""
from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Contestant:
    """A server with one work to do."""

    name: str
    model: str  # nofork, forking, prefork; or what else a peer is
    transport: str  # plain or ssl
    work: str
    command: Callable  # (port, pool) -> the words that start it
    pool: int = 8

    def words(self, port, pool=None):
        return [str(word) for word in self.command(port, self.pool if pool is None else pool)]

    def kids(self, pool=None):
        """How many processes below it stand ready before the first client."""
        return (self.pool if pool is None else pool) if self.model == "prefork" else 0

    def called(self, name):
        return replace(self, name=name)


REFERENCES = {"nofork": "nofork", "forking": "fork", "prefork": "prefork"}


def library(build, model, transport, work, *options, pool=8):
    """`options` are settings of the library that benchmarks/servers/server.cpp knows."""
    def command(port, kids):
        return [build.server(model, transport), work, port, kids, *([build.pem] if transport == "ssl" else []), *options]
    return Contestant(" ".join([f"waiter {model}", *options]), model, transport, work, command, pool)


def reference(build, model, transport, work, *, pool=8, read_ahead=False):
    name = REFERENCES[model]
    def command(port, kids):
        return [build.reference(name, transport), work, port, kids, *([build.pem] if transport == "ssl" else []),
                *(["read-ahead"] if read_ahead else [])]
    return Contestant(f"C {name}" + (" read-ahead" if read_ahead else ""), model, transport, work, command, pool)
