#!/usr/bin/env python3
"""What a signal handler can reach is async-signal-safe: signal_safety.py OBJECT HEADERS

Walks the machine code of OBJECT from each handler through all calls, and compares what leaves it with the functions that POSIX lists
(signal-safety(7)) and with a short list of reviewed ones. A call through a pointer is refused: nobody can say where it goes. And no
other file of HEADERS installs a handler.
"""
import pathlib
import re
import shutil
import subprocess
import sys

# From signal-safety(7), as far as a handler of ours might ever want them.
POSIX = set("""
_exit abort accept alarm clock_gettime close connect dup dup2 execve fcntl fork fstat fsync getpid getppid getsockname getsockopt kill lseek
memcpy memmove memset memcmp open pipe poll pselect pthread_kill pthread_self pthread_sigmask raise read recv recvfrom recvmsg select send
sendmsg sendto setsockopt shutdown sigaction sigaddset sigdelset sigemptyset sigfillset sigismember signal sigprocmask sigqueue socket
socketpair strlen time unlink waitpid write
""".split())

REVIEWED = {
    "__errno_location": "the address of errno (glibc)",
    "pthread_equal": "compares two values; an inline function in most headers",
    "__stack_chk_fail": "only when the stack is broken already; ends the process",
    "__stack_chk_guard": "data of the above",
    "std::__glibcxx_assert_fail(char const*, int, char const*, char const*)": "indices and memory orders are constants; ends the process",
    "std::__replacement_assert(char const*, int, char const*, char const*)": "as above, in older libstdc++",
    "__clang_call_terminate": "nothing throws there; ends the process",
    "std::terminate()": "nothing throws there; ends the process",
    "__gxx_personality_v0": "data of the unwinder; nothing throws there",
}

HANDLERS = re.compile(r"waiter::system::signal_handlers::(handle<.*>|swallow)\(int\)$")
FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")
CALL = re.compile(r"\t(?:call|callq|jmp|jmpq|j[a-z]+|bl|b|b\.[a-z]+|cbn?z|tbn?z|blr|br)\s+(.*)$")
RELOCATION = re.compile(r"\bR_\w+\s+(.+?)(?:[-+]0x[0-9a-f]+)?$")


def functions(listing):
    """{function: what it calls}; a call through a pointer is `None`."""
    found, here, pending, name = {}, None, None, None
    for line in listing.splitlines():
        if match := FUNCTION.match(line):
            name = match[1]
            here, pending = found.setdefault(name, set()), None
        elif here is None:
            continue
        elif (match := RELOCATION.search(line)) and ": R_" in line:
            target = match[1].removesuffix("@plt")
            if pending is not None:
                here.discard(pending)
            # A relocation that is no call takes an address: a handler that does so might give it away, so it is looked at as well.
            if not target.startswith((".rodata", ".data", ".bss", ".L", "waiter::system::mailbox")):
                here.add(target)
            pending = None
        elif match := CALL.search(line):
            where = match[1]
            pending = None
            if where.startswith(("*", "x", "r")) and "<" not in where:
                here.add(None)
            elif target := re.search(r"<(.+?)(?:\+0x[0-9a-f]+)?>$", where):
                if target[1] != name:
                    here.add(target[1])
                    pending = target[1]
    return found


def walk(calls):
    """Each function that a handler reaches, with the way to it."""
    handlers = [name for name in calls if HANDLERS.search(name)]
    ways = {name: [name] for name in handlers}
    queue = list(handlers)
    while queue:
        name = queue.pop()
        if name in REVIEWED:
            continue
        for target in calls.get(name, ()):
            if target not in ways:
                ways[target] = ways[name] + [target]
                queue.append(target)
    return handlers, ways


def main():
    library, headers = sys.argv[1], pathlib.Path(sys.argv[2])
    objdump = shutil.which("objdump") or shutil.which("llvm-objdump")
    if not objdump:
        print("SKIPPED: no objdump")
        return 77
    listing = subprocess.run([objdump, "--disassemble", "--reloc", "--demangle", "--no-show-raw-insn", library], check=True,
                             capture_output=True, text=True).stdout
    calls = functions(listing)
    handlers, ways = walk(calls)
    faults = []
    # TERM, INT, QUIT, HUP, USR1, USR2, CHLD, the parent's death, overtime, giving way, and PIPE.
    if len(handlers) != 11:
        faults.append(f"11 handlers are expected, these are found: {handlers}")
    for target, way in ways.items():
        if target in calls or target in POSIX or target in REVIEWED:
            continue
        faults.append("not async-signal-safe: " + " -> ".join(step or "a call through a pointer" for step in way))
    outside = sorted(target for target in ways if target not in calls and target)
    if "dup2" not in outside:
        faults.append(f"the walk did not find dup2, so it does not see what handlers do: {outside}")
    for header in sorted(headers.rglob("*.hpp")):
        text = re.sub(r"//.*", "", header.read_text(encoding="utf-8"))
        if header.name != "signal_handlers.hpp" and re.search(r"\b(?:sigaction|signal|sigset|bsd_signal)\s*\(\s*SIG|::sigaction\s*\(|::signal\s*\(", text):
            faults.append(f"{header} installs a handler; only signal_handlers.hpp may")
    for fault in faults:
        print(fault)
    print(f"{len(handlers)} handlers, {len(ways)} functions reached, outside: {', '.join(outside)}; {len(faults)} faults")
    return 1 if faults else 0


sys.exit(main())
