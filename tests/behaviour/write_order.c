/* SPDX-License-Identifier: MIT */
/* test: LINK -Wl,--emit-relocs -Wl,-z,now TIMEOUT 60 NOT thread generic */
/*
 * write_order.c - the protocols as the kernel sees them: which bytes of which sites each commit writes, and where between these
 * writes every thread is made to serialise itself. Another process watches the committer's calls of pwrite64 and membarrier,
 * and at each of them what stores have changed in the page that mprotect has made writable.
 *
 * A commit is told as one word per barrier and kind of write. Writes between two barriers have no order among themselves.
 *
 *	|   membarrier(PRIVATE_EXPEDITED_SYNC_CORE)
 *	K   a branch of a key      !  int3 on the first byte
 *	C   a call                 ~  the first byte of a trampoline leads through the slot
 *	J   a tail call            1  another first byte
 *	T   a trampoline           r  the rest, and not the first byte
 *	                           w  first byte and rest, in one store of an aligned word
 *	                           a  first byte and rest, in any other way
 */
#include "stress.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#if RELINK_PATCHES_ && defined(SECCOMP_USER_NOTIF_FLAG_CONTINUE)

#define SYNC_CORE (1 << 5)

/* ---- what the watcher writes down; shared ---- */

struct call {
	uint64_t number, address, length, at; /* of membarrier: its command as address; a store counts as one of mprotect */
};
static struct {
	unsigned count;
	uint64_t used;
	bool overflow;
	struct call calls[512];
	uint8_t bytes[1 << 20];
} *record;

/* ---- the watcher ---- */

#define WORD sizeof(uint64_t)
#define PAGE 4096u

static struct {
	uint64_t address; /* of the page that is writable; 0: none */
	uint64_t words[PAGE / WORD];
} writable;

static bool read_page(pid_t pid, uint64_t address, uint64_t *words)
{
	struct iovec here = { words, PAGE }, there = { (void *)(uintptr_t)address, PAGE };

	return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)PAGE;
}

static void note_store(uint64_t address, uint64_t word)
{
	if (record->count == COUNT(record->calls) || record->used + WORD > sizeof(record->bytes)) {
		record->overflow = true;
		return;
	}
	memcpy(record->bytes + record->used, &word, WORD);
	record->calls[record->count++] = (struct call){ SYS_mprotect, address, WORD, record->used };
	record->used += WORD;
}

/* What pwrite64 has brought is among it: that is known by then. */
static void note_stores(pid_t pid)
{
	uint64_t now[PAGE / WORD];

	if (!writable.address)
		return;
	if (!read_page(pid, writable.address, now)) {
		record->overflow = true;
		return;
	}
	for (unsigned i = 0; i < COUNT(now); i++)
		if (now[i] != writable.words[i])
			note_store(writable.address + i * WORD, now[i]);
	memcpy(writable.words, now, sizeof(now));
}

static void note_protection(pid_t pid, const struct seccomp_data *data)
{
	if ((data->args[2] & (PROT_WRITE | PROT_EXEC)) == (PROT_WRITE | PROT_EXEC)) {
		record->overflow |= writable.address != 0 || data->args[1] != PAGE;
		writable.address = data->args[0];
		record->overflow |= !read_page(pid, writable.address, writable.words);
	} else if (data->args[0] == writable.address) {
		writable.address = 0;
	}
}

static void note_call(pid_t pid, const struct seccomp_data *data)
{
	struct call *call = &record->calls[record->count];
	uint64_t length = data->nr == SYS_pwrite64 ? data->args[2] : 0;
	struct iovec here = { record->bytes + record->used, length }, there = { (void *)(uintptr_t)data->args[1], length };

	if (record->count == COUNT(record->calls) || record->used + length > sizeof(record->bytes) ||
	    (length && process_vm_readv(pid, &here, 1, &there, 1, 0) != (ssize_t)length)) {
		record->overflow = true;
		return;
	}
	*call = (struct call){ (uint64_t)data->nr, length ? data->args[3] : data->args[0], length, record->used };
	record->used += length;
	record->count++;
}

