#!/usr/bin/env python3
"""Uses waiter as its users do, in a temporary folder.

    consumer.py subproject|pkg_config|cmake SOURCE_ROOT [HEADER…]     the headers that should be installed
"""
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
CXX = shlex.split(os.environ.get("CXX", "c++"))
SERVERS = ["plain_server", "tls_server"]

# The linker is to keep each library it is told of, so that one too many shows. Meson and CMake read the variable.
KEEP_ALL = "-Wl,--no-as-needed"
os.environ["LDFLAGS"] = KEEP_ALL

# What Meson itself gives to every target, and to whoever uses Boost.
BY_MESON = {"-D_FILE_OFFSET_BITS=64", "-D_GLIBCXX_ASSERTIONS=1", "-DBOOST_ALL_NO_LIB", "-fdiagnostics-color=always",
            "-fcolor-diagnostics"}


def run(*command, **settings):
    """Runs a command to its good end and gives back what it printed."""
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **settings)
    if result.returncode != 0:
        sys.exit(f"{shlex.join(map(str, command))}: exit status {result.returncode}\n{result.stdout}")
    return result.stdout


def expect(fact, sentence):
    if not fact:
        sys.exit(f"not so: {sentence}")


def libraries_of(program):
    return [line.split("[")[1].split("]")[0] for line in run("readelf", "--dynamic", program).splitlines() if "(NEEDED)" in line]


def try_servers(folder):
    """Both servers run, and only the one with TLS needs OpenSSL."""
    openssl = {name: any(lib.startswith(("libssl", "libcrypto")) for lib in libraries_of(folder / name)) for name in SERVERS}
    expect(not openssl["plain_server"], "a plain server does not link OpenSSL")
    expect(openssl["tls_server"], "a server with TLS links OpenSSL")
    for name in SERVERS:
        run(folder / name, timeout=60)


def install(source, folder, headers):
    """Installs waiter as a stranger would, and checks what came to stand there."""
    prefix = folder / "prefix"
    run("meson", "setup", folder / "build", source, f"--prefix={prefix}", "-Dtests=disabled", "-Dexamples=disabled", "-Dssl=enabled")
    run("meson", "install", "-C", folder / "build")
    wanted = {f"include/{header}" for header in headers}
    wanted |= {f"share/pkgconfig/{name}.pc" for name in ["waiter", "waiter-ssl"]}
    wanted |= {f"share/cmake/waiter/{name}.cmake" for name in ["waiter-config", "waiter-config-version"]}
    found = {path.relative_to(prefix).as_posix() for path in prefix.rglob("*") if path.is_file()}
    expect(found == wanted, f"installed are the headers and how to find them; wrong: {sorted(found ^ wanted)}")
    return prefix


def subproject(source, folder, _headers):
    host, build = folder / "consumer" / "subproject", folder / "build"
    shutil.copytree(HERE, host.parent)
    (host / "subprojects" / "waiter").symlink_to(source, target_is_directory=True)
    run("meson", "setup", build, host)

    def introspect(what):
        return json.loads(run("meson", "introspect", f"--{what}", build))

    expect(introspect("installed") == {}, "a subproject installs nothing")
    expect(introspect("tests") == [], "a subproject brings no tests")
    expect({target["name"] for target in introspect("targets")} == set(SERVERS), "a subproject brings no targets")
    arguments = {argument for target in introspect("targets") for argument in target["target_sources"][0]["parameters"]}
    flags = {argument for argument in arguments - BY_MESON if argument.startswith(("-W", "-D", "-f"))}
    expect(not flags, f"a subproject brings no flags: {flags}")
    run("ninja", "-C", build)
    try_servers(build)


def pkg_config(source, folder, headers):
    prefix = install(source, folder, headers)
    environment = os.environ | {"PKG_CONFIG_PATH": str(prefix / "share" / "pkgconfig")}
    for name, package in zip(SERVERS, ["waiter", "waiter-ssl"]):
        flags = shlex.split(run("pkg-config", "--cflags", "--libs", package, env=environment))
        run(*CXX, "-std=c++20", HERE / f"{name}.cpp", KEEP_ALL, *flags, "-o", folder / name)
    try_servers(folder)


def cmake(source, folder, headers):
    prefix = install(source, folder, headers)
    build = folder / "cmake"
    run("cmake", "-S", HERE / "cmake", "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", build)
    try_servers(build)


def main():
    way, source, *headers = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        {"subproject": subproject, "pkg_config": pkg_config, "cmake": cmake}[way](Path(source), Path(folder), headers)


if __name__ == "__main__":
    main()
