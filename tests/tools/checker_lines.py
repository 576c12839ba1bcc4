# SPDX-License-Identifier: MIT
"""checker_lines.py SOURCE... [-- NUMBER:VARIABLE...] <JSON: compares what `relink check --json` found with what the lines of the sources
expect. A line with `// expect: 401 405` has at least one finding, and none but of these numbers; others have none. Behind `--`
is what is found in data, which has no line."""
import json
import os
import re
import sys

arguments = sys.argv[1:]
split = arguments.index("--") if "--" in arguments else len(arguments)
data = set(arguments[split + 1:])
lines = {}
for path in arguments[:split]:
    with open(path, encoding="utf-8") as source:
        for number, line in enumerate(source, 1):
            match = re.search(r"// expect: ([0-9 ]+)", line)
            lines[os.path.basename(path), number] = set(map(int, match.group(1).split())) if match else set()

found, found_data = {}, set()
for file in json.load(sys.stdin)["files"]:
    for finding in file["findings"]:
        if finding["number"] < 400: # of records, see check.sh
            continue
        if "line" in finding:
            found.setdefault((os.path.basename(finding["source"]), finding["line"]), set()).add(finding["number"])
        else:
            found_data.add(f"{finding['number']}:{finding['variable']}")

problems = [f"{place[0]}:{place[1]}: expected {sorted(want)}, found {sorted(found.get(place, set()))}"
            for place, want in lines.items() if bool(want) != bool(found.get(place)) or not found.get(place, set()) <= want]
problems += [f"{place[0]}:{place[1]}: found {sorted(numbers)}" for place, numbers in found.items() if place not in lines]
if found_data != data:
    problems.append(f"in data: expected {sorted(data)}, found {sorted(found_data)}")
print("\n".join(problems), end="\n" if problems else "")
sys.exit(1 if problems else 0)