static void watch_call(int listener)
{
	struct seccomp_notif asked;
	struct seccomp_notif_resp answer = { 0 };

	memset(&asked, 0, sizeof(asked));
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0)
		return;
	note_stores((pid_t)asked.pid);
	if (asked.data.nr == SYS_mprotect)
		note_protection((pid_t)asked.pid, &asked.data);
	else
		note_call((pid_t)asked.pid, &asked.data);
	answer.id = asked.id;
	answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

/* The committer's exit status. */
static int watch(int listener, pid_t committer)
{
	struct pollfd ready = { .fd = listener, .events = POLLIN };
	int status;

	while (waitpid(committer, &status, WNOHANG) == 0)
		if (poll(&ready, 1, 100) > 0 && (ready.revents & POLLIN))
			watch_call(listener);
		else if (ready.revents)
			usleep(1000);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* ---- the filter, and its way to the watcher ---- */

static int listen_to_calls(void)
{
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pwrite64, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { COUNT(program), program };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
}

union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

static bool send_descriptor(int to, int descriptor)
{
	char byte = 0;
	struct iovec data = { &byte, 1 };
	union control control;
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };

	memset(&control, 0, sizeof(control));
	if (descriptor >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control.space);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &descriptor, sizeof(descriptor));
	}
	return sendmsg(to, &message, 0) == 1 && descriptor >= 0;
}

static int receive_descriptor(int from)
{
	char byte;
	int descriptor = -1;
	struct iovec data = { &byte, 1 };
	union control control;
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control.space) };
	struct cmsghdr *header;

	if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_type == SCM_RIGHTS)
		memcpy(&descriptor, CMSG_DATA(header), sizeof(descriptor));
	return descriptor;
}

/* ---- what changes: sites at places that are known, targets whose distance changes three bytes ---- */

RELINK_DECLARE_CALL(unsigned, fits, (unsigned x));
RELINK_DECLARE_CALL(unsigned, crosses, (unsigned x));
RELINK_DECLARE_CALL(unsigned, tail, (unsigned x));
RELINK_DECLARE_CALL(void, effect, (unsigned x));
RELINK_DECLARE_CALL(void, effect_tail, (unsigned x));
RELINK_KEY_FALSE(flag, "one byte");

extern unsigned one(unsigned x), two(unsigned x);
extern void void_one(unsigned x), void_two(unsigned x);
__asm__(".pushsection .text\n"
	".globl one, two, void_one, void_two\n"
	".hidden one, two, void_one, void_two\n"
	"one: lea 1(%rdi), %eax\n\tret\n\t.skip 0x12345 - 4\n"
	"two: lea 2(%rdi), %eax\n\tret\n"
	"void_one: ret\n\t.skip 0x12345 - 1\n"
	"void_two: ret\n"
	".popsection");
RELINK_DEFINE_CALL(fits, one, "a call inside an aligned word");
RELINK_VARIANT(fits, two);
RELINK_VARIANT_CONST(fits, seven, 7);
RELINK_DEFINE_CALL(crosses, one, "a call across two words");
RELINK_VARIANT(crosses, two);
RELINK_DEFINE_CALL(tail, one, "a tail call inside an aligned word");
RELINK_VARIANT(tail, two);
RELINK_DEFINE_CALL_NULL(effect, "a call inside an aligned word");
RELINK_VARIANT(effect, void_one);
RELINK_VARIANT(effect, void_two);
RELINK_DEFINE_CALL_NULL(effect_tail, "a tail call inside an aligned word");
RELINK_VARIANT(effect_tail, void_one);
RELINK_VARIANT(effect_tail, void_two);

/* The instruction starts `at` bytes after a multiple of 64. */
#define CALL_SITE(name, at) \
	".balign 64\ncall_" #name ": sub $8, %rsp\n\t.skip " #at " - 4, 0x90\n\tcall " #name "\n\tadd $8, %rsp\n\tret\n"
