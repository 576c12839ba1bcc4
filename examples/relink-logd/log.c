/* SPDX-License-Identifier: MIT */
/* log.c - where log lines go, and their keys. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "log.h"

RELINK_KEY_FALSE(net_debug, "connections: accepted, read, answered, closed");
RELINK_KEY_FALSE(parse_debug, "requests, as they are taken apart");
RELINK_KEY_FALSE(table_debug, "the table: where entries are found, made, moved");
RELINK_KEY_FALSE(command_debug, "what commands do");

int log_flag;
static int fd = -1;
static unsigned long lines;

int log_open(const char *path)
{
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	return fd < 0 ? errno : 0;
}

/* One write per line, so that lines of several threads do not mix. */
void log_line(const char *format, ...)
{
	char line[512];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	if (n > (int)sizeof(line) - 2)
		n = (int)sizeof(line) - 2;
	line[n++] = '\n';
	if (fd >= 0 && write(fd, line, (size_t)n) < 0)
		return;
	__atomic_fetch_add(&lines, 1, __ATOMIC_RELAXED);
}

unsigned long log_lines(void)
{
	return __atomic_load_n(&lines, __ATOMIC_RELAXED);
}
