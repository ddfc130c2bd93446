#!/usr/bin/env python3
"""The floors of include/waiter, and the arrows between them.

    arrows.py ROOT      prints every slip of the tree at ROOT; the exit status says whether there was one
"""
import re
import sys
from pathlib import Path

# Lowest first. A header includes lower floors and its own folder, never another folder of its own floor.
FLOORS = [
    ["version.hpp", "fwd.hpp", "options.hpp", "limits.hpp", "error.hpp", "hook.hpp", "hook_name.hpp", "census.hpp"],
    ["contract/"],
    ["process/"],
    ["system/"],
    ["client/"],
    ["server/"],
    ["transport/", "fork/"],
    ["basic_waiter.hpp"],
    ["waiter.hpp", "ssl.hpp", "async.hpp", "async_ssl.hpp", "upgrade.hpp"],
]
# Policies stand side by side: none includes another. The first word of a file's name is its policy's: ssl.hpp, ssl_client.hpp.
POLICIES = ["transport/", "fork/"]
# Words, contracts and decisions: no Asio, no Boost but its error codes, no socket, no process, no clock read.
PURE = range(0, 3)
IMPURE_INCLUDE = re.compile(r"boost/(?!system/)|asio|unistd\.h|poll\.h|dirent\.h|netinet/|arpa/|sys/(?!types\.h|wait\.h)")
IMPURE_CALL = re.compile(r"_clock::now\b|(?<![\w.>:])::(?!waiter\b)[a-z]\w*\(|\bsleep_(?:for|until)\b")
# Where OpenSSL may be named.
OPENSSL = re.compile(r"openssl/|asio/ssl|beast/ssl")
SSL_HEADER = re.compile(r"ssl\.hpp|transport/ssl[^/]*\.hpp")

# Where Boost.Process may be named: who includes waiter.hpp alone shall not wait for it.
PROCESS = re.compile(r"boost/process")
PROCESS_HEADER = re.compile(r"system/start_program\.hpp")

LONGEST_HEADER = 400
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def place_of(header):
    """The floor of a header and its place on it, or None."""
    for floor, places in enumerate(FLOORS):
        for place in places:
            if header == place or (place.endswith("/") and header.startswith(place)):
                return floor, place
    return None


def policy_of(header):
    return re.split(r"[_.]", header)[0]


def without_comments(text):
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)


def arrow_slip(header, included):
    """What is wrong with one header of ours including another, or None."""
    floor, place = place_of(header)
    other = place_of(included)
    if other is None:
        return f"includes <waiter/{included}>, which stands on no floor"
    other_floor, other_place = other
    if other_floor > floor:
        return f"includes upwards: <waiter/{included}> of floor {other_floor} from floor {floor}"
    if other_floor == floor and place in POLICIES and policy_of(header) != policy_of(included):
        return f"includes its sibling <waiter/{included}>: policies do not know each other"
    if other_floor == floor and other_place != place and "/" in place + other_place:
        return f"includes <waiter/{included}>, another folder of its own floor {floor}"
    return None


def slips_of(header, text, headers):
    place = place_of(header)
    if place is None:
        yield "stands on no floor: give it one in tests/layout/arrows.py"
        return
    code = without_comments(text)
    pure = place[0] in PURE

    guard = "WAITER_" + re.sub(r"\W", "_", header).upper()
    if not re.search(rf"^#ifndef {guard}\n#define {guard}$", text, re.MULTILINE):
        yield f"has no include guard {guard}"
    if text.count("\n") > LONGEST_HEADER:
        yield f"is longer than {LONGEST_HEADER} lines: it may be two headers"

    for form, target in INCLUDE.findall(code):
        if form == '"':
            yield f'includes "{target}": ours are included as <waiter/…>, always'
        elif target.startswith("waiter/"):
            included = target.removeprefix("waiter/")
            if included not in headers:
                yield f"includes <{target}>, which does not exist"
            elif PROCESS_HEADER.fullmatch(included) and header != "upgrade.hpp":
                yield f"includes <{target}>, which brings Boost.Process in: only upgrade.hpp may"
            elif slip := arrow_slip(header, included):
                yield slip
        elif PROCESS.search(target) and not PROCESS_HEADER.fullmatch(header):
            yield f"includes <{target}>: Boost.Process stays in system/start_program.hpp, which upgrade.hpp brings in"
        elif OPENSSL.search(target) and not SSL_HEADER.fullmatch(header):
            yield f"includes <{target}>: OpenSSL stays in ssl.hpp and transport/ssl*.hpp"
        elif pure and IMPURE_INCLUDE.search(target):
            yield f"includes <{target}>, which floor {place[0]} may not"
    if pure and (call := IMPURE_CALL.search(code)):
        yield f"calls `{call[0].strip()}`, which floor {place[0]} may not"


def cycle_in(arrows):
    """One cycle of the headers' arrows, as a list that ends where it begins, or None."""
    finished, path = set(), []

    def visit(header):
        if header in finished:
            return None
        if header in path:
            return path[path.index(header):] + [header]
        path.append(header)
        for target in sorted(arrows.get(header, ())):
            if found := visit(target):
                return found
        path.pop()
        finished.add(header)
        return None

    return next((found for header in sorted(arrows) if (found := visit(header))), None)


def unlisted(folder, pattern):
    """Which files of a folder its meson.build names neither by path nor, where they are programs, by stem."""
    build_file = folder / "meson.build"
    named = set(re.findall(r"'([^'\n]+)'", build_file.read_text())) if build_file.exists() else set()
    for path in sorted(folder.rglob(pattern)):
        if not named & {path.relative_to(folder).as_posix(), path.stem}:
            yield f"{folder.name}/meson.build does not list {path.relative_to(folder).as_posix()}"


def slips(root):
    """Every slip in the tree, one sentence each."""
    include = root / "include"
    texts = {path.relative_to(include / "waiter").as_posix(): path.read_text() for path in include.rglob("*.hpp")}
    for header in sorted(texts):
        for slip in slips_of(header, texts[header], texts):
            yield f"waiter/{header} {slip}"

    arrows = {
        header: {name.removeprefix("waiter/") for _, name in INCLUDE.findall(without_comments(text)) if name.startswith("waiter/")}
        for header, text in texts.items()
    }
    if cycle := cycle_in(arrows):
        yield "a cycle: " + " -> ".join(cycle)

    # Meson refuses a list that names what does not exist; a file that no list names would pass by never running.
    yield from unlisted(include, "*.hpp")
    for name in ["examples", "tests/unit", "tests/process", "tests/conformance", "tests/compile"]:
        yield from unlisted(root / name, "*.cpp")


def main():
    found = list(slips(Path(sys.argv[1])))
    print("\n".join(found) if found else "every arrow points down")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
