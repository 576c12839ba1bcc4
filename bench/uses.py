#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes source files with log statements, as programs have them.

usage: uses.py FILES OUT_DIRECTORY

Each file has a hundred functions of ten statements: a thousand uses."""
import os
import sys

files, out = int(sys.argv[1]), sys.argv[2]
for f in range(files):
	with open(os.path.join(out, f"uses-{f}.c"), "w") as file:
		file.write("/* written by uses.py */\n#include \"uses.h\"\n\n")
		for function in range(100):
			file.write(f"void uses_{f}_{function}(int x);\nvoid uses_{f}_{function}(int x)\n{{\n")
			for n in range(10):
				file.write(f"\tuses_dbg(\"file {f}, function {function}: step {n} of %d has been taken\\n\", x);\n")
			file.write("}\n\n")
		file.write(f"void uses_{f}(int x);\nvoid uses_{f}(int x)\n{{\n")
		for function in range(100):
			file.write(f"\tuses_{f}_{function}(x);\n")
		file.write("}\n")
with open(os.path.join(out, "uses-all.c"), "w") as file:
	file.write("/* written by uses.py */\n#include \"uses.h\"\n\n")
	for f in range(files):
		file.write(f"void uses_{f}(int x);\n")
	file.write("const unsigned long uses_count = %d;\n\nvoid uses_all(int x)\n{\n" % (1000 * files))
	for f in range(files):
		file.write(f"\tuses_{f}(x);\n")
	file.write("\t(void)x;\n}\n")
