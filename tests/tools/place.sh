#!/bin/bash
# SPDX-License-Identifier: MIT
# Placement: programs of every kind and their libraries are near each other, and see nothing else of it; where it can't be done they run as
# ever, and the reason is told. place.sh RUN: the program that calls place_exec.
set -uo pipefail

RELINK_SANITIZE=${RELINK_SANITIZE:-}
run=$1
src=$RELINK_SOURCE/tests/tools
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
[ "$(uname -m)" = x86_64 ] || exit 77
chmod 755 "$tmp"
cd "$tmp" || exit 1
failed=0
wrong() {
	echo "$*"
	failed=1
}
skipped() {
	echo "not tested: $*"
}

# ---- programs ----

build() {
	"$CC" -O1 -g -D_GNU_SOURCE "$@" || exit 1
}
build -shared -fPIC -DLIBRARY "$src/place_subject.c" -o libplace.so
lib=(-L. -lplace "-Wl,-rpath,$tmp" -ldl)
cp libplace.so liblater.so
subject=$src/place_subject.c
build -pie -fPIE "$subject" -o pie "${lib[@]}"
build -no-pie -fno-pie "$subject" -o fixed "${lib[@]}"
build -pie -fPIE -Wl,-z,now -Wl,-z,noseparate-code "$subject" -o pie_noseparate "${lib[@]}"
build -pie -fPIE -Wl,-z,max-page-size=0x200000 "$subject" -o pie_2m "${lib[@]}"
build -no-pie -fno-pie -Wl,-z,max-page-size=0x200000 "$subject" -o fixed_2m "${lib[@]}"
build -no-pie -fno-pie -Wl,-Ttext-segment=0x8000000 "$subject" -o fixed_high "${lib[@]}"
build -static -DALONE "$subject" -o static_fixed
build -static-pie -fPIE -DALONE "$subject" -o static_pie
placed="pie fixed pie_noseparate pie_2m fixed_2m fixed_high"
for linker in lld mold; do
	for compiler in gcc clang; do
		"$compiler" -fuse-ld=$linker -O1 -D_GNU_SOURCE -pie -fPIE "$subject" -o pie_${compiler}_$linker "${lib[@]}" 2>/dev/null || continue
		placed+=" pie_${compiler}_$linker"
	done
done

# `how` goes in front of everything.
how=()
# outcome OUTCOME NEAR-OR-FAR PROGRAM OPTIONS-OF-RUN...
outcome() {
	local words=$1 place=$2 program=$3 got
	shift 3
	got=$("${how[@]}" "$run" "$@" "$program" note 2>&1)
	[ "$words" = near ] && words= || words="why=$words"
	case $got in
	"|$place") [ -z "$words" ] || wrong "$program ($* ${how[*]}): expected $words, got nothing" ;;
	"${words:-none}"*"|$place") ;;
	*) wrong "$program ($* ${how[*]}): expected $words and $place, got $got" ;;
	esac
}
# facts_of OPTIONS-OF-RUN... PROGRAM: the same with and without
same_facts() {
	"${how[@]}" "$run" -n "$@" facts 'an argument' '' >plain 2>&1 </dev/null
	"${how[@]}" "$run" "$@" facts 'an argument' '' >near 2>&1 </dev/null
	[ "$(wc -l <plain)" -gt 40 ] || wrong "facts are missing: $* $(cat plain)"
	cmp -s plain near || wrong "facts differ ($* ${how[*]}): $(diff plain near)"
	! grep -q wrong near || wrong "the kernel was told wrong things: $(grep wrong near)"
}

all_kinds() {
	for program in $placed; do
		outcome near near ./"$program"
		same_facts ./"$program"
		[ "$("${how[@]}" "$run" ./"$program" sum)" = "$(./"$program" sum)" ] || wrong "$program: another sum (${how[*]})"
		grown=$("${how[@]}" "$run" ./"$program" brk)
		[ "$grown" -ge 1024 ] || wrong "$program: the heap grows by $grown MiB only (${how[*]})"
	done
}
# Layouts: with random places, without, with mappings that grow upwards, and with a stack that may take half a terabyte.
all_kinds
if setarch -R true 2>/dev/null; then
	how=(setarch -R)
	all_kinds
	how=(setarch -L)
	outcome near near ./pie
	outcome "the kernel maps libraries from below" far ./fixed
	same_facts ./pie
	same_facts ./fixed
