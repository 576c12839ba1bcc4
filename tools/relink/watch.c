/* SPDX-License-Identifier: MIT */
/*
 * watch.c - relink watch: the choices of a running process as they change, on one screen, or a line each where no terminal
 * is. What changed last stands on top. Plain control sequences: every terminal of today knows these few.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

static const char help[] =
	"usage: relink watch [OPTION]... PID\n\n"
	"Shows the choices of a running process and who decides, live; what changed last is on top. It needs an agent:\n"
	"RELINK_AGENT=1. On a terminal q quits, the arrow keys, j, k, space and b scroll; elsewhere each change is a line.\n\n"
	"      --json         an object a line for each change, as relink-agent(7) describes them\n"
	"      --color WHEN   auto, always or never\n\n"
	"Exit status: 0, 1 the process has ended, 2 bad use, or no such process.\n";

#define NEW_S 3 /* how long a change stands out */

struct row {
	struct row *next; /* of the same hash */
	char *name, *state, *by, *asked;
	unsigned long changed; /* 0: not since we look */
	time_t when;
};

#define HASHES 4096

struct view {
	struct client client;
	bool json, screen, ready, refresh;
	struct row *hashes[HASHES];
	struct row **rows;
	size_t count, room, top;
	unsigned long changes;
};

/* ---- rows ---- */

static unsigned hash_of(const char *name)
{
	unsigned h = 5381;

	while (*name)
		h = h * 33 + (unsigned char)*name++;
	return h % HASHES;
}

static struct row *find_row(struct view *v, const char *name)
{
	struct row **bucket = &v->hashes[hash_of(name)], *r;

	for (r = *bucket; r && strcmp(r->name, name); r = r->next)
		;
	if (r)
		return r;
	if (v->count == v->room) {
		size_t room = v->room ? 2 * v->room : 256;
		struct row **grown = realloc(v->rows, room * sizeof(*grown));

		if (!grown)
			return NULL;
		v->rows = grown;
		v->room = room;
	}
	r = calloc(1, sizeof(*r));
	if (!r || !(r->name = strdup(name))) {
		free(r);
		return NULL;
	}
	r->next = *bucket;
	*bucket = r;
	v->rows[v->count++] = r;
	return r;
}

static void free_row(struct row *r)
{
	free(r->name);
	free(r->state);
	free(r->by);
	free(r->asked);
	free(r);
}

static void free_rows(struct view *v)
{
	for (size_t i = 0; i < v->count; i++)
		free_row(v->rows[i]);
	free(v->rows);
	memset(v->hashes, 0, sizeof(v->hashes));
	v->rows = NULL;
	v->count = v->room = 0;
}

/* True: it is another than before. */
static bool replace(char **text, const char *with)
{
	if (*text && !strcmp(*text, with))
		return false;
	free(*text);
	*text = strdup(with);
	return true;
}

/* ---- lines ---- */

static void print_line(const struct row *r, const char *before)
{
	char clock[16];
	time_t now = time(NULL);
	struct tm tm;

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&now, &tm));
	text_put(DIM, "%s ", clock);
	text_put(GREEN, "%s", r->name);
	text_put(PLAIN, ": %s%s", before && strcmp(before, r->state) ? before : "", before && strcmp(before, r->state) ? " -> " : "");
	text_put(CYAN, "%s", r->state);
	text_put(PLAIN, " by %s%s%s\n", r->by, *r->asked ? "; asked: " : "", r->asked);
	fflush(stdout);
}

static void take_choice(struct view *v, const json_t *line)
{
	char *name, *asked, *before;
	struct row *r;
	bool changed;

	name = text_format("%s%s%s", value_text(line, "module"), *value_text(line, "module") ? ":" : "", value_text(line, "choice"));
	r = find_row(v, name);
	free(name);
	if (!r)
		return;
	asked = value_pairs(value_member(line, "asked"));
	before = r->state ? strdup(r->state) : NULL;
	changed = replace(&r->state, value_text(line, "state"));
	changed |= replace(&r->by, value_text(line, "decided_by"));
	changed |= replace(&r->asked, asked);
	free(asked);
	if (changed && v->ready) {
		r->changed = ++v->changes;
		r->when = time(NULL);
		if (!v->screen && !v->json && r->state && r->by && r->asked)
			print_line(r, before);
	}
	free(before);
}

static void take_line(struct view *v, const json_t *line)
{
	const char *event = value_text(line, "event");

	if (v->json && *event) {
		value_print(line);
		fflush(stdout);
	}
	if (!strcmp(event, "choice")) {
		take_choice(v, line);
	} else if (!strcmp(event, "ready")) {
		v->ready = true;
	} else if (!strcmp(event, "module-gone")) { /* its choices, too: ask for all of them */
		free_rows(v);
		v->ready = false;
		client_request(&v->client, "subscribe\n");
	}
	v->refresh = true;
}

/* ---- the screen ---- */

static struct termios normal;
static volatile sig_atomic_t resized, ended;

static void on_signal(int signal)
{
	if (signal == SIGWINCH)
		resized = 1;
	else
		ended = 1;
}

static void enter_screen(void)
{
	struct termios raw;

	tcgetattr(0, &normal);
	raw = normal;
	raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	tcsetattr(0, TCSAFLUSH, &raw);
	fputs("\033[?1049h\033[?25l", stdout);
}

static void leave_screen(void)
{
	fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	tcsetattr(0, TCSAFLUSH, &normal);
}

static void size_of_screen(unsigned *lines, unsigned *columns)
{
	struct winsize w;

	*lines = 24;
	*columns = 80;
	if (!ioctl(1, TIOCGWINSZ, &w) && w.ws_row > 2 && w.ws_col > 20) {
		*lines = w.ws_row;
		*columns = w.ws_col;
	}
}

