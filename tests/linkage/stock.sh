#!/bin/bash
# SPDX-License-Identifier: MIT
# test: TIMEOUT 300
# stock.sh - programs of the distribution, as they are: the same output with relink, cold, warm, and with every call bound. RELINK_ALL_ROWS=1: the larger
# ones, too.
. "$RELINK_SOURCE/tests/linkage/lib.sh"

# stock LEAST MODULE PROG [ARG]...: or skipped.
stock() {
	[ -x "$3" ] || command -v "$3" >/dev/null || { skip "$3: it is not installed"; return; }
	same "$@"
}

cd "$work" || exit 1
export LC_ALL=C PERL_HASH_SEED=0 PYTHONHASHSEED=0 GIT_CONFIG_NOSYSTEM=1 HOME=$work
seq 1 20000 | sed 's/.*/& line & of a text that is somewhat longer/' >text
modes="cold warm all"

stock 50 'libsqlite3.*' sqlite3 :memory: 'create table t(a integer primary key, b text); create index i on t(b);
	insert into t with recursive c(x) as (select 1 union all select x+1 from c where x<6000) select x, hex(x*7919 % 6007) from c;
	select count(*), sum(a), min(b), max(b), group_concat(b) from (select * from t where b like "%3%" order by b limit 50);'
stock 1 'libcrypto.*' openssl dgst -sha256 text
stock 1 'libcrypto.*' openssl enc -aes-128-cbc -K 000102030405060708090a0b0c0d0e0f -iv 00000000000000000000000000000000 -in text -a
stock 0 '' perl -e 'my %h; for (1..60000) { $h{$_ % 997} .= chr(65 + $_ % 26); } print length(join "", map { "$_$h{$_}" } sort keys %h), "\n"; print "$1\n" if "abc" x 99 =~ /(c.{50})/'
stock all=1 'libexpat.*\|libz.*\|libc.*' /usr/bin/python3 -S -c 'import zlib, json; d = {str(i): [i, i * 0.5, "x" * (i % 9)] for i in range(4000)}
print(zlib.crc32(json.dumps(d).encode()), zlib.crc32(zlib.compress(b"text" * 9999)))'
git init -q repo 2>/dev/null && (cd repo && for i in 1 2 3; do
	head -$((i * 400)) ../text >file && git add file && GIT_AUTHOR_DATE="@$i +0000" GIT_COMMITTER_DATE="@$i +0000" git -c user.name=a -c user.email=b commit -qm "$i"
done)
stock 0 '' git -C repo log -p --stat
printf '#include <stdio.h>\nint main(void) { for (int i = 0; i < 9; i++) printf("%%d\\n", i * i); return 0; }\n' >a.c
options=(--children)
stock - '' gcc -O2 -S -o /dev/stdout a.c
options=()
stock all=1 'libc.*' sort -k4 -r text
stock 0 '' /bin/bash -c 'x=; for ((i = 0; i < 3000; i++)); do x=$x$((i % 7)); done; echo ${x//3/four}; echo $(echo in a child)'

[ -n "${RELINK_ALL_ROWS:-}" ] || finish

modes=$all_modes
printf 'class A : Object { public int x { get; set; } public string f (string s) { return "%%d %%s".printf (x, s); } }\nvoid main () { var a = new A (); a.x = 3; print (a.f ("y")); }\n' >a.vala
stock 1 'lib.*' valac -C --pkg gio-2.0 a.vala
stock 1 'libcrypto.*' openssl ciphers -v ALL
stock 1 'libcrypto.*' openssl dgst -sha3-512 /usr/bin/openssl
stock 0 '' /usr/bin/python3 -c 'import unittest, decimal, re, xml.dom.minidom as m, sqlite3, ssl, ctypes, threading, subprocess
print(m.parseString("<a>" + "<b x=\"1\"/>" * 3000 + "</a>").toxml()[-40:], decimal.Decimal(2).sqrt(), re.sub("a+", "b", "aab" * 2000)[:20])
c = sqlite3.connect(":memory:"); print(c.execute("select sqlite_version() > \"3\"").fetchall()); t = [threading.Thread(target=print, args=(i,)) for i in range(1)]; [x.start() for x in t]; [x.join() for x in t]
print(subprocess.run(["echo", "child"], capture_output=True).stdout)'
stock 0 '' perl -MPOSIX -MStorable -e 'print length(Storable::freeze([map { { a => $_, b => "x" x $_ } } 1..3000])), POSIX::strftime("%Y", gmtime(0)), "\n"; print qx(echo child)'
stock 0 '' git -C repo fsck --full
stock 0 '' git -C repo repack -adq
stock 0 '' xz -9 -c text
stock 0 '' gzip -9 -n -c text
stock 0 '' tar -cf - --mtime=@0 --sort=name repo/file
stock 0 '' find /usr/include -name 's*.h'
stock 0 '' grep -rc define /usr/include/linux/if.h
stock 0 '' objdump -d /bin/true
stock 0 '' readelf -aW /bin/true
options=(--children)
stock - '' gcc -O2 -g -c -o /dev/null "$RELINK_SOURCE/src/core/plan.c" -I"$RELINK_SOURCE/src" -I"$RELINK_SOURCE/include"
stock - '' clang -O2 -S -o - a.c
stock - '' cmake --version
finish
