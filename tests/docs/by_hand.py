#!/usr/bin/env python3
"""Builds servers as README.md says to without a build system.

    by_hand.py SCRIPT SOURCE_ROOT
"""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def main():
    script, source = map(Path, sys.argv[1:])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "waiter").symlink_to(source, target_is_directory=True)
        shutil.copy(source / "examples" / "1_hello.cpp", folder / "server.cpp")
        shutil.copy(source / "tests" / "consumer" / "tls_server.cpp", folder / "tls_server.cpp")
        subprocess.run(["sh", script], cwd=folder, check=True)
        missing = [program for program in ["server", "tls_server"] if not os.access(folder / program, os.X_OK)]
        return f"not built: {missing}" if missing else 0


if __name__ == "__main__":
    sys.exit(main())
