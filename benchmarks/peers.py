"""What a user would pick instead: other servers, doing the same work on this machine.

They come from Debian's packages, or are small programs of ours on top of them; who is not installed is left out. The original,
Net::Waiter, is measured from a checkout that the caller has.
"""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from contestants import Contestant, library, reference
from rounds import Race

HERE = Path(__file__).parent / "peers"
PACKAGES = ["nginx-core", "libnginx-mod-stream", "apache2-bin", "libnet-server-perl", "libpoco-dev"]
NET_WAITER_PACKAGES = ["libipc-shareable-perl", "libsys-sigaction-perl"]


def install(original):
    """Installs what is missing, where there is apt and we are root. RUNLEVEL: no server is started by its package."""
    packages = PACKAGES + (NET_WAITER_PACKAGES if original else [])
    known = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Status}\n", *packages], capture_output=True, text=True, check=False)
    missing = [name for name in packages if f"{name} install ok installed" not in known.stdout]
    if missing and os.geteuid() == 0:
        quiet = {"RUNLEVEL": "1", "DEBIAN_FRONTEND": "noninteractive", "DEBCONF_NOWARNINGS": "yes"}
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, **quiet})
    elif missing:
        print(f"peers that are not installed are left out; they need: {' '.join(missing)}", file=sys.stderr)


def filled_in(name, **words):
    """A configuration of that name, in a folder that is kept until we end."""
    folder = tempfile.TemporaryDirectory(prefix="benchmark-")
    FOLDERS.append(folder)
    os.chmod(folder.name, 0o755)
    text = (HERE / name).read_text()
    for word, value in {**words, "FOLDER": folder.name}.items():
        text = text.replace(word, str(value))
    path = Path(folder.name) / name
    path.write_text(text)
    return path


FOLDERS = []


def nginx(build, transport):
    def command(port, pool):
        ssl = f"ssl; ssl_certificate {build.pem}; ssl_certificate_key {build.pem}; ssl_protocols TLSv1.2 TLSv1.3" if transport == "ssl" else ""
        return ["nginx", "-c", filled_in("nginx.conf", PORT=port, SSL=ssl)]
    return Contestant("nginx stream, 1 worker", "prefork", transport, "hello", command, 1)


def apache(work):
    return Contestant("Apache mod_echo", "prefork", "plain", work,
                      lambda port, pool: ["apache2", "-DFOREGROUND", "-f", filled_in("apache.conf", PORT=port, POOL=pool)])


def net_server(personality, work):
    return Contestant(f"Net::Server {personality}", {"PreFork": "prefork", "Fork": "forking"}[personality], "plain", work,
                      lambda port, pool: ["perl", HERE / "net_server.pl", personality, work, port, pool])


def python(work):
    return Contestant("Python ForkingTCPServer", "forking", "plain", work,
                      lambda port, pool: [sys.executable, HERE / "forking_tcp_server.py", work, port])


def ours(build, name, program, model, work):
    return Contestant(name, model, "plain", work, lambda port, pool: [build.peer(program), work, port, pool])


def net_waiter(checkout, model, work):
    return Contestant(f"Net::Waiter {model}", model, "plain", work,
                      lambda port, pool: ["perl", f"-I{checkout}/lib", HERE / "net_waiter.pl", model, work, port, pool])


def is_here(contestant):
    """Whether it can be started. It is asked with words that no server gets to."""
    program, *words = contestant.words(0, 1)
    if shutil.which(program) is None:
        return False
    if program == "perl" and "net_server.pl" in str(words):
        return subprocess.run(["perl", "-MNet::Server", "-e1"], capture_output=True, check=False).returncode == 0
    if program == "nginx":
        return Path("/usr/share/nginx/modules-available/mod-stream.conf").exists()
    return True


def of_model(build, model, work, original):
    """The peers of a model that are here."""
    if model == "prefork":
        found = [ours(build, "Asio, blocking, prefork", "asio_prefork", "prefork", work), ours(build, "POCO, 8 threads", "poco", "threads", work),
                 net_server("PreFork", work), nginx(build, "plain") if work == "hello" else apache(work)]
    else:
        found = [ours(build, "Asio, a fork a client", "asio_fork", "forking", work), python(work), net_server("Fork", work)]
    if original:
        found.append(net_waiter(original, model, work))
    return [one for one in found if is_here(one)]


def races(build, original):
    """Each model and work that peers can do, with C and the library."""
    def race(name, title, model, work, flags, **more):
        return Race(name, title, [reference(build, model, "plain", work), library(build, model, "plain", work),
                                  *of_model(build, model, work, original)], flags, **more)
    found = [
        race("peers_c8", "Pools of 8: one line, 8 clients at once", "prefork", "hello", ["--clients", 8]),
        race("peers_c64", "Pools of 8: one line, 64 clients at once", "prefork", "hello", ["--clients", 64]),
        race("peers_echo", "Pools of 8: 64 bytes there and back, 4 connections", "prefork", "echo", ["--clients", 4, "--requests", 1000], pinned=True),
        race("peers_forking", "A process for each client: one line, 8 clients at once", "forking", "hello", ["--clients", 8]),
    ]
    if build.has_tls and is_here(nginx(build, "ssl")):
        found.append(Race("peers_tls", "TLS 1.3: full handshake and one line, 8 clients at once", [
            reference(build, "prefork", "ssl", "hello"), library(build, "prefork", "ssl", "hello"), nginx(build, "ssl")], ["--clients", 8]))
    return found


def counted(build, original):
    """Those whose system calls and instructions are counted."""
    return of_model(build, "prefork", "hello", original) + of_model(build, "forking", "hello", original)
