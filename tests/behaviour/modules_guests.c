/* SPDX-License-Identifier: MIT */
/* test: NO_RELOCS */
/*
 * modules_guests.c - a program that knows nothing of relink loads plugins that do. The runtime of the first serves the second too, and
 * stays when its module is closed.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define RELINK_INTERNAL /* the declarations alone: this program is no module */
#include "modules/modules.h"

static const char *const paths[] = {
	RELINK_TEST_PLUGINS "/modules_guest_shared.so",
	RELINK_TEST_PLUGINS "/modules_guest_static.so",
};

static const struct plugin *open_plugin(const char *path, void **module)
{
	*module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!CHECKF(*module, "dlopen: %s", dlerror()))
		exit(1);
	return dlsym(*module, "plugin");
}

static bool is_loaded(const char *path)
{
	void *module = dlopen(path, RTLD_NOW | RTLD_NOLOAD);

	if (module)
		dlclose(module);
	return module != NULL;
}

/* A module that has to stay keeps its choices, so names alone are not enough. */
static void set(const struct plugin *p, const char *path, const char *choice, const char *state)
{
	struct relink_error err = { .code = 0 };
	const char *file = strrchr(path, '/') + 1;
	char name[128];

	snprintf(name, sizeof(name), "%s:%s", file, choice);
	CHECKF(p->set(name, state, &err) == 0, "%s=%s: %s", name, state, err.text);
}

static void change(const struct plugin *p, const char *path, bool on)
{
	set(p, path, "plug_key", on ? "on" : "off");
	set(p, path, "plug_own", on ? "own_two" : "own_one");
	CHECK(p->own_key() == on && p->own(7) == (on ? 2 : 1));
}

/* The first goes, the second comes, the first comes again. */
static void one_after_the_other(const char *first, const char *second)
{
	void *a, *b;
	const struct plugin *p = open_plugin(first, &a);

	CHECK(p->modules() == 1 && p->early && p->committed == 0);
	change(p, first, true);
	CHECK(dlclose(a) == 0);
	for (unsigned i = 0; i < 50; i++) {
		p = open_plugin(second, &b);
		change(p, second, true);
		change(p, second, false);
		CHECK(dlclose(b) == 0 && !is_loaded(second));
	}
	p = open_plugin(first, &a);
	change(p, first, false);
	CHECK(dlclose(a) == 0);
}

static void in_child(const char *first, const char *second)
{
	pid_t child = fork();
	int status = -1;

	if (!child) {
		one_after_the_other(first, second);
		exit(check_failed_ != 0);
	}
	waitpid(child, &status, 0);
	CHECKF(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s first: the child ended with %#x", first, status);
}

int main(void)
{
	in_child(paths[0], paths[1]);
	in_child(paths[1], paths[0]);
	return check_done();
}