#define TAIL_SITE(name, at) ".balign 64\ntail_" #name ": .skip " #at ", 0x90\n\tjmp " #name "\n"
extern unsigned call_fits(unsigned x), call_crosses(unsigned x), tail_tail(unsigned x);
extern void call_effect(unsigned x), tail_effect_tail(unsigned x);
__asm__(".pushsection .text\n" CALL_SITE(fits, 8) CALL_SITE(crosses, 6) TAIL_SITE(tail, 8) CALL_SITE(effect, 8)
	TAIL_SITE(effect_tail, 8) ".popsection");

static __attribute__((noinline)) unsigned branch(void)
{
	return relink_unlikely(flag) ? 1 : 0;
}

/* ---- from calls of the kernel to words ---- */

#define LONGEST 6

static struct place {
	uintptr_t address;
	char letter;
	uint8_t length, now[LONGEST];
} places[64];
static unsigned place_count;

static int add_place(const struct relink_site_info *site, void *unused)
{
	static const char letters[] = { [RELINK_SITE_BRANCH] = 'K', [RELINK_SITE_CALL] = 'C', [RELINK_SITE_TAIL] = 'J',
					[RELINK_SITE_JCC] = 'X', [RELINK_SITE_TRAMPOLINE] = 'T' };
	struct place *p = &places[place_count];

	(void)unused;
	if (place_count == COUNT(places))
		return 1;
	p->address = site->address;
	p->letter = letters[site->kind];
	p->length = site->kind == RELINK_SITE_JCC ? 6 : 5;
	place_count++;
	return 0;
}

static char part_of(const struct call *call, const struct place *p, bool first, bool rest)
{
	if (call->number == SYS_mprotect)
		return 'w';
	if (rest)
		return first ? 'a' : 'r';
	return p->now[0] == 0xcc ? '!' : p->letter == 'T' && p->now[0] == 0xa9 ? '~' : '1';
}

/* What a write changes of a site, or 0. */
static char follow(const struct call *call, struct place *p)
{
	const uint8_t *bytes = record->bytes + call->at;
	bool first = false, rest = false;

	for (unsigned i = 0; i < p->length; i++) {
		uintptr_t at = p->address + i - call->address; /* before it: huge */

		if (at >= call->length || p->now[i] == bytes[at])
			continue;
		first |= i == 0;
		rest |= i != 0;
		p->now[i] = bytes[at];
	}
	return first || rest ? part_of(call, p, first, rest) : '\0';
}

/* Between two barriers: the set of all letters with all parts, in the order of the alphabet. */
static bool seen[128][128];

static void tell(char *text, size_t size)
{
	for (int letter = 0; letter < 128; letter++)
		for (int part = 0; part < 128; part++) {
			size_t used = strlen(text);

			if (seen[letter][part])
				snprintf(text + used, size - used, "%s%c%c", used ? " " : "", letter, part);
			seen[letter][part] = false;
		}
}

static void tell_call(const struct call *call, char *text, size_t size)
{
	if (call->number != SYS_membarrier) {
		for (unsigned i = 0; i < place_count; i++)
			seen[(int)places[i].letter][(int)follow(call, &places[i])] = true;
		for (int letter = 0; letter < 128; letter++)
			seen[letter][0] = false;
		return;
	}
	tell(text, size);
	strncat(text, !*text ? "" : " ", size - strlen(text) - 1);
	strncat(text, call->address == SYNC_CORE ? "|" : "?", size - strlen(text) - 1);
}

static void tell_commit(char *text, size_t size)
{
	*text = '\0';
	for (unsigned i = 0; i < record->count; i++)
		tell_call(&record->calls[i], text, size);
	tell(text, size);
}

/* ---- the protocols ---- */

static int mode = RELINK_LIVE;

