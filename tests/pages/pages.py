# SPDX-License-Identifier: MIT
"""pages.py SOURCE [EXAMPLES]: do the pages of section 3 say what the public headers say?

Every public function and macro has a page that names it and has its signature in the SYNOPSIS; prototypes agree to the last word;
arguments of macros have the headers' names; no page has a name that no header has, nor refers to a page that is not there. With
EXAMPLES, a directory, the program in each page's EXAMPLES is written there.
"""
import pathlib
import re
import sys

source = pathlib.Path(sys.argv[1])
include = source / "include/relink"
# Macros that headers of detail/ define, because there are several ways.
ELSEWHERE = {"relink_likely", "relink_unlikely", "relink_likely_at", "relink_unlikely_at", "relink_here", "relink_here_likely", "relink_here_at",
             "relink_here_likely_at", "relink_log_here", "alternative_input", "alternative_io", "alternative_call", "alternative_call_2"}
# Words of other things: the environment, installation, what relink(5) is about.
OTHER_WORDS = {"RELINK", "RELINK_CONFIG", "relink_target", "relink"}
bad = 0


def complain(text):
    global bad
    bad += 1
    print(text)


def code_of(path):
    return re.sub(r"/\*.*?\*/", " ", path.read_text().replace("\\\n", " "), flags=re.S)


def arguments(text):
    """Splits at commas that are not in parentheses."""
    parts, depth, part = [], 0, ""
    for c in text:
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0:
            parts.append(part.strip())
            part = ""
        else:
            part += c
    return parts + [part.strip()] if part.strip() else parts


def squeezed(text):
    return re.sub(r"\s+", " ", re.sub(r"\s*\*\s*", " * ", text)).strip()


def last_word(argument):
    words = re.findall(r"\w+", argument)
    return words[-1] if words else argument


def is_public(name):
    return not name.endswith("_") and not re.fullmatch(r"RELINK_\w+_H|RELINK_H|HZ", name)


class Headers:
    def __init__(self):
        self.functions, self.macros, self.constants, self.words = {}, {}, set(), set()
        for path in list(include.glob("*.h")) + list(include.glob("detail/*.h")):
            text, own = code_of(path), path.parent == include
            self.words |= set(re.findall(r"\w+", text))
            if path.name == "abi.h":
                continue
            for m in re.finditer(r"RELINK_API\s+([^;{]*?)\b(\w+)\s*\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)\s*;", text):
                if is_public(m[2]):
                    self.functions[m[2]] = (squeezed(m[1]), [squeezed(a) for a in arguments(m[3])])
            for m in re.finditer(r"^#\s*define\s+(\w+)(\(([^)]*)\))?", text, flags=re.M):
                if not is_public(m[1]) or not (own or m[1] in ELSEWHERE):
                    continue
                if m[2]:
                    self.macros.setdefault(m[1], arguments(m[3]))
                else:
                    self.constants.add(m[1])
            if own:
                for m in re.finditer(r"\benum\s+\w*\s*\{([^}]*)\}", text):
                    self.constants |= {n for n in re.findall(r"\b(RELINK_\w+)\b", m[1]) if is_public(n) and "_CPU_BIT_" not in n}


def unquoted(line):
    return [a.replace("\\(dq", '"').replace("\\e", "\\") for a in re.findall(r'"([^"]*)"|(\S+)', line) for a in a if a]


