#!/usr/bin/env python3
"""Holds a source tree against its LAYERS file: includes, symbols, circles, and the limits of files and functions.

    layers.py SRC [OBJECTS]     SRC has LAYERS and the folders; OBJECTS mirrors it with .o files, and .d files of their headers

Prints a line a fault, "src/config/cfg.c: ...", and ends with 1 when there is one.
"""
import collections
import os
import re
import subprocess
import sys

FILE_LINES, FUNCTION_LINES, PARAMETERS, COLUMNS = 400, 60, 6, 100
OUTSIDE = {"base": "plugins/plugin.h"}      # the one header that a folder may have from outside

faults = []


def fault(where, text):
    faults.append(f"{where}: {text}")


def read_layers(path):
    """{folder: folders that it may include}; a name on the right that no earlier line has is a fault."""
    allowed = {}
    for number, line in enumerate(open(path), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        folder, right = words[0], words[1:]
        if folder in allowed:
            fault(f"{path}:{number}", f"{folder} has a second line")
        for name in right:
            if name != "*" and name not in allowed:
                fault(f"{path}:{number}", f"{folder} may not stand on {name}: only on folders of earlier lines")
        allowed[folder] = set(allowed) if "*" in right else set(right)
    return allowed


def sources(src):
    for root, folders, names in os.walk(src):
        folders.sort()
        for name in sorted(names):
            if name.endswith((".c", ".h", ".cpp", ".hpp")):
                yield os.path.relpath(os.path.join(root, name), src)


def check_includes(src, allowed):
    top = os.path.dirname(os.path.abspath(src))
    for path in sources(src):
        folder = os.path.dirname(path)
        if folder not in allowed:
            fault(f"{src}/{path}", f"its folder has no line in LAYERS: {folder or 'files lie in folders'}")
            continue
        for number, line in enumerate(open(os.path.join(src, path), encoding="utf-8"), 1):
            found = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if not found:
                continue
            name, where = found.group(1), f"{src}/{path}:{number}"
            if name.startswith("."):
                outside = os.path.relpath(os.path.join(top, os.path.basename(src), folder, name), top)
                if OUTSIDE.get(folder) != outside:
                    fault(where, f'includes "{name}": a header is named from src/ on')
            elif "/" not in name:
                if not os.path.exists(os.path.join(src, folder, name)):
                    fault(where, f'includes "{name}", which its own folder does not have')
            else:
                other = os.path.dirname(name)
                if not os.path.exists(os.path.join(src, name)):
                    fault(where, f'includes "{name}", which there is not')
                elif other == folder:
                    fault(where, f'includes "{name}": a header of its own folder is named without it')
                elif other not in allowed[folder]:
                    fault(where, f'includes "{name}": LAYERS does not let {folder} stand on {other}')
                elif name.endswith(("_internal.h", "_internal.hpp")):
                    fault(where, f'includes "{name}", which is for its own folder alone')


# Functions of libc that the program puts its own in the place of (commands/memory_hooks.cpp): who calls them needs libc.
LIBC = {"posix_memalign", "mmap"}


def symbols(objects):
    """(defined, needed): {symbol: object}, {object: symbols}."""
    defined, needed = {}, collections.defaultdict(set)
    paths = sorted(os.path.join(root, name) for root, _, names in os.walk(objects) for name in names if name.endswith(".o"))
    listing = subprocess.run(["nm", "-A", "-P", *paths], capture_output=True, text=True, check=True).stdout
    stale = {p for p in paths if not os.path.exists(headers_of(objects, os.path.relpath(p, objects))[0])}
    for line in listing.splitlines():
        path, rest = line.split(": ", 1)
        if path in stale:       # its source has been renamed since
            continue
        words = rest.split()
        name = os.path.relpath(path, objects)
        if words[1] == "U":
            needed[name].add(words[0])
        elif words[1].isupper() and words[1] not in "WV":
            defined[words[0]] = name
    return defined, needed


def headers_of(objects, name):
    """What the compiler read for an object: its source and headers, by its .d file."""
    text = open(os.path.join(objects, name[:-2] + ".d")).read().replace("\\\n", " ")
    return text.split("\n")[0].split(":", 1)[1].split()


def check_symbols(src, objects, allowed):
    defined, needed = symbols(objects)
    words, graph = {}, collections.defaultdict(dict)

    def words_of(path):
        if path not in words:
            words[path] = set(re.findall(r"\w+", open(path, encoding="utf-8", errors="replace").read()))
        return words[path]

    for name, wanted in sorted(needed.items()):
        folder = os.path.dirname(name)
        headers = [h for h in headers_of(objects, name) if h.endswith((".h", ".hpp")) and not h.startswith("/usr/")]
        for symbol in sorted(wanted):
            owner = defined.get(symbol)
            if owner is None or owner == name or symbol in LIBC:
                continue
            graph[name].setdefault(owner, symbol)
            other = os.path.dirname(owner)
            if folder != other and other not in allowed.get(folder, ()):
                fault(f"{src}/{name}", f"needs {symbol} of {owner}: LAYERS does not let {folder} stand on {other}")
            shown = re.sub(r"^_Z\d*N?\d*", "", symbol)
            if not symbol.startswith("_Z") and not any(shown in words_of(h) for h in headers):
                fault(f"{src}/{name}", f"needs {symbol} of {owner}, which no header that it includes declares")
    return graph


def check_circles(src, graph):
    """Tarjan's strongly connected components: of more than one object, they are a circle."""
    index, low, stack, on, groups = {}, {}, [], set(), []

    def visit(v):
        index[v] = low[v] = len(index)
        stack.append(v)
        on.add(v)
        for w in graph.get(v, ()):
            if w not in index:
                visit(w)
                low[v] = min(low[v], low[w])
            elif w in on:
                low[v] = min(low[v], index[w])
        if low[v] == index[v]:
            group = []
            while not group or group[-1] != v:
                group.append(stack.pop())
                on.discard(group[-1])
            if len(group) > 1:
                groups.append(sorted(group))

    sys.setrecursionlimit(10000)
    for v in sorted(graph):
        if v not in index:
            visit(v)
    for group in groups:
        inside = [f"{a} needs {s} of {b}" for a in group for b, s in sorted(graph[a].items()) if b in group]
        fault(f"{src}/{group[0]}", f"is in a circle of {len(group)}: " + "; ".join(inside[:8]))


def parameters(head):
    """The number of parameters of a definition's head."""
    inside = head[head.index("(") + 1:head.rindex(")")]
    depth = count = 0
    for letter in inside:
        depth += letter in "([{"
        depth -= letter in ")]}"
        count += letter == "," and depth == 0
    return 0 if inside.strip() in ("", "void") else count + 1


def check_limits(src):
    for path in sources(src):
        lines = open(os.path.join(src, path), encoding="utf-8").read().split("\n")
        if len(lines) - 1 > FILE_LINES:
            fault(f"{src}/{path}", f"has {len(lines) - 1} lines: at most {FILE_LINES}")
        start = None
        for i, line in enumerate(lines):
            if len(line) > COLUMNS:
                fault(f"{src}/{path}:{i + 1}", f"has {len(line)} columns: at most {COLUMNS}")
            if line == "{":
                start = i
            elif line.startswith("}") and start is not None:
                head, k = "", start - 1
                while k >= 0 and lines[k].strip() and not lines[k].startswith(("#", "/*", "}")) and not lines[k].endswith("*/"):
                    head = lines[k] + " " + head
                    k -= 1
                if "(" in head and not head.lstrip().startswith(("struct {", "enum")):
                    length = i - start + 1
                    name = re.search(r"(\w+)\s*\(", head).group(1)
                    if length > FUNCTION_LINES:
                        fault(f"{src}/{path}:{start + 1}", f"{name} has {length} lines: at most {FUNCTION_LINES}")
                    if not path.startswith("backends/") and parameters(head) > PARAMETERS:
                        fault(f"{src}/{path}:{start + 1}", f"{name} has {parameters(head)} parameters: at most {PARAMETERS}")
                start = None
            if path.endswith((".c", ".cpp")) and i == 0 and not line.startswith("/*"):
                fault(f"{src}/{path}", "does not begin with a comment that says what the file does")


def main():
    src = sys.argv[1].rstrip("/")
    allowed = read_layers(os.path.join(src, "LAYERS"))
    check_includes(src, allowed)
    check_limits(src)
    if len(sys.argv) > 2:
        check_circles(src, check_symbols(src, sys.argv[2], allowed))
    for text in faults:
        print(text)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