else
	skipped "setarch -R is not allowed"
fi
how=()
for stack in unlimited 536870912; do
	if (ulimit -s $stack) 2>/dev/null; then
		how=(bash -c "ulimit -s $stack; exec \"\$@\"" -)
		for program in pie fixed; do
			outcome near near ./$program
			same_facts ./$program
		done
	else
		skipped "a stack of $stack"
	fi
done
how=()
# Libraries that are opened later go where they always go: there the executable is, if it could be moved.
[ "$("$run" ./pie later)" = near ] || wrong "a library that is opened later is not near: $("$run" ./pie later)"
[ "$("$run" ./fixed later)" = far ] || wrong "a library that is opened later is near a fixed program: $("$run" ./fixed later)"
# Without either, libraries are where the kernel puts them: the test of the test.
[[ $("$run" -n ./pie note) == *"|far" ]] || wrong "a program is near its libraries without placement"
[[ $("$run" -n ./fixed note) == *"|far" ]] || wrong "a fixed program is near its libraries without placement"

# Places are as random as before, and as fixed.
places() {
	for i in $(seq 20); do
		"${how[@]}" "$run" "./$1" where
	done | sort -u | wc -l
}
how=()
if [ "$(cat /proc/sys/kernel/randomize_va_space)" = 2 ]; then
	for program in pie fixed; do
		[ "$(places $program)" -ge 18 ] || wrong "$program: its library is at $(places $program) places only in 20 runs"
	done
	if setarch -R true 2>/dev/null; then
		how=(setarch -R)
		for program in pie fixed; do
			[ "$(places $program)" = 1 ] || wrong "$program: its library is at $(places $program) places without random ones"
		done
		how=()
	fi
fi

# ---- processes ----

for option in "" -r "-i 17" "-i 13" "-p 17" "-p 10" "-p 15" "-i 1"; do
	for program in pie fixed; do
		# shellcheck disable=SC2086
		same_facts $option ./$program
		# shellcheck disable=SC2086
		outcome near near ./$program $option
	done
done
for option in "-i 5" "-p 5"; do
	# shellcheck disable=SC2086
	outcome near near ./pie $option
	# shellcheck disable=SC2086
	outcome "it blocks or ignores SIGTRAP" far ./fixed $option
	# shellcheck disable=SC2086
	same_facts $option ./pie
	# shellcheck disable=SC2086
	same_facts $option ./fixed
done
for status in 0 1 77 255; do
	for program in pie fixed; do
		"$run" ./$program status $status
		[ $? -eq $status ] || wrong "$program: another exit status than $status"
	done
done
for program in pie fixed; do
	mkfifo ready
	"$run" ./$program wait >ready &
	pid=$!
	read -r line <ready
	rm ready
	[ "$line" = ready ] || wrong "$program does not start"
	[ "$(readlink /proc/$pid/exe)" = "$tmp/$program" ] || wrong "$program has another pid, or file"
	[ "$(cat /proc/$pid/comm)" = "$program" ] || wrong "$program has another name"
	[ "$(awk '/^TracerPid/{print $2}' /proc/$pid/status)" = 0 ] || wrong "$program is traced"
	kill -USR1 $pid
	wait $pid
	[ $? -eq 138 ] || wrong "$program: SIGUSR1 does not end it"
done

# Whoever reads the program's output sees its end when it ends.
for program in pie fixed; do
	[ "$(timeout 20 "$run" ./$program sum | wc -l)" = 1 ] || wrong "$program: its pipe stays open"
done

# ---- scripts, and what is no program ----

printf '#!%s\n' "$tmp/pie note" >script
printf '#!%s\n' "$tmp/missing" >script_missing
printf 'just text\n' >text
: >empty
chmod +x script script_missing text empty
case $("$run" ./script) in
"|near") ;;
*) wrong "a script's interpreter is not placed" ;;
esac
for program in script_missing text empty missing; do
	got=$("$run" ./$program 2>&1)
	status=$?
	want=$("$run" -n ./$program 2>&1)
	[ $status -eq 127 ] && [ "$got" = "$want" ] || wrong "$program: status $status, $got; without placement $want"
done
head -c 400 pie >short
head -c 64 /dev/urandom >noise
chmod +x short noise
for program in short noise; do
	"$run" ./$program sum >out 2>&1
	[ $? -ne 0 ] || wrong "$program runs"
done

# ---- where it can't be done ----

