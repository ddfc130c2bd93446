"""What it costs to compile the headers, and how large a server is."""
import resource
import shutil
import subprocess
import tempfile
from pathlib import Path

from building import SOURCE

# Ours, and what of Boost it stands on: what a program that uses sockets includes anyway.
PAIRS = {"plain": ("waiter/waiter.hpp", "boost/asio/ip/tcp.hpp"), "ssl": ("waiter/ssl.hpp", "boost/asio/ssl.hpp")}
COMPILERS = ["g++", "clang++"]


def seconds(compiler, header):
    """User time of the compiler for a file that only includes the header. Without ccache: its compilers are behind links."""
    program = next(str(path) for folder in ("/usr/bin", "/usr/local/bin") if (path := Path(folder) / compiler).exists())
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "one.cpp"
        source.write_text(f"#include <{header}>\n")
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        subprocess.run([program, "-std=c++20", "-I", SOURCE / "include", "-c", source, "-o", Path(folder) / "one.o"], check=True)
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def header_times(tls, times):
    """{compiler: {transport: {header: least seconds of so many}}}, one after the other so that a busy machine slows both."""
    result = {}
    for compiler in filter(shutil.which, COMPILERS):
        for transport in ["plain"] + (["ssl"] if tls else []):
            pair = PAIRS[transport]
            runs = [[seconds(compiler, header) for header in pair] for _ in range(times)]
            result.setdefault(compiler, {})[transport] = {header: min(run[at] for run in runs) for at, header in enumerate(pair)}
    return result


def stripped_size(program):
    """Bytes of a program without its symbols."""
    with tempfile.NamedTemporaryFile() as copy:
        subprocess.run(["strip", "-o", copy.name, program], check=True)
        return Path(copy.name).stat().st_size


def openssl_symbols(program):
    """What a program takes from OpenSSL."""
    wanted = subprocess.run(["nm", "--dynamic", "--undefined-only", program], check=True, capture_output=True, text=True).stdout.split()
    return [name for name in wanted if name.startswith(("SSL_", "BIO_", "EVP_", "ERR_", "X509_", "OPENSSL_", "CRYPTO_"))]
