# SPDX-License-Identifier: MIT
"""process.py LIST.json SITES STATES: is what the tool reads from a process what its runtime says?

Every site that the runtime knows is listed with the bytes that the process itself has read there. What is bound is in the state of its choice;
choices are in their state.
"""
import json
import sys


def read_sites(path):
    for line in open(path):
        module, address, kind, choice, reason, state, data = line.split()
        yield (module, address, kind), choice, int(reason), state, data


def main():
    listed, choices, bad, checked = {}, {}, 0, 0
    for file in json.load(open(sys.argv[1]))["files"]:
        for site in file["sites"]:
            listed.setdefault((file["module"].replace(" (deleted)", ""), site["address"], site["kind"]), site)
        choices.update({c["name"]: c["now"] for c in file["choices"] if not c["elsewhere"] and not c["anonymous"]})
    states = dict(line.split()[1:3] for line in open(sys.argv[3]))
    for name, state in states.items():
        if choices.get(name) not in (None, state) and not state.startswith("0x"):
            print(f"{name} is {state}, the tool says {choices[name]}")
            bad += 1
    for key, choice, reason, state, data in read_sites(sys.argv[2]):
        site = listed.pop(key, None)
        if site is None:
            if key[2] != "alternative":  # listed by the runtime once for every key
                print(f"{key} {choice} is not listed")
                bad += 1
            continue
        if not data.startswith(site["now_bytes"]):
            print(f"{key}: {data}, the tool says {site['now_bytes']}")
            bad += 1
        state = states.get(site.get("table", choice), state)
        said = site["now"].split("|")
        if state.startswith("0x"):  # a pointer to a function whose name the runtime can't find out
            continue
        if reason == 0 and key[2] != "alternative" and state not in ("-", "native") and state not in said:
            print(f"{key} {choice} is {state}, the tool says {site['now']}")
            bad += 1
        checked += 1
    if listed:
        print(f"only the tool: {sorted(listed)}")
        bad += 1
    print(f"{checked} sites, {len(choices)} choices")
    return bad != 0


sys.exit(main())
