# SPDX-License-Identifier: MIT
# Thin: CMake does the work (see CMakePresets.json), the scripts do the rest.

PRESETS ?=
PREFIX ?= /usr/local

.PHONY: help build deps demo check bench showcase soak install clean

help:
	@echo "make demo      build relink-scan and run it over this machine's files"
	@echo "make check     build with every compiler, sanitizer and port, run all tests (PRESETS=\"gcc asan\": only these)"
	@echo "make bench     measure; results in build/bench"
	@echo "make showcase  run programs of the distribution with and without relink run; results in build/showcase"
	@echo "make soak      run the stress tests for an hour (RELINK_SOAK_SECONDS=60: for a minute), then fuzz"
	@echo "               every reader of files and strings for ten minutes (RELINK_FUZZ_SECONDS)"
	@echo "make build     build the library, the examples and the tests in build/release"
	@echo "make install   install build/release (PREFIX=$(PREFIX), DESTDIR)"
	@echo "make clean     remove build/"

deps:
	@scripts/install-deps.sh

build: deps
	@cmake --preset release >/dev/null
	@cmake --build build/release

demo: deps
	@cmake --preset release >/dev/null
	@cmake --build build/release --target relink-scan
	@scripts/demo.sh

check: deps
	@scripts/check.sh $(PRESETS)

bench: deps
	@scripts/bench.sh

showcase: deps
	@scripts/showcase.sh

soak: deps
	@scripts/soak.sh

install: build
	@cmake --install build/release --prefix $(PREFIX)

clean:
	rm -rf build
