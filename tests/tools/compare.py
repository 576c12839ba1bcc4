# SPDX-License-Identifier: MIT
"""compare.py LIST.json SHOW-DIRECTORY DUMP...: is what the tool reads from files what the runtime found in the process?

Sites must be the same: module, address, kind and choice; so must uses of keys: key, file, line, function and text. A site that is
bound must hold the bytes that `relink show` has for the state of its choice; one that is not must be as linked.
SHOW-DIRECTORY/MODULE.json are shows of all sites.
"""
import json
import pathlib
import sys


def read_dump(path):
    sites = {}
    for line in open(path):
        module, address, kind, choice, reason, state, data = line.split()
        sites.setdefault((module, address, kind), []).append((choice, int(reason), state, data))
    return sites


def read_list(path):
    sites = {}
    for file in json.load(open(path))["files"]:
        for site in file["sites"]:
            sites[(file["module"], site["address"], site["kind"])] = site
    return sites


def known_as(name):
    """What nobody names is known by its address, which the loader has moved."""
    return name[: name.index("@") + 1] if name.startswith(("key@", "pointer@")) else name


def read_uses(path):
    uses = []
    for line in open(path, encoding="utf-8"):
        _, module, address, key, file, number, function, text = line.rstrip("\n").split("\t", 7)
        uses.append((module, address, known_as(key), file, int(number), function, text))
    return sorted(uses)


def listed_uses(path):
    return sorted((file["module"], use["address"], known_as(use["key"]), use["file"], use["line"], use["function"], use["text"].replace("\n", "\\n"))
                  for file in json.load(open(path))["files"] for use in file["uses"])


def choices_of(site):
    if site["kind"] == "alternative":
        return {arm["choice"] for arm in site["arms"] if "choice" in arm} or {"-"}
    return {known_as(site["choice"] or "-")}


def labels_of(form):
    return form["label"].split(", ")


def arm_label(site, states):
    """The last arm whose condition holds, as the runtime picks it."""
    chosen = "as linked"
    for arm in site["arms"]:
        holds = "choice" in arm and states.get(arm["choice"]) == "on"
        if "feature" in arm:
            holds = False
        if holds != arm["inverted"]:
            chosen = ("!" if arm["inverted"] else "") + arm.get("choice", arm.get("feature"))
    return chosen


def expected_label(site, found, states):
    choice, reason, state, _ = found
    if reason != 0:
        return "as linked"
    if site["kind"] == "alternative":
        return arm_label(site, states)
    if site["kind"].startswith("pointer-"):  # the program assigns none: as it was linked, in the name that the file has for it
        return next(f["label"] for f in site["forms"] if f["label"] != "as linked")
    if site["kind"] == "trampoline" or "table" in site:
        state = states.get(site.get("table", choice), state)
    return state


def main():
    listed, shown, bad, checked = read_list(sys.argv[1]), {}, 0, 0
    uses = listed_uses(sys.argv[1])
    for path in pathlib.Path(sys.argv[2]).glob("*.json"):
        for site in json.load(open(path))["shown"][0]["sites"]:
            shown[(path.stem, site["address"], site["kind"])] = site
    for dump in sys.argv[3:]:
        sites = read_dump(dump)
        states = dict(line.split()[1:3] for line in open(dump + ".states"))
        if set(sites) != set(listed):
            print(f"{dump}: only the runtime: {sorted(set(sites) - set(listed))}; only the tool: {sorted(set(listed) - set(sites))}")
            return 1
        if read_uses(dump + ".uses") != uses:
            print(f"{dump}: uses: {read_uses(dump + '.uses')}; the tool says {uses}")
            return 1
        for key, found in sites.items():
            names = {known_as(f[0]) for f in found}
            if names != choices_of(listed[key]):
                print(f"{dump}: {key}: choices {names}, the tool says {choices_of(listed[key])}")
                bad += 1
            site, forms = shown[key], shown[key]["forms"]
            label = expected_label(site, found[0], states)
            length = 2 * site["length"]
            match = [f for f in forms if label in labels_of(f)]
            if not match or not match[0]["known"]:
                continue
            checked += 1
            if match[0]["bytes"] != found[0][3][:length]:
                print(f"{dump}: {key} {found[0][0]}={label}: {found[0][3][:length]}, the tool says {match[0]['bytes']}")
                bad += 1
    print(f"{len(listed)} sites, {len(uses)} uses, {checked} of {len(listed) * len(sys.argv[3:])} bytes compared")
    return bad != 0


sys.exit(main())