#define SET(what, choice, state) \
	static int what(struct relink_error *err) \
	{ \
		struct relink_commit c = RELINK_COMMIT; \
		relink_set(&c, choice, state); \
		return relink_commit(&c, mode, err); \
	}
SET(flag_on, "flag", "on")
SET(flag_off, "flag", "off")
SET(fits_one, "fits", "one")
SET(fits_two, "fits", "two")
SET(fits_seven, "fits", "seven")
SET(crosses_one, "crosses", "one")
SET(crosses_two, "crosses", "two")
SET(tail_one, "tail", "one")
SET(tail_two, "tail", "two")
SET(effect_null, "effect", "null")
SET(effect_one, "effect", "void_one")
SET(effect_two, "effect", "void_two")
SET(effect_tail_null, "effect_tail", "null")
SET(effect_tail_one, "effect_tail", "void_one")
SET(effect_tail_two, "effect_tail", "void_two")

static int several(struct relink_error *err)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set(&c, "flag", "on");
	relink_set(&c, "fits", "two");
	relink_set(&c, "effect", "null");
	return relink_commit(&c, mode, err);
}

typedef int change(struct relink_error *err);
enum way { START_UP, LIVE, TRAPS, STRICT, WAYS };
static const char *const way_names[] = { "start-up", "live", "traps", "strict" };

/*
 * Alone, a barrier reaches nobody and the kernel answers at once: it is for who was not seen. int3 for a byte without a rest has a
 * barrier more than it needs.
 */
static const struct row {
	const char *name;
	change *before[3], *change;
	const char *words[WAYS];
} rows[] = {
	{ "a key on", { flag_off }, flag_on, { "K1 |", "K1 |", "K1 |", "K! | | K1 |" } },
	{ "a key off", { flag_on }, flag_off, { "K1 |", "K1 |", "K1 |", "K! | | K1 |" } },
	{ "nothing", { flag_on }, flag_on, { "", "", "", "" } },
	{ "a call in a word", { fits_one }, fits_two,
	  { "Cr Tr |", "T~ | Tr | Cw T1 |", "T~ | Tr | Cw T1 |", "C! T! | Cr Tr | C1 T1 |" } },
	{ "a call in a word, to a constant", { fits_one }, fits_seven,
	  { "Ca Tr |", "T~ | Tr | Cw T1 |", "T~ | Tr | Cw T1 |", "C! T! | Cr Tr | C1 T1 |" } },
	{ "a call in a word, from a constant", { fits_seven }, fits_one,
	  { "Ca Tr |", "T~ | Tr | Cw T1 |", "T~ | Tr | Cw T1 |", "C! T! | Cr Tr | C1 T1 |" } },
	/* without traps it waits on its trampoline */
	{ "a call across words", { crosses_one }, crosses_two,
	  { "Tr |", "T~ | Tr | T1 |", "C! T~ | Cr Tr | C1 T1 |", "C! T! | Cr Tr | C1 T1 |" } },
	{ "a tail call", { tail_one }, tail_two,
	  { "Jr Tr |", "T~ | Tr | Jw T1 |", "T~ | Tr | Jw T1 |", "J! T! | Jr Tr | J1 T1 |" } },
	{ "a call, to NULL", { effect_one }, effect_null, { "C1 T1 |", "C1 T1 |", "C1 T1 |", "C! T! | | C1 T1 |" } },
	{ "a call, back from NULL", { effect_one, effect_null }, effect_one, { "C1 T1 |", "C1 T1 |", "C1 T1 |", "C! T! | | C1 T1 |" } },
	{ "a call, from NULL to another", { effect_one, effect_null }, effect_two,
	  { "Ca Ta |", "Cr Tr | C1 T1 |", "Cr Tr | C1 T1 |", "C! T! | Cr Tr | C1 T1 |" } },
	{ "a tail call, to NULL", { effect_tail_one }, effect_tail_null, { "J1 T1 |", "J1 T1 |", "J1 T1 |", "J! T! | | J1 T1 |" } },
	{ "a tail call, from NULL to another", { effect_tail_one, effect_tail_null }, effect_tail_two,
	  { "Ja Ta |", "Jr Tr | J1 T1 |", "Jr Tr | J1 T1 |", "J! T! | Jr Tr | J1 T1 |" } },
	{ "several choices", { flag_off, fits_one, effect_one }, several,
	  { "C1 Cr K1 T1 Tr |", "T~ | Tr | C1 Cw K1 T1 |", "T~ | Tr | C1 Cw K1 T1 |", "C! K! T! | Cr Tr | C1 K1 T1 |" } },
};