static int later(const void *a, const void *b)
{
	const struct row *x = *(struct row *const *)a, *y = *(struct row *const *)b;

	if (x->changed != y->changed)
		return x->changed < y->changed ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* Cut at the screen's edge; what has more bytes than columns is cut too early, never too late. */
static void draw_row(const struct row *r, unsigned columns)
{
	char text[1024];

	snprintf(text, sizeof(text), "%-32.64s %-20.40s %-16s %s", r->name, r->state ? r->state : "", r->by ? r->by : "",
		 r->asked ? r->asked : "");
	if (columns < sizeof(text))
		text[columns] = 0;
	fputs(r->changed && time(NULL) - r->when < NEW_S ? "\033[7m" : r->changed ? "\033[1m" : "", stdout);
	text_put(PLAIN, "%s", text);
	fputs("\033[m\033[K\r\n", stdout);
}

static void draw(struct view *v)
{
	unsigned lines, columns;
	char head[400];

	size_of_screen(&lines, &columns);
	if (v->count)
		qsort(v->rows, v->count, sizeof(*v->rows), later);
	if (v->top + (lines - 2) > v->count)
		v->top = v->count > lines - 2 ? v->count - (lines - 2) : 0;
	snprintf(head, sizeof(head), "%s (%ld)  %zu choices, %lu changes  q quits", v->client.program, (long)v->client.process, v->count,
		 v->changes);
	if (columns < sizeof(head))
		head[columns] = 0;
	fputs("\033[H\033[1m", stdout);
	text_put(PLAIN, "%s", head);
	fputs("\033[m\033[K\r\n", stdout);
	for (size_t i = v->top; i < v->count && i < v->top + (lines - 2); i++)
		draw_row(v->rows[i], columns);
	fputs("\033[J", stdout);
	fflush(stdout);
	v->refresh = false;
}

static void scroll(struct view *v, long by)
{
	v->top = by < 0 && v->top < (size_t)-by ? 0 : v->top + (size_t)by;
	v->refresh = true;
}

/* False: quit. */
static bool take_keys(struct view *v)
{
	char keys[64];
	ssize_t n = read(0, keys, sizeof(keys));
	unsigned lines, columns;

	size_of_screen(&lines, &columns);
	if (n <= 0)
		return n < 0 && errno == EINTR;
	for (ssize_t i = 0; i < n; i++) {
		bool arrow = n - i >= 3 && keys[i] == '\033' && keys[i + 1] == '[';
		char key = arrow ? keys[i + 2] : keys[i];

		if (!arrow && (key == 'q' || key == 'Q'))
			return false;
		if (key == (arrow ? 'B' : 'j'))
			scroll(v, 1);
		else if (key == (arrow ? 'A' : 'k'))
			scroll(v, -1);
		else if (!arrow && (key == ' ' || key == 'b'))
			scroll(v, key == ' ' ? (long)lines - 2 : 2 - (long)lines);
		i += arrow ? 2 : 0;
	}
	return true;
}

/* ---- all together ---- */

/* Does a whole line wait in memory? */
static bool has_line(const struct client *c)
{
	return c->used > c->taken && memchr(c->data + c->taken, '\n', c->used - c->taken);
}

static int watch(struct view *v)
{
	struct pollfd polls[2] = { { .fd = v->client.descriptor, .events = POLLIN }, { .fd = v->screen ? 0 : -1, .events = POLLIN } };

	while (!ended) {
		const json_t *line;

		if (!has_line(&v->client)) {
			if (v->screen && (v->refresh || resized))
				draw(v);
			resized = 0;
			fflush(stdout);
			if (poll(polls, 2, v->screen && v->changes ? 1000 : -1) == 0)
				v->refresh = true; /* what was new is not any more */
			if (polls[1].revents && !take_keys(v))
				return STATUS_FINE;
			if (!polls[0].revents)
				continue;
		}
		line = client_line(&v->client);
		if (!line)
			return STATUS_REFUSED;
		take_line(v, line);
		polls[0].revents = polls[1].revents = 0;
	}
	return STATUS_FINE;
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGWINCH, &action, NULL);
}

/* What client_line says at the end belongs behind the screen, not on it. */
static int watch_on_screen(struct view *v)
{
	int status, copy = dup(2);
	FILE *kept = tmpfile();
	char text[512];

	if (kept)
		dup2(fileno(kept), 2);
	enter_screen();
	status = watch(v);
	leave_screen();
	if (copy >= 0)
		dup2(copy, 2);
	if (kept)
		for (rewind(kept); fgets(text, sizeof(text), kept);)
			fputs(text, stderr);
	return status;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = { COMMON_OPTIONS, { NULL, 0, NULL, 0 } };
	static struct view v;
	struct common common = { .json = false };
	pid_t process;
	int option, status = STATUS_BAD;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1)
		if (!common_option(&command_watch, &common, option, argv, &status))
			return status;
	if (!common_ready(&common, &status))
		return status;
	if (argc - optind != 1)
		return client_fail("watch: which process? see relink help watch");
	process = parse_process(argv[optind]);
	if (process < 0)
		return client_fail("watch: '%s' is no process's number; relink ps lists them", argv[optind]);
	if (!client_connect(&v.client, process, false) || !client_request(&v.client, "subscribe\n"))
		return STATUS_BAD;
	client_patience(&v.client, 0);
	v.json = common.json;
	v.screen = !v.json && isatty(0) && isatty(1);
	catch_signals();
	status = v.screen ? watch_on_screen(&v) : watch(&v);
	client_close(&v.client);
	free_rows(&v);
	return status;
}

const struct command command_watch = { "watch", help, run };
