#!/usr/bin/env python3
"""Holds the documentation to the code.

    check_docs.py ROOT      prints every fault of the pages at ROOT; the exit status says whether there was one
"""
import re
import sys
from pathlib import Path

# A block in one of these languages is cut from a file that a test compiles, configures or runs.
QUOTED = {
    "cpp": ["examples/*.cpp", "tests/consumer/**/*.cpp", "tests/docs/*.cpp"],
    "meson": ["tests/consumer/**/meson.build"],
    "cmake": ["tests/consumer/**/CMakeLists.txt"],
    "ini": ["tests/consumer/**/*.wrap", "tests/docs/deploy/*"],
    "sh": ["tests/docs/*.sh"],
}
# The others are for people: what a terminal shows, a picture, the original's language.
SPOKEN = {"console", "text", "perl"}

# Which section of docs/options.md tells of which struct.
OPTIONS = [
    ("`upgrade`", "options.hpp", "upgrade_options", ".upgrade."),
    ("Every server", "options.hpp", "basic_options", "."),
    ("`forking`", "fork/forking.hpp", "options", ".fork."),
    ("`prefork`", "fork/prefork.hpp", "options", ".fork."),
    ("`nofork`", "fork/nofork.hpp", "options", ".fork."),
    ("`plain`", "transport/plain.hpp", "options", ".transport."),
    ("`ssl`", "transport/ssl_options.hpp", "ssl_options", ".transport."),
]
# Which page tells of the public members of which class.
MEMBERS = [
    ("docs/hooks.md", "basic_waiter.hpp", "basic_waiter"),
    ("docs/hooks.md", "client/text.hpp", "text_client"),
    ("docs/hooks.md", "client/connected_client.hpp", "connected_client"),
    ("docs/hooks.md", "transport/plain.hpp", "plain_client"),
    ("docs/hooks.md", "transport/ssl_client.hpp", "ssl_client"),
    ("docs/contracts.md", "server/fork_host.hpp", "fork_host"),
    ("docs/contracts.md", "server/reception.hpp", "reception"),
]


class Pages:
    """The pages and headers of one tree, and the faults found in them."""

    def __init__(self, root):
        self.root = Path(root)
        self.headers = self.root / "include" / "waiter"
        self.faults = []
        paths = sorted(self.root.glob("*.md")) + sorted(self.root.glob("docs/*.md"))
        self.pages = {path.relative_to(self.root).as_posix(): path.read_text() for path in paths}

    def fault(self, page, sentence):
        self.faults.append(f"{page}: {sentence}")

    def header(self, name):
        return (self.headers / name).read_text()

    # ---- blocks

    def check_blocks(self):
        sources = {language: self.sources(patterns) for language, patterns in QUOTED.items()}
        for page, text in self.pages.items():
            for line, language, block in blocks_of(text):
                if language in SPOKEN:
                    continue
                if language not in QUOTED:
                    self.fault(page, f"line {line}: a block in '{language}', which is none of {sorted(QUOTED | dict.fromkeys(SPOKEN))}")
                elif not any(quotes(source, block) for source in sources[language]):
                    self.fault(page, f"line {line}: this {language} block stands in no file that a test compiles: {block[0].strip()}")

    def sources(self, patterns):
        """The lines of each file that may be quoted; not of those which no build file names."""
        found = []
        for pattern in patterns:
            for path in sorted(self.root.glob(pattern)):
                if path.suffix in [".cpp", ".sh"] and not self.is_built(path):
                    continue
                found.append(path.read_text().splitlines())
        return found

    def is_built(self, path):
        folder = path.parent
        while folder != self.root and not (folder / "meson.build").exists():
            folder = folder.parent
        name = re.compile(rf"['/]{re.escape(path.stem)}(\.\w+)?'")
        return any(name.search(builder.read_text()) for builder in folder.rglob("meson.build"))

    # ---- links

    def check_links(self):
        for page, text in self.pages.items():
            for target in re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", without_blocks(text)):
                if re.match(r"[a-z]+:", target):
                    continue
                path, _, anchor = target.partition("#")
                there = (self.root / page).parent / path if path else self.root / page
                if not there.exists():
                    self.fault(page, f"links to '{target}', which does not exist")
                elif anchor and anchor not in anchors_of(there.read_text()):
                    self.fault(page, f"links to '{target}', where no heading is called so")

    # ---- hooks

    def check_hooks(self):
        hooks = re.findall(r"^  (on_\w+),$", self.header("hook.hpp"), re.MULTILINE)
        near_misses = set(re.findall(r"(?:misspelt|ownable|another)\((\w+),", self.header("contract/near_miss.hpp")))
        for page in ["README.md", "docs/hooks.md"]:
            rows = first_cells(self.pages.get(page, ""))
            for hook in hooks:
                if hook not in rows:
                    self.fault(page, f"no row of a table tells of the hook {hook}")
        for page, text in self.pages.items():
            for name in sorted(set(re.findall(r"\bon_\w+[a-z0-9]\b", text)) - set(hooks) - near_misses):
                self.fault(page, f"speaks of {name}, which is no hook")

    # ---- options

    def check_options(self):
        page = "docs/options.md"
        sections = sections_of(self.pages.get(page, ""))
        for heading, header, struct, prefix in OPTIONS:
            offered = options_of(self.header(header), struct)
            told = {}
            for cells in rows_of(sections.get(heading, "")):
                name = cells[0].strip("`")
                if name.startswith("."):
                    told[name] = cells[1].strip("`") if len(cells) > 1 else ""
            for name, default in offered.items():
                if prefix + name not in told:
                    self.fault(page, f"section {heading} has no row for the option {prefix}{name}")
                elif told[prefix + name] != default:
                    self.fault(page, f"{prefix}{name} is {default} in the header, and {told[prefix + name]} here")
            for name in told:
                if name not in {prefix + each for each in offered}:
                    self.fault(page, f"section {heading} tells of {name}, which is no option")

    # ---- members

    def check_members(self):
        for page, header, name in MEMBERS:
            text = self.pages.get(page, "")
            members = public_members(self.header(header), name)
            if not members:
                self.fault(page, f"no public member of {name} was found in {header}")
            for member in members:
                if not re.search(rf"`[^`]*\b{member}\b[^`]*`", text):
                    self.fault(page, f"does not tell of {name}::{member}")

    def check_folders(self):
        text = self.pages.get("docs/architecture.md", "")
        for folder in sorted(path.name for path in self.headers.iterdir() if path.is_dir()):
            if f"`{folder}/`" not in text:
                self.fault("docs/architecture.md", f"does not tell of the folder {folder}/")

    def check(self):
        self.check_blocks()
        self.check_links()
        self.check_hooks()
        self.check_options()
        self.check_members()
        self.check_folders()
        return self.faults