class Page:
    def __init__(self, path):
        self.path, self.text = path, path.read_text()
        section, self.names, self.signatures, result, group = "", [], {}, "", None
        for line in self.text.splitlines():
            macro, _, rest = line.partition(" ")
            if macro == ".Sh":
                section = rest
            elif section == "NAME" and macro == ".Nm":
                self.names.append(rest.rstrip(" ,"))
            elif section == "SYNOPSIS" and macro == ".Ft":
                result = rest
            elif section == "SYNOPSIS" and macro == ".Fn":
                words = unquoted(rest)
                self.signatures[words[0]] = (squeezed(result), words[1:])
                result = ""
            elif section == "SYNOPSIS" and macro == ".Fo":
                group = rest.strip()
                self.signatures[group] = (squeezed(result), [])
                result = ""
            elif section == "SYNOPSIS" and macro == ".Fa":
                self.signatures[group][1].extend(unquoted(rest))
            elif section == "SYNOPSIS" and macro == ".Fd":
                self.signatures[rest.split()[1]] = ("", [])
        self.mentioned = set(re.findall(r"^\.Dv (\w+)", self.text, flags=re.M)) | set(re.findall(r"\bDv (\w+)", self.text))
        self.mentioned |= set(re.findall(r"\bEr (RELINK_\w+)", self.text))

    def example(self):
        m = re.search(r"^\.Sh EXAMPLES\n\.Bd -literal\n(.*?)^\.Ed", self.text, flags=re.M | re.S)
        return m[1].replace("\\e", "\\") if m else None


def check_signature(page, name, headers):
    result, args = page.signatures[name]
    if name in headers.functions:
        wanted = headers.functions[name]
        if (result, [squeezed(a) for a in args]) != wanted:
            complain(f"{page.path.name}: {name}: {result} ({', '.join(args)}), the header has {wanted[0]} ({', '.join(wanted[1])})")
    elif name in headers.macros:
        wanted = headers.macros[name]
        fixed = wanted[: wanted.index("...")] if "..." in wanted else wanted
        if "..." in wanted:
            if len(args) < len(fixed):
                complain(f"{page.path.name}: {name}: fewer arguments than the header's {', '.join(wanted)}")
        elif [last_word(a) for a in args] != fixed:
            complain(f"{page.path.name}: {name}({', '.join(args)}), the header has ({', '.join(wanted)})")
    elif name not in headers.constants:
        complain(f"{page.path.name}: no header has {name}")


def check_page(page, headers, names):
    if page.names[0] != page.path.stem or page.names[1:] != [n for n in page.signatures if n != page.path.stem]:
        complain(f"{page.path.name}: the names at its head are not those of its synopsis")
    for name in page.signatures:
        check_signature(page, name, headers)
    for word in set(re.findall(r"\b(?:relink_|RELINK_|PVOP_)\w+", re.sub(r"^\.Dt .*$", "", page.text, flags=re.M))):
        if word not in headers.words and word not in names and word not in OTHER_WORDS and not word.endswith("_"):
            complain(f"{page.path.name}: nothing is called {word}")
    check_references(page.path, page.text, names)


def check_references(path, text, names):
    for name, section in re.findall(r"Xr (relink\w*) (\d)", text):
        there = name in names if section == "3" else (source / f"man/{name}.{section}").exists()
        if not there:
            complain(f"{path.name}: there is no {name}({section})")


def main():
    headers, pages = Headers(), [Page(p) for p in sorted((source / "man").glob("*.3"))]
    names = {n for page in pages for n in page.names}
    documented = {n for page in pages for n in page.signatures}
    mentioned = {n for page in pages for n in page.mentioned} | documented
    for name in sorted((set(headers.functions) | set(headers.macros)) - documented):
        complain(f"no page has {name}")
    for name in sorted(headers.constants - mentioned):
        complain(f"no page mentions {name}")
    for page in pages:
        check_page(page, headers, names)
        if not page.example():
            complain(f"{page.path.name}: no example")
        elif len(sys.argv) > 2:
            (pathlib.Path(sys.argv[2]) / (page.path.stem + ".c")).write_text(page.example())
    for path in (source / "man").glob("relink.[157]"):
        check_references(path, path.read_text(), names)
    print(f"{len(pages)} pages, {len(headers.functions)} functions, {len(headers.macros)} macros, {len(headers.constants)} constants: {bad} wrong")
    return bad != 0


sys.exit(main())
