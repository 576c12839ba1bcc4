#!/bin/bash
# SPDX-License-Identifier: MIT
# How `relink` is used and misused: exit statuses, one-line errors that name the file, JSON that is JSON, filters.
set -uo pipefail
if [ "${RELINK_SANITIZE:-}" = thread ]; then
	echo "skipped: what the thread sanitizer makes of the program has no lock prefixes and no tail calls"
	exit 77
fi

tool=$RELINK_TOOL
subject=$RELINK_TEST_BIN/tools.subject
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0
cd "$tmp" || exit 1

# check STATUS NAME COMMAND...: output in out and err
check() {
	local expected=$1 name=$2 status
	shift 2
	"$@" >out 2>err </dev/null
	status=$?
	if [ $status -ne "$expected" ]; then
		echo "$name: status $status, not $expected: $(head -n 3 err)"
		failed=1
	fi
}

# says FILE PATTERN NAME
says() {
	grep -qE -- "$2" "$1" || { echo "$3: no line like $2 in: $(head -n 5 "$1")"; failed=1; }
}

# one error line that names the file and why
refused() {
	check 2 "$1" "$tool" list "$2"
	says err "^relink: $2: $3" "$1"
	[ "$(wc -l <err)" -eq 1 ] || { echo "$1: more than one line: $(cat err)"; failed=1; }
	[ ! -s out ] || { echo "$1: writes something"; failed=1; }
}

is_json() {
	! command -v python3 >/dev/null || python3 -m json.tool <out >/dev/null || { echo "$1: no JSON"; failed=1; }
}

# ---- the program ----
check 0 help "$tool" --help
says out 'usage: relink COMMAND' help
for command in list show check index object bake ps status set watch; do
	check 0 "help $command" "$tool" help $command
	says out "usage: relink $command" "help $command"
	check 0 "$command --help" "$tool" $command --help
	[ $command = ps ] || check 2 "$command alone" "$tool" $command
	check 2 "$command --nonsense" "$tool" $command --nonsense "$subject"
	says err "^relink: $command: unknown option --nonsense" "$command --nonsense"
done
check 0 version "$tool" --version
says out '^relink [0-9]+\.' version
check 2 nothing "$tool"
check 2 'unknown command' "$tool" frobnicate
says err '^relink: there is no command frobnicate' 'unknown command'
check 2 'missing value' "$tool" list --kind
check 2 'unknown kind' "$tool" list --kind nonsense "$subject"
check 2 'unknown colour' "$tool" list --color sometimes "$subject"
if [ -e /dev/full ]; then
	"$tool" list "$subject" >/dev/full 2>err
	[ $? -eq 2 ] && grep -q "can't write" err || { echo "a full disk: $(cat err)"; failed=1; }
fi

# Long work shows how far it is, on a terminal alone.
if command -v script >/dev/null && [ "${RELINK_ARCH:-native}" = native ] && [ -z "${RELINK_SANITIZE:-}" ]; then
	cp "$subject" indexed && "$tool" index -q indexed || { echo "no index"; failed=1; }
	many=$(printf 'indexed %.0s' $(seq 3000))
	timeout 3 script -qec "$tool index -q $many" /dev/null </dev/null >out 2>&1
	grep -q 'relink: indexing [0-9]* of 3000' out || { echo "no progress: $(head -c 300 out)"; failed=1; }
	timeout 3 "$tool" index -q $many >out 2>&1 </dev/null
	[ ! -s out ] || { echo "progress where no terminal is: $(head -c 300 out)"; failed=1; }
fi