def blocks_of(text):
    """(line, language, lines) of each fenced block, without the indentation of the fence."""
    found, block, start = [], None, 0
    for number, line in enumerate(text.splitlines(), 1):
        fence = re.match(r"( *)```(\w*)\s*$", line)
        if fence and block is None:
            start, indent, language, block = number, len(fence[1]), fence[2], []
        elif fence:
            found.append((start, language, block or [""]))
            block = None
        elif block is not None:
            block.append(line[indent:].rstrip())
    return found


def without_blocks(text):
    return re.sub(r"^ *```\w*\n.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)


def quotes(source, block):
    """The lines of the block follow one another in the source; all may be indented further there, or less."""

    def dedented(lines):
        depth = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
        return [line[depth:].rstrip() for line in lines]

    wanted = dedented(block)
    return any(dedented(source[at:at + len(block)]) == wanted for at in range(len(source) - len(block) + 1))


def anchors_of(text):
    """What a heading is called in a link, as hosts of repositories make it."""
    headings = re.findall(r"^#+ +(.+)$", without_blocks(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def sections_of(text):
    """The text under each heading, by heading."""
    parts = re.split(r"^#+ +(.+)$", without_blocks(text), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def rows_of(text):
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in text.splitlines() if line.startswith("|")]


def first_cells(text):
    return {name for cells in rows_of(text) for name in re.findall(r"\w+", cells[0])}


def body_of(text, kind):
    """The lines between the braces of a class or struct, as if it stood at the left margin."""
    start = re.search(rf"^( *)(?:class|struct) {kind}\b[^;{{]*{{", text, re.MULTILINE)
    if not start:
        return []
    if text[start.end():].startswith("}"):
        return []
    depth = len(start[1])
    body = []
    for line in text[start.end():].splitlines()[1:]:
        if line.startswith(" " * depth + "}"):
            break
        body.append(line[depth:])
    return body


def options_of(text, struct):
    """The members of a struct of options, with their defaults as the page is to tell them."""
    found = {}
    for line in body_of(text, struct):
        member = re.match(r"  (?!//)(.+?) +(\w+)(?: = (.+)|\{(.*)\});$", line)
        if member:
            found[member[2]] = default_in_words(member[1], member[3] if member[3] is not None else member[4])
        elif re.match(r"  (?!//|using )[\w:<>, ]+ \w+;$", line):
            found[line.split()[-1].rstrip(";")] = "no default"
    return found


def default_in_words(kind, value):
    if kind == "milliseconds" and value.isdigit():
        amount = int(value)
        return f"{amount // 1000} s" if amount % 1000 == 0 and amount else f"{amount} ms"
    if not value:
        return '""' if kind == "std::string" else "{}"
    return value


def public_members(text, kind):
    """The names of the functions that stand in the public parts of a class."""
    found, public = [], f"struct {kind}" in text
    for line in body_of(text, kind):
        part = re.match(r" (public|protected|private):", line)
        if part:
            public = part[1] == "public"
        name = re.match(r"  (?! |//|using|friend|static_assert|#|template|requires)(?:[^(]*[ >&*])?(~?\w+)\(", line)
        if public and name and name[1] not in [kind, "~" + kind] and "= delete" not in line and name[1] not in found:
            found.append(name[1])
    return found


def main():
    faults = Pages(sys.argv[1]).check()
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
