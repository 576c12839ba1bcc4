// test: FLAGS -fPIC -O2
/* SPDX-License-Identifier: MIT */
/* A plugin with pointers of its own, static, hidden and exported, which also calls through one of the program's. */
#include <relink/relink.h>

static int first(int x)
{
	return x + 1;
}

static int second(int x)
{
	return x + 2;
}

RELINK_POINTER static int (*guest_static)(int) = first;
RELINK_POINTER_INFO(guest_static, "static", RELINK_FINAL);
RELINK_POINTER __attribute__((visibility("hidden"))) int (*guest_hidden)(int) = first;
RELINK_POINTER_INFO(guest_hidden, "hidden", RELINK_FINAL);
RELINK_POINTER int (*guest_exported)(int) = first;
RELINK_POINTER_INFO(guest_exported, "exported", RELINK_FINAL);

extern int (*host_pointer)(int);

static void __attribute__((constructor)) assign(void)
{
	guest_static = second;
}

/* 1000: static; 100: hidden; 10: exported; 1: the program's. */
int guest_look(void);
int guest_look(void)
{
	return 1000 * guest_static(0) + 100 * guest_hidden(0) + 10 * guest_exported(0) + host_pointer(0);
}

void guest_assign(void);
void guest_assign(void)
{
	guest_hidden = second;
}

int guest_set(int to_second, int mode, struct relink_error *err);
int guest_set(int to_second, int mode, struct relink_error *err)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set_pointer(&c, guest_hidden, to_second ? second : first);
	relink_set_pointer(&c, guest_exported, to_second ? second : first);
	return relink_commit(&c, mode, err);
}

int guest_function(int x);
int guest_function(int x)
{
	return x + 7;
}