outcome "it is static" near ./static_fixed
outcome "it is static" near ./static_pie
for program in static_fixed static_pie; do
	same_facts ./$program
done
loader=$(file -b pie 2>/dev/null | sed -n 's/.*interpreter \([^,]*\),.*/\1/p')
if [ -n "$loader" ]; then
	case $("$run" "$loader" ./pie note) in
	"why=it is static"*) ;;
	*) wrong "the loader as a program" ;;
	esac
fi
outcome "it is traced already" far ./pie -t
outcome "it is traced already" far ./fixed -t
cp pie privileged
chmod u+s privileged
outcome "its file gives privileges" far ./privileged
if command -v setcap >/dev/null && cp pie capable && setcap cap_net_raw+ep capable 2>/dev/null; then
	outcome "its file gives privileges" far ./capable
else
	skipped "file capabilities can't be set"
fi
calls="ptrace:101 mremap:25 prctl:157 socketpair:53 clone:56 mprotect:10"
for call in $calls; do
	for how_filtered in -e -k; do
		number=${call#*:}
		# The loader itself needs mprotect; and a refused clone kills no helper but the process itself.
		case $how_filtered$number in -k10 | -k53 | -k56 | -k157 | -e10) continue ;; esac
		got=$("$run" $how_filtered $number ./pie note 2>&1)
		case $got in
		"|"*) wrong "with $call filtered ($how_filtered) it is placed: $got" ;;
		"why="*"|far") ;;
		*) wrong "with $call filtered ($how_filtered): $got" ;;
		esac
	done
done
outcome "it can't be traced: Operation not permitted" far ./pie -e 101
outcome "the helper process ended early (a filter" far ./pie -k 101
outcome "the helper process ended early (a filter" far ./pie -k 25
outcome "mappings can't be moved here" far ./pie -e 25
outcome "the kernel does not let programs say where they are" far ./fixed -e 157
outcome "no process can be made: Operation not permitted" far ./pie -e 56
outcome "no socket can be made: Operation not permitted" far ./pie -e 53
for program in pie fixed; do
	same_facts -e 101 ./$program
done
if [ "$RELINK_SANITIZE" != address ]; then # whose own memory would not fit
	outcome near near ./pie -a 0x10000000
	outcome "the address space around it can't be reserved" far ./fixed -a 0x10000000
	same_facts -a 0x10000000 ./pie
	same_facts -a 0x10000000 ./fixed
fi
# A 32-bit program, which needs no library for that: it writes its environment from the note on.
cat >small.s <<'END'
.globl _start
_start:
	mov (%esp), %ecx
	lea 8(%esp,%ecx,4), %esi
next:	lodsl
	test %eax, %eax
	jz done
	cmpl $0x43414c50, (%eax)
	jne next
	mov %eax, %ecx
	mov $4, %eax
	mov $1, %ebx
	mov $60, %edx
	int $0x80
done:	mov $1, %eax
	mov $7, %ebx
	int $0x80
END
if "$CC" -m32 -nostdlib -static -no-pie small.s -o small 2>/dev/null && { ./small; [ $? -eq 7 ]; }; then
	got=$("$run" ./small)
	[ $? -eq 7 ] || wrong "a 32-bit program does not run"
	[[ $got == "PLACE_NOTE=all,why=not an x86-64 program"* ]] || wrong "a 32-bit program: $got"
else
	skipped "no 32-bit programs here"
fi
if unshare -m mount -t tmpfs none /proc 2>/dev/null; then
	got=$(unshare -m sh -c 'mount -t tmpfs none /proc; exec "$@"' - "$run" /usr/bin/env | grep ^PLACE_NOTE)
	[[ $got == "PLACE_NOTE=all,why=there is no /proc,"* ]] || wrong "without /proc: $got"
else
	skipped "nothing can be mounted over /proc"
fi
if unshare -fp true 2>/dev/null; then
	case $(unshare -fp "$run" ./pie note) in
	"why=it is process 1"*"|far") ;;
	*) wrong "process 1 of a namespace: $(unshare -fp "$run" ./pie note)" ;;
	esac
else
	skipped "no new PID namespace"
fi
if [ "$(id -u)" = 0 ] && setpriv --reuid 65534 --regid 65534 --clear-groups true 2>/dev/null; then
	cp "$run" run_copy && chmod 755 run_copy
	cp pie secret && chmod 711 secret
	how=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	run=./run_copy
	outcome near near ./pie
	outcome near near ./fixed
	same_facts ./pie
	same_facts ./fixed
	outcome "its file can't be read" far ./secret
	how=()
	run=$1
