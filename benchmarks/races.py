"""What is run against what."""
from contestants import library, reference
from rounds import Race


def pools(build, clients):
    """The price of a pool that is larger than it needs to be."""
    contestants = [reference(build, "prefork", "plain", "hello")]
    for pool in (8, 32, 128):
        contestants.append(library(build, "prefork", "plain", "hello", pool=pool).called(f"waiter prefork, {pool} kids"))
    contestants.append(reference(build, "prefork", "plain", "hello", pool=128).called("C prefork, 128 kids"))
    return Race(f"pool_c{clients}", f"One line, {clients} clients at once, pools of several sizes", contestants, ["--clients", clients])


def own(build, tls):
    """The library against C of the same model."""
    both = lambda *how, **more: [reference(build, *how, **more), library(build, *how, **more)]
    races = [
        Race(f"{model}_hello_c{clients}", f"{model}: one line, {clients} clients at once", both(model, "plain", "hello"), ["--clients", clients])
        for model, crowds in (("nofork", (8, 64)), ("prefork", (8, 64)), ("forking", (8,)))
        for clients in crowds
    ]
    races += [pools(build, clients) for clients in (8, 64)]
    races += [
        Race("echo", "prefork: 64 bytes there and back, 4 connections", both("prefork", "plain", "echo"), ["--clients", 4, "--requests", 2000], pinned=True),
        Race("get", "prefork: 16 MB to each of 2 clients", both("prefork", "plain", "get"), ["--clients", 2]),
        Race("put", "prefork: 16 MB from each of 2 clients", both("prefork", "plain", "put"), ["--clients", 2]),
        Race("uneven", "prefork, 32 kids: every tenth client takes 50 ms; 300 begin each second", both("prefork", "plain", "uneven", pool=32),
             ["--rate", 300, "--clients", 1000], seconds=2),
        Race("rate_prefork", "prefork: 2000 clients begin each second", both("prefork", "plain", "hello"), ["--rate", 2000, "--clients", 1000], seconds=2),
        Race("rate_forking", "forking: 1000 clients begin each second", both("forking", "plain", "hello"), ["--rate", 1000, "--clients", 1000], seconds=2),
    ]
    if tls:
        ssl = lambda work: [reference(build, "prefork", "ssl", work), reference(build, "prefork", "ssl", work, read_ahead=True),
                            library(build, "prefork", "ssl", work)]
        races += [
            Race("tls_full", "TLS 1.3: full handshake and one line, 8 clients at once", ssl("hello"), ["--clients", 8]),
            Race("tls_resumed", "TLS 1.3: resumed, 8 clients at once", ssl("hello"), ["--clients", 8, "--resume"]),
            Race("tls12_resumed", "TLS 1.2: resumed, 8 clients at once", ssl("hello"), ["--clients", 8, "--resume", "--tls12"]),
            Race("tls_echo", "TLS 1.3: 64 bytes there and back, 4 connections", ssl("echo"), ["--clients", 4, "--requests", 2000], pinned=True),
            Race("tls_get", "TLS 1.3: 16 MB to each of 2 clients", ssl("get"), ["--clients", 2]),
        ]
    return races


def choices(build, tls):
    """What each choice costs, against the library without it."""
    plain = library(build, "prefork", "plain", "hello")
    races = [
        Race("deadlines", "prefork: deadlines and a least rate", [
            plain, library(build, "prefork", "plain", "hello", "client_timeout=60"), library(build, "prefork", "plain", "hello", "min_rate=100"),
        ], ["--clients", 8]),
        Race("models", "The three models, 8 clients at once", [
            plain, library(build, "nofork", "plain", "hello"), library(build, "forking", "plain", "hello"),
        ], ["--clients", 8]),
    ]
    return races
