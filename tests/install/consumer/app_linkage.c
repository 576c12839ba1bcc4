/* SPDX-License-Identifier: MIT */
/* A program whose calls between libraries are bound before main. */
#include <stdio.h>
#include <string.h>

#include <relink/relink.h>

static int count(const struct relink_linkage_info *info, void *ctx)
{
	*(uint64_t *)ctx += info->slots;
	return 0;
}

int main(void)
{
	struct relink_linkage_status status = { .size = sizeof(status) };
	uint64_t slots = 0;

	if (relink_each_linkage(&status, count, &slots) < 0 || status.policy != RELINK_LINKAGE_HOT || !slots) {
		printf("policy %d, %llu slots: %s\n", status.policy, (unsigned long long)slots, status.notes);
		return 1;
	}
	return status.notes[0] != '\0';
}
