/* SPDX-License-Identifier: MIT */
/*
 * agent_files.c - relinks when a configuration file changes.
 *
 * Editors write in several steps. So it is waited until nothing has happened for a moment, and a file is read only if it is
 * another than the one that was read last, or is written still.
 */
#include <string.h>
#include <unistd.h>

#include "runtime/agent.h"

#define QUIET_MS 30
#define LONGEST_MS 300

static void watch(void)
{
	const char *paths[RL_CONFIG_FILES];
	int before = rl_agent.files;
	bool all;

	for (size_t i = 0; i < RL_CONFIG_FILES; i++)
		paths[i] = rl_config_files[i];
	rl_agent.files = rl_mark_own(rl_watch_files(paths, RL_CONFIG_FILES, &all));
	rl_close_own(before);
}

/* Has one changed since it was looked at last? */
static bool take_signs(void)
{
	bool changed = false;

	for (size_t i = 0; i < RL_CONFIG_FILES; i++) {
		struct rl_file_sign sign = { 0 };

		if (*rl_config_files[i])
			sign = rl_file_sign(rl_config_files[i]);
		changed |= memcmp(&sign, &rl_agent.signs[i], sizeof(sign)) != 0;
		rl_agent.signs[i] = sign;
	}
	return changed;
}

/* What changed between start-up and now would not be seen: they are read once more in any case. */
void rl_agent_files_start(void)
{
	rl_agent.files_read = false;
	watch();
	if (rl_agent.files < 0)
		rl_remark("changes of configuration files won't be noticed: no inotify instance is left (fs.inotify.max_user_instances)");
	rl_agent.files_due = rl_agent_now();
}

void rl_agent_files_stop(void)
{
	rl_close_own(rl_agent.files);
	rl_agent.files = -1;
}

void rl_agent_files_event(void)
{
	uint64_t now = rl_agent_now();

	rl_watch_drain(rl_agent.files);
	if (!rl_agent.files_first)
		rl_agent.files_first = now;
	rl_agent.files_due = now + QUIET_MS;
	if (rl_agent.files_due > rl_agent.files_first + LONGEST_MS)
		rl_agent.files_due = rl_agent.files_first + LONGEST_MS;
}

int rl_agent_files_timeout(void)
{
	uint64_t now = rl_agent_now();

	if (!rl_agent.files_due)
		return -1;
	return rl_agent.files_due > now ? (int)(rl_agent.files_due - now) : 0;
}

/* The watch is set up first: what happens later is an event again. */
void rl_agent_files_turn(void)
{
	if (rl_agent_files_timeout() != 0)
		return;
	if (rl_agent.files_first)
		watch();
	if ((take_signs() || !rl_agent.files_read) && rl_reload_files(NULL) == RELINK_E_CONTEXT && rl_agent_must_leave()) {
		rl_agent.files_read = false;
		return;
	}
	rl_agent.files_read = true;
	rl_agent.files_due = rl_agent.files_first = 0;
}
