/* SPDX-License-Identifier: MIT */
/*
 * agent_json.c - what the agent writes is what the relink program reads, whatever the strings are.
 */
#include <stdio.h>
#include <stdint.h>
#include <string.h>

#include "runtime/json.h"

#include "value.h"

static unsigned long passed, failed;

#define CHECK(condition) ((condition) ? (void)passed++ : (failed++, (void)printf("%s:%d: FAILED %s\n", __FILE__, __LINE__, #condition)))

static char memory[4096];

static struct rl_json line(void)
{
	return (struct rl_json){ .data = memory, .room = sizeof(memory) };
}

static uint64_t state = 88172645463325252u;

static unsigned below(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state % n);
}

/* One string there and back. */
static bool returns(const char *text, const char *want)
{
	struct rl_json j = line();
	json_t *v;
	bool same;

	rl_json_begin(&j);
	rl_json_string(&j, "a", text);
	rl_json_signed(&j, "b", -12);
	rl_json_end(&j);
	memory[j.used] = 0;
	v = value_parse(memory, strlen(memory));
	same = v && !j.full && !strcmp(value_text(v, "a"), want) && value_number(v, "b") == -12;
	value_free(v);
	return same;
}

static void test_strings(void)
{
	CHECK(returns("", "") && returns("plain", "plain") && returns("\"\\/", "\"\\/"));
	CHECK(returns("\x01\x1f\x7f\n\t", "\x01\x1f\x7f\n\t"));
	CHECK(returns("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"));
	CHECK(returns("\xff", "\xef\xbf\xbd") && returns("\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd") && returns("\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"));
	CHECK(returns("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd") && returns("\xf4\x90\x80\x80",
		"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"));
}

static void same_as_key(const char *key, const json_t *member, void *ctx)
{
	*(int *)ctx += !strcmp(key, value_string(member));
}

static void test_random_strings(void)
{
	char text[64];
	int same;

	for (int i = 0; i < 20000; i++) {
		size_t n = below(sizeof(text) - 1);
		struct rl_json j = line();
		json_t *v;

		for (size_t k = 0; k < n; k++)
			text[k] = (char)(1 + below(255));
		text[n] = 0;
		rl_json_begin(&j);
		rl_json_string(&j, text, text);
		rl_json_end(&j);
		memory[j.used] = 0;
		v = value_parse(memory, strlen(memory));
		same = 0;
		value_each(v, same_as_key, &same);
		CHECK(same == 1);
		value_free(v);
	}
}

static void test_whole(void)
{
	struct rl_json j = line();
	json_t *v;

	rl_json_begin(&j);
	rl_json_string(&j, "none", NULL);
	rl_json_open(&j, "list", '[');
	for (int i = 0; i < 3; i++)
		rl_json_number(&j, NULL, (uint64_t)i);
	rl_json_close(&j, ']');
	rl_json_open(&j, "object", '{');
	rl_json_bool(&j, "yes", true);
	rl_json_close(&j, '}');
	rl_json_hex(&j, "at", 0xdeadbeef);
	rl_json_number(&j, "most", INT64_MAX);
	rl_json_end(&j);
	memory[j.used] = 0;
	CHECK(!strcmp(memory, "{\"none\":null,\"list\":[0,1,2],\"object\":{\"yes\":true},\"at\":\"0xdeadbeef\","
			      "\"most\":9223372036854775807}\n"));
	v = value_parse(memory, strlen(memory));
	CHECK(v && !strcmp(value_text(v, "none"), "") && value_count(value_member(v, "list")) == 3);
	CHECK(v && value_true(value_member(v, "object"), "yes") && value_number(v, "most") == INT64_MAX);
	value_free(v);
}

/* What does not fit is taken back as a whole. */
static void test_full(void)
{
	struct rl_json j = { .data = memory, .room = 20 };

	rl_json_begin(&j);
	rl_json_number(&j, "a", 1);
	rl_json_end(&j);
	CHECK(!j.full && j.used == 8);
	rl_json_begin(&j);
	rl_json_string(&j, "a", "much too long");
	rl_json_end(&j);
	CHECK(j.full);
	rl_json_rewind(&j, 8);
	CHECK(!j.full && j.used == 8);
}

int main(void)
{
	test_strings();
	test_random_strings();
	test_whole();
	test_full();
	printf("%lu passed, %lu failed\n", passed, failed);
	return failed != 0;
}
