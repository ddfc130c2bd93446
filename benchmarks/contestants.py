"""Who is measured: the library, and the references in C."""
from dataclasses import dataclass, field, replace
from pathlib import Path


@dataclass(frozen=True)
class Contestant:
    """A server with one work to do, and how its clients behave."""

    name: str
    model: str  # nofork, forking or prefork
    transport: str
    work: str
    program: Path
    load: Path
    pem: Path | None = None
    options: tuple = ()
    pool: int = 8

    def command(self, port, kids=None):
        words = [self.program, self.work, port, self.pool if kids is None else kids]
        if self.transport == "ssl":
            words.append(self.pem)
        return [str(word) for word in (*words, *self.options)]

    def kids(self, kids=None):
        """How many stand ready before the first client."""
        return (self.pool if kids is None else kids) if self.model == "prefork" else 0

    @property
    def flags(self):
        """What its clients are told beside their work."""
        return ["--tls"] if self.transport == "ssl" else []


REFERENCE_MODEL = {"nofork": "nofork", "forking": "fork", "prefork": "prefork"}


def library(build, model, transport, work, **more):
    return Contestant(f"waiter {model}", model, transport, work, build.server(model, transport), build.load, build.pem, **more)


def reference(build, model, transport, work, **more):
    name = REFERENCE_MODEL[model]
    return Contestant(f"C {name}", model, transport, work, build.reference(name, transport), build.load, build.pem, **more)
