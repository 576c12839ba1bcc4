/* SPDX-License-Identifier: MIT */
/*
 * log.h - log statements. Each is a use of its key and is switched alone, or with others, while the server serves:
 *
 *	net_dbg("accepted connection %d", fd);
 *
 * LOGD_LOG is what the engine is compiled with, three times, so that it can be measured what statements cost: 0 without
 * them; 1 as per-use keys; 2 behind one flag in memory, which is what programs do today.
 */
#ifndef LOGD_LOG_H
#define LOGD_LOG_H

#include <relink/relink.h>

RELINK_DECLARE_KEY(net_debug);
RELINK_DECLARE_KEY(parse_debug);
RELINK_DECLARE_KEY(table_debug);
RELINK_DECLARE_KEY(command_debug);

void log_line(const char *format, ...) __attribute__((format(printf, 1, 2), cold));
int log_open(const char *path); /* 0, or errno; without it lines are counted and go to /dev/null */
unsigned long log_lines(void);

extern int log_flag;

#ifndef LOGD_LOG
#define LOGD_LOG 1
#endif
#if LOGD_LOG == 0
#define LOGD_STATEMENT(key, ...) do { if (0) log_line(__VA_ARGS__); } while (0)
#elif LOGD_LOG == 1
#define LOGD_STATEMENT(key, ...) relink_log_here(key, log_line, __VA_ARGS__)
#else
#define LOGD_STATEMENT(key, ...) \
	do { \
		if (__builtin_expect(__atomic_load_n(&log_flag, __ATOMIC_RELAXED), 0)) \
			log_line(__VA_ARGS__); \
	} while (0)
#endif

#define net_dbg(...) LOGD_STATEMENT(net_debug, __VA_ARGS__)
#define parse_dbg(...) LOGD_STATEMENT(parse_debug, __VA_ARGS__)
#define table_dbg(...) LOGD_STATEMENT(table_debug, __VA_ARGS__)
#define command_dbg(...) LOGD_STATEMENT(command_debug, __VA_ARGS__)

#endif