for page in "$RELINK_SOURCE"/man/*.[1-9]; do
	if command -v mandoc >/dev/null; then
		check 0 "$page" mandoc -T lint -W warning "$page"
	elif command -v groff >/dev/null; then
		groff -ww -mandoc -Tutf8 "$page" 2>err >/dev/null
		[ ! -s err ] || { echo "$page: $(head -n 3 err)"; failed=1; }
	fi
done

# ---- files that are none ----
refused 'no such file' missing 'No such file'
mkdir dir && refused 'a directory' dir 'a directory'
: >empty && refused 'an empty file' empty 'not an ELF file'
echo 'int main(void) { return 0; }' >t.c && refused 'a source file' t.c 'not an ELF file'
head -c 40 "$subject" >short && refused 'a header cut off' short 'the ELF header is cut off'
head -c 3000 "$subject" >cut && refused 'a file cut off' cut '.*(cut off|outside of the file)'
mkfifo fifo && refused 'a fifo' fifo 'not a regular file'
${CC:-cc} -c t.c -o t.o && refused 'an object' t.o 'an object file: link it first'
ar rc t.a t.o 2>/dev/null && refused 'an archive' t.a 'an archive'
# Foreign machines: class, data and machine of the header say who it is for.
foreign() {
	cp "$subject" "$1"
	printf "$2" | dd of="$1" bs=1 seek=4 conv=notrunc status=none
	printf "$3" | dd of="$1" bs=1 seek=18 conv=notrunc status=none
	refused "$1" "$1" "$4"
}
foreign i386 '\001\001' '\003\000' 'a 32-bit file for i386'
foreign x32 '\001\001' '\076\000' 'a 32-bit file for x32'
foreign arm '\001\001' '\050\000' 'a 32-bit file for ARM'
foreign aarch64 '\002\001' '\267\000' 'a file for AArch64'
foreign riscv64 '\002\001' '\363\000' 'a file for RISC-V'
foreign s390x '\002\002' '\000\026' 'a big-endian file for S/390'
foreign ppc64 '\002\002' '\000\025' 'a big-endian file for PowerPC64'
# Others are still listed.
check 2 'one of two' "$tool" list missing "$subject"
[ "${RELINK_ARCH:-native}" = generic ] || says out 'trace' 'one of two'

# ---- what is listed ----
check 0 'no relink' "$tool" list "$(type -P true)"
says out 'uses no relink' 'no relink'
check 0 list "$tool" list "$subject"
says out '^  idle +option +halt +halt poll sleep' list
says out '^  queues\[1\] +key +off' list
says out '^  limit +immediate +40000 +16-bit unsigned' list
says out '^  offset +immediate +-5 +32-bit signed' list
! grep -q $'[\t\033]' out || { echo "list: a control character of a file reaches the terminal"; failed=1; }
check 0 'uses of any port' "$tool" list --uses 'func uses' --json "$subject"
[ "$(grep -c '"data": '$([ "${RELINK_ARCH:-native}" = native ] && echo false || echo true) out)" -eq 3 ] ||
	{ echo "uses of any port: not three"; failed=1; }
check 0 'check of any port' "$tool" check "$subject"
check 0 'list --json' "$tool" list --json --sites "$subject"
is_json 'list --json'
[ "${RELINK_ARCH:-native}" = native ] || exit $failed

says out '"kind": "trampoline"' 'list --json'
check 0 'colours' "$tool" list --color always "$subject"
says out $'\033\\[32mtrace' colours
check 0 'list --choice' "$tool" list --choice 'queues*' --choice idle "$subject"
says out '^  idle ' 'list --choice'
! grep -q '^  trace ' out || { echo "list --choice: shows more"; failed=1; }
check 0 'list --kind' "$tool" list --sites --kind lock "$subject"
says out '0x[0-9a-f]+ +lock +locks' 'list --kind'
! grep -qE '0x[0-9a-f]+ +(branch|call)' out || { echo "list --kind: shows more"; failed=1; }
check 0 'list --function' "$tool" list --sites --function 'alternativ?' "$subject"
says out 'alternative +checks\|trace|alternative +trace\|checks' 'list --function'

check 0 'list --uses' "$tool" list --uses '' "$subject"
says out 'subject.c:[0-9]+ +uses +trace +off +0x[0-9a-f]+ +%d is negative' 'list --uses'
says out 'noted +checks +on +2 places +inlined "twice"\\t' 'list --uses'
says out '6 of 6 uses' 'list --uses'
check 0 'list --uses QUERY' "$tool" list --uses 'file tools/subject*.c func noted; key lib_* line 1-' "$subject"
says out '3 of 6 uses' 'list --uses QUERY'
check 0 'list --uses with --choice' "$tool" list --uses 'module tools.subject' --choice 'queues*' "$subject"
says out '1 of 6 uses' 'list --uses with --choice'
check 0 'no use' "$tool" list --uses 'func no_such' "$subject"
says out 'nothing matches' 'no use'
check 2 'a bad query' "$tool" list --uses 'lime 7' "$subject"
says err "query 1, character 1: no term is called 'lime'" 'a bad query'
check 2 'two queries' "$tool" list --uses '' --uses '' "$subject"
check 0 'list --uses --json' "$tool" list --uses '' --json "$subject"
is_json 'list --uses --json'
[ "$(grep -c '"data": false' out)" -eq 6 ] || { echo "list --uses --json: not six uses"; failed=1; }
check 0 'list --kind use' "$tool" list --sites --kind use "$subject"
says out '6 sites: 6 branch' 'list --kind use'
check 0 'list --function of a use' "$tool" list --sites --function noted --kind use "$subject"
says out '2 sites: 2 branch' 'list --function of a use'
cp "$subject" bare && strip bare
check 0 'uses of a stripped file' "$tool" list --sites --kind use bare
says out 'subject.c:[0-9]+' 'uses of a stripped file'
check 0 'show a use by its line' "$tool" show bare "$("$tool" list --sites --kind use bare | awk '$3 == "trace" { print $NF; exit }')"
says out '^    %d is negative' 'show a use by its line'

# As many as a large program has, in a time that nobody notices.
cat >many.c <<'END'
#include <relink/relink.h>
RELINK_KEY_FALSE(debug, "");
static const void *const word __attribute__((used)) = &debug;
static const char text[] __attribute__((used)) = "statement";
__asm__(".text\n\t.set n, 0\n\t.rept 100000\n\t.set n, n + 1\n1: .byte 0xa9\n\t.long 0\n\t"
	".pushsection relink_use_sites,\"a\",@progbits\n\t.balign 4\n\t.long 1b - .\n\t.long word - .\n\t.long text - .\n\t"
	".long text - .\n\t.long text - .\n\t.long n\n\t.popsection\n\t.endr\n\tret");
END
if ${CC:-cc} -I "$RELINK_SOURCE/include" -fPIC -nostdlib -shared many.c -o many.so 2>err; then
	check 0 'a hundred thousand uses' timeout 60 "$tool" list --uses 'line 50000-50009; format state* line 7' many.so
	says out '11 of 100000 uses' 'a hundred thousand uses'
	check 0 'a hundred thousand sites' timeout 60 "$tool" check many.so
else
	echo "many.c: $(head -n 3 err)"
	failed=1
fi

check 0 pointers "$tool" list --kind pointer "$subject"
says out '^  handler +pointer +handle_all +handle_all +.*1 pointer-tail.* final +what handles' pointers
says out '^  codec\+8 +pointer +handle_none ' pointers
says out 'pointer-address' pointers
check 0 'show a pointer' "$tool" show "$subject" handler
says out 'ff 15 .*67 e8' 'show a pointer'
says out 'ff 25 .*67 e9' 'show a pointer'
check 0 'pointers of a stripped file' "$tool" list --kind pointer bare
says out '^  handler +pointer ' 'pointers of a stripped file'
says out 'its calls are not known' 'pointers of a stripped file'

check 0 'show a choice' "$tool" show "$subject" trace
says out 'as linked, off +on' 'show a choice'
check 0 'show an address' "$tool" show --json "$subject" "$("$tool" list -s -k lock "$subject" | awk '$2 == "lock" { print $1; exit }')"
is_json 'show an address'
says out '"label": "as linked, on"' 'show an address'
check 0 'show a function' "$tool" show "$subject" conditional_tail
check 0 'show all' "$tool" show --json "$subject"
is_json 'show all'
check 2 'show nothing' "$tool" show "$subject" no_such_thing
says err 'there is no site, choice' 'show nothing'
cp "$subject" stripped && strip stripped
check 0 stripped "$tool" list --sites stripped
says out 'its calls are not known: it is stripped' stripped
exit $failed
