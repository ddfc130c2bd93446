"""The release build that is measured."""
import os
import subprocess
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent

TARGETS = ["all_benchmarks", "tests/load/load"]


class Build:
    """A folder with the programs. Made, or brought up to date, by `make`."""

    def __init__(self, folder):
        self.folder = Path(folder)

    def make(self):
        """Configures a release build where there is none, and builds all that is measured."""
        if not (self.folder / "build.ninja").exists():
            options = ["--buildtype=release", "-Dbenchmarks=enabled", "-Dtests=disabled", "-Dexamples=disabled"]
            subprocess.run(["meson", "setup", self.folder, *options], cwd=SOURCE, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["ninja", "-C", self.folder, "--quiet", *TARGETS], check=True)

    def make_certificate(self):
        """For the servers that speak TLS, where there is none yet."""
        if self.pem.exists():
            return
        made = self.pem.with_suffix(".new")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
             "-subj", "/CN=localhost", "-keyout", made, "-out", f"{made}.cert"],
            check=True, capture_output=True,
        )
        made.write_text(made.read_text() + Path(f"{made}.cert").read_text())
        os.replace(made, self.pem)

    @property
    def pem(self):
        """A certificate for a P-256 key, and the key."""
        return self.folder / "benchmark.pem"

    @property
    def has_tls(self):
        return self.server("prefork", "ssl").exists()

    def peer(self, name):
        return self.folder / f"benchmarks/peer_{name}"

    @property
    def hello(self):
        """The first example."""
        return self.folder / "benchmarks/hello"

    @property
    def hooked(self):
        """`hello` with hooks that do nothing."""
        return self.folder / "benchmarks/hooked"

    @property
    def load(self):
        return self.folder / "tests/load/load"

    def server(self, model, transport):
        return self.folder / f"benchmarks/server_{model}_{transport}"

    def reference(self, model, transport):
        return self.folder / f"benchmarks/reference_{model}_{transport}"