else
	skipped "another user"
fi

# ---- loaders ----

for program in pie fixed; do
	cp $program orphan
	mv libplace.so away.so
	"$run" -n ./orphan sum >plain 2>&1
	status=$?
	"$run" ./orphan sum >near 2>&1
	[ $? -eq $status ] && cmp -s plain near || wrong "$program without its library: $(cat near)"
	mv away.so libplace.so
	"$run" -s LD_TRACE_LOADED_OBJECTS=1 ./$program >out || wrong "$program: the loader's list"
	grep -q 'libplace.so => ' out || wrong "$program: the loader's list: $(cat out)"
done
# One that never says its state: its symbol leads elsewhere. Its libraries are near; the heap has to grow again.
if command -v python3 >/dev/null && [ -n "$loader" ] && python3 - "$loader" <<'END'; then
import struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
shoff, = struct.unpack_from("<Q", data, 40)
shentsize, shnum = struct.unpack_from("<HH", data, 58)
sections = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * shentsize) for i in range(shnum)]
symbols = next(s for s in sections if s[1] == 11)
names = sections[symbols[6]]
for at in range(symbols[4], symbols[4] + symbols[5], 24):
    name, = struct.unpack_from("<I", data, at)
    if data[names[4] + name:].startswith(b"_r_debug\0"):
        value, = struct.unpack_from("<Q", data, at + 8)
        struct.pack_into("<Q", data, at + 8, (value & ~4095) + 4096 - 64)
        open("silent.so", "wb").write(data)
END
	chmod +x silent.so
	build -no-pie -fno-pie "$subject" -o silent "${lib[@]}" -Wl,--dynamic-linker="$tmp/silent.so"
	if ./silent sum >/dev/null; then
		outcome near near ./silent
		[ "$("$run" ./silent brk)" -ge 1024 ] || wrong "a silent loader: the heap does not grow"
	else
		skipped "a loader that does not say its state can't be made here"
	fi
else
	skipped "a loader that does not say its state"
fi
# Libraries that are too large for the room near a fixed program go elsewhere; where they could not, nothing is tried.
cat >large.c <<'END'
static char large[900l << 20];
char *NAME(void);
char *NAME(void)
{
	return large;
}
END
cat >uses_large.c <<'END'
char *large1(void), *large2(void), *large3(void);
int main(void)
{
	*large1() = *large2() = *large3() = 1;
	return *large1() - 1;
}
END
for i in 1 2 3; do
	build -shared -fPIC -DNAME=large$i large.c -o liblarge$i.so
done
build -no-pie -fno-pie uses_large.c -o uses_large -L. -llarge1 -llarge2 -llarge3 -Wl,-rpath,"$tmp"
for i in $(seq 10); do
	"$run" ./uses_large || wrong "large libraries find no room"
done
if setarch -R true 2>/dev/null; then
	setarch -R "$run" ./uses_large || wrong "large libraries find no room without random places"
	how=(setarch -R bash -c 'ulimit -s 8192; ulimit -Hs 8192; exec "$@"' -)
	outcome "libraries that are too large to be near" far ./fixed
	outcome near near ./pie
	how=()
fi
# Long environments and arguments.
long=$(head -c 100000 /dev/zero | tr '\0' a)
for i in $(seq 300); do
	export "PLACE_LONG_$i=$i"
done
export PLACE_LONG=$long
# shellcheck disable=SC2046
for program in pie fixed; do
	[ "$("$run" ./$program sum 0 $(seq 3000) "$long")" = "$(./$program sum)" ] || wrong "$program with a long environment"
	outcome near near ./$program
done
# shellcheck disable=SC2046
unset PLACE_LONG $(seq -f PLACE_LONG_%.0f 300)
deep=$tmp
for i in $(seq 12); do
	deep+=/$(printf 'd%.0s' $(seq 200))
done
if mkdir -p "$deep"; then
	cp pie fixed "$deep"
	outcome near near "$deep/pie"
	outcome near near "$deep/fixed"
fi

# ---- two hundred in a row ----

for i in $(seq 100); do
	outcome near near ./pie
	outcome near near ./fixed
	[ $failed -eq 0 ] || break
done
exit $failed
