# SPDX-License-Identifier: MIT
"""Sizes of the sections of a 64-bit little-endian ELF file."""
import struct


def section_sizes(path):
	with open(path, "rb") as file:
		header = file.read(64)
		offset, = struct.unpack_from("<Q", header, 40)
		entry, count, names_index = struct.unpack_from("<HHH", header, 58)
		file.seek(offset)
		table = file.read(entry * count)
		sections = [struct.unpack_from("<IIQQQQ", table, i * entry) for i in range(count)]
		file.seek(sections[names_index][4])
		names = file.read(sections[names_index][5])
	return {names[s[0]:names.index(b"\0", s[0])].decode(): s[5] for s in sections}