static void check_row(const struct row *row, enum way way)
{
	struct relink_error err;
	char words[256];

	for (unsigned i = 0; i < COUNT(row->before) && row->before[i]; i++)
		CHECK_CODE(row->before[i](&err), RELINK_OK, &err);
	for (unsigned i = 0; i < place_count; i++)
		memcpy(places[i].now, (const void *)places[i].address, places[i].length);
	record->count = 0;
	record->used = 0;
	CHECK_CODE(row->change(&err), RELINK_OK, &err);
	tell_commit(words, sizeof(words));
	CHECKF(!strcmp(words, row->words[way]), "%s, %s: \"%s\", want \"%s\"", row->name, way_names[way], words, row->words[way]);
	for (unsigned i = 0; i < place_count; i++)
		CHECKF(!memcmp(places[i].now, (const void *)places[i].address, places[i].length), "%s: a write was not seen", row->name);
	CHECK(!record->overflow);
}

static void check_rows(enum way way)
{
	for (unsigned i = 0; i < COUNT(rows); i++)
		check_row(&rows[i], way);
}

/* Copies all pages, so that none has to be prepared. */
static void warm_up(void)
{
	struct relink_error err;

	for (unsigned i = 0; i < COUNT(rows); i++) {
		for (unsigned k = 0; k < COUNT(rows[i].before) && rows[i].before[k]; k++)
			CHECK_CODE(rows[i].before[k](&err), RELINK_OK, &err);
		CHECK_CODE(rows[i].change(&err), RELINK_OK, &err);
	}
}

static void *bystander(void *unused)
{
	while (running())
		sleep_for(1e-3);
	return unused;
}

static int commit_all(void)
{
	struct relink_error err;

	CHECK(relink_each_site(add_place, NULL) == 0 && place_count > 10);
	CHECK(branch() == 0 && call_fits(0) == 1 && call_crosses(0) == 1 && tail_tail(0) == 1);
	mode = RELINK_STARTUP;
	warm_up();
	check_rows(START_UP);
	mode = RELINK_LIVE;
	start(bystander, NULL);
	warm_up();
	check_rows(LIVE);
	CHECK_CODE(relink_declare(RELINK_TRAPS, &err), RELINK_OK, &err);
	warm_up();
	check_rows(TRAPS);
	CHECK_CODE(relink_declare(RELINK_STRICT_XMC, &err), RELINK_OK, &err);
	check_rows(STRICT);
	finish();
	return check_done();
}

int main(void)
{
	int ends[2], listener, status;
	pid_t committer;

	if (!check_allow_stores())
		check_skip("code can't be written by stores here");
	record = mmap(NULL, sizeof(*record), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!CHECK(record != MAP_FAILED && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0))
		return check_done();
	committer = fork();
	if (!committer) {
		close(ends[0]);
		if (!send_descriptor(ends[1], listen_to_calls()))
			_exit(77);
		status = commit_all();
		fflush(stdout);
		_exit(status);
	}
	close(ends[1]);
	listener = receive_descriptor(ends[0]);
	if (listener < 0) {
		waitpid(committer, NULL, 0);
		check_skip("no seccomp filter can ask another process here (Linux 5.5)");
	}
	return watch(listener, committer);
}

#else

int main(void)
{
	check_skip("this port rewrites no code, or kernel headers are older than Linux 5.5");
}

#endif
