// test: VARIANTS "-O0" "-O2" "-O2 -fPIC"
/* SPDX-License-Identifier: MIT */
/* Static keys under the kernel's names: one test for each thing that its documentation says. */
#include <pthread.h>
#include <time.h>

#include "check.h"
#include <relink/linux.h>

#define CONFIG_PREFER 1
#define CONFIG_ZERO 0

DEFINE_STATIC_KEY_FALSE(key);
DEFINE_STATIC_KEY_TRUE(yes);
static DEFINE_STATIC_KEY_FALSE(local);
static DEFINE_STATIC_KEY_TRUE(local_yes);
DEFINE_STATIC_KEY_FALSE_RO(fixed);
DEFINE_STATIC_KEY_ARRAY_TRUE(trues, 3);
static DEFINE_STATIC_KEY_ARRAY_FALSE(falses, 4);
DEFINE_STATIC_KEY_MAYBE(CONFIG_PREFER, preferred);
DEFINE_STATIC_KEY_MAYBE(CONFIG_ZERO, zero);
DEFINE_STATIC_KEY_MAYBE(CONFIG_NOT_THERE, unknown);
DEFINE_STATIC_KEY_FALSE(fall_unlikely);
DEFINE_STATIC_KEY_FALSE(fall_likely);
DEFINE_STATIC_KEY_TRUE(true_unlikely);
DEFINE_STATIC_KEY_TRUE(true_likely);
static struct device {
	int number;
	struct static_key_false debug;
	struct static_key_true check;
} device = { 1, STATIC_KEY_FALSE_INIT, STATIC_KEY_TRUE_INIT };
static DEFINE_STATIC_KEY_DEFERRED_FALSE(slow, 0);
static DEFINE_STATIC_KEY_DEFERRED_TRUE(slow_yes, 20);

#define IS(key) \
	static __attribute__((noinline)) bool is_##key(void) \
	{ \
		bool unlikely = false, likely = false; \
		if (static_branch_unlikely(&key)) \
			unlikely = true; \
		if (static_branch_likely(&key)) \
			likely = true; \
		CHECK(unlikely == likely && likely == static_key_enabled(&key)); \
		return likely; \
	}
IS(key)
IS(yes)
IS(local)
IS(local_yes)
IS(fixed)
IS(preferred)
IS(zero)
IS(unknown)

static __attribute__((noinline)) bool is_fall_unlikely(void) { return static_branch_unlikely(&fall_unlikely); }
static __attribute__((noinline)) bool is_fall_likely(void) { return static_branch_likely(&fall_likely); }
static __attribute__((noinline)) bool is_true_unlikely(void) { return static_branch_unlikely(&true_unlikely); }
static __attribute__((noinline)) bool is_true_likely(void) { return static_branch_likely(&true_likely); }

static struct relink_error err;
static unsigned errors;

static void count_error(const struct relink_error *e, void *ctx)
{
	CHECK(ctx == &errors);
	errors++;
	err = *e;
}

/* Those since the last time, of which the last is `code`. */
static void check_errors(unsigned number, int code)
{
	CHECKF(errors == number && (!number || err.code == code), "%u errors, the last is %s", errors, relink_error_text(&err));
	CHECK(relink_linux_last_error(NULL) == (number ? code : 0) && relink_linux_last_error(NULL) == 0);
	errors = 0;
}

/* A key defined TRUE is true at first, one defined FALSE is false, wherever it is. */
static void test_initial(void)
{
	CHECK(!is_key() && is_yes() && !is_local() && is_local_yes() && !is_fixed());
	CHECK(!static_branch_unlikely(&device.debug) && static_branch_likely(&device.check));
	CHECK(static_key_count(&key) == 0 && static_key_count(&yes) == 1);
	CHECK(static_key_count(&key.key) == 0 && static_key_count(&yes.key) == 1 && static_key_enabled(&yes.key));
}

/* enable makes all branches true, disable false; doing so again changes nothing. */
static void test_enable_disable(void)
{
	for (int i = 0; i < 2; i++) {
		static_branch_enable(&key);
		static_branch_disable(&yes);
		CHECK(is_key() && !is_yes() && static_key_count(&key) == 1 && static_key_count(&yes) == 0);
	}
	for (int i = 0; i < 2; i++) {
		static_branch_disable(&key);
		static_branch_enable(&yes);
		CHECK(!is_key() && is_yes() && static_key_count(&key) == 0 && static_key_count(&yes) == 1);
	}
	check_errors(0, 0);
}

/* "if the key is initialized false, an inc will change the branch to true, and then a dec will again make the branch false" */
static void test_inc_dec_false(void)
{
	static_branch_inc(&key);
	CHECK(is_key() && static_key_count(&key) == 1);
	static_branch_dec(&key);
	CHECK(!is_key() && static_key_count(&key) == 0);
	check_errors(0, 0);
}

/* "if the key is initialized true, a dec will switch the branch to false, and a subsequent inc back to true" */
static void test_inc_dec_true(void)
{
	static_branch_dec(&yes);
	CHECK(!is_yes() && static_key_count(&yes) == 0);
	static_branch_inc(&yes);
	CHECK(is_yes() && static_key_count(&yes) == 1);
	check_errors(0, 0);
}

/* The branch is true while the count is not 0. */
static void test_counting(void)
{
	for (int i = 1; i <= 4; i++) {
		static_branch_inc(&key);
		static_branch_inc(&yes);
		CHECK(is_key() && is_yes() && static_key_count(&key) == i && static_key_count(&yes) == i + 1);
	}
	for (int i = 3; i >= 0; i--) {
		static_branch_dec(&key);
		static_branch_dec(&yes);
		CHECK(is_key() == (i > 0) && is_yes() && static_key_count(&key) == i && static_key_count(&yes) == i + 1);
	}
	check_errors(0, 0);
}

/* enable where the count is not 0 changes nothing; disable where it is above 1 is an error. */
static void test_enable_of_counted(void)
{
	static_branch_inc(&key);
	static_branch_inc(&key);
	static_branch_enable(&key);
	CHECK(is_key() && static_key_count(&key) == 2);
	check_errors(0, 0);
	static_branch_disable(&key);
	CHECK(is_key() && static_key_count(&key) == 2);
	check_errors(1, RELINK_E_COUNT);
	static_branch_dec(&key);
	static_branch_disable(&key);
	CHECK(!is_key() && static_key_count(&key) == 0);
	/* enable counts as one use */
	static_branch_enable(&key);
	static_branch_inc(&key);
	static_branch_dec(&key);
	CHECK(is_key() && static_key_count(&key) == 1);
	static_branch_dec(&key);
	CHECK(!is_key());
	check_errors(0, 0);
}

/* dec at 0 is a warning, and changes nothing. */
static void test_dec_below_zero(void)
{
	static_branch_dec(&key);
	CHECK(!is_key() && static_key_count(&key) == 0);
	check_errors(1, RELINK_E_COUNT);
	CHECK(!strcmp(err.choice, "key"));
	static_branch_dec(&yes);
	check_errors(0, 0);
	static_branch_dec(&yes);
	CHECK(!is_yes() && static_key_count(&yes) == 0);
	check_errors(1, RELINK_E_COUNT);
	static_branch_inc(&yes);
	CHECK(is_yes() && static_key_count(&yes) == 1);
	check_errors(0, 0);
}

/* "Where an array of keys is required": each element is a key of its own. */
static void test_arrays(void)
{
	CHECK(COUNT(trues) == 3 && COUNT(falses) == 4);
	CHECK(static_branch_likely(&trues[0]) && static_branch_likely(&trues[2]));
	CHECK(!static_branch_unlikely(&falses[0]) && !static_branch_unlikely(&falses[3]));
	static_branch_enable(&falses[3]);
	static_branch_dec(&trues[0]);
	CHECK(!static_branch_unlikely(&falses[0]) && !static_branch_unlikely(&falses[2]) && static_branch_unlikely(&falses[3]));
	CHECK(!static_branch_likely(&trues[0]) && static_branch_likely(&trues[1]) && static_branch_likely(&trues[2]));
	for (size_t i = 0; i < COUNT(falses); i++)
		CHECK(static_key_enabled(&falses[i]) == (i == 3));
	static_branch_disable(&falses[3]);
	static_branch_inc(&trues[0]);
	CHECK(!static_branch_unlikely(&falses[3]) && static_branch_likely(&trues[0]));
	check_errors(0, 0);
}

/* Keys in structs; the functions that take a struct static_key; the _cpuslocked forms. */
static void test_other_names(void)
{
	static_key_enable(&device.debug.key);
	static_key_slow_dec(&device.check.key);
	CHECK(static_branch_unlikely(&device.debug) && !static_branch_likely(&device.check));
	static_key_disable(&device.debug.key);
	static_key_slow_inc(&device.check.key);
	CHECK(!static_branch_unlikely(&device.debug) && static_branch_likely(&device.check));
	static_branch_enable_cpuslocked(&fixed);
	CHECK(is_fixed());
	static_branch_disable_cpuslocked(&fixed);
	static_key_enable_cpuslocked(&local.key);
	CHECK(!is_fixed() && is_local());
	static_key_disable_cpuslocked(&local.key);
	CHECK(!is_local());
	check_errors(0, 0);
}

/* The kind of a MAYBE key, and of static_branch_maybe, is what the configuration says. */
static void test_maybe(void)
{
	CHECK(is_preferred() && !is_zero() && !is_unknown());
	CHECK(static_branch_maybe(CONFIG_PREFER, &preferred) && !static_branch_maybe(CONFIG_ZERO, &zero));
	CHECK(!static_branch_maybe(CONFIG_NOT_THERE, &unknown) && static_branch_maybe(CONFIG_NOT_THERE, &preferred));
	CHECK(RELINK_IS_TRUE_KEY_(preferred) && !RELINK_IS_TRUE_KEY_(zero) && !RELINK_IS_TRUE_KEY_(unknown));
}

/* What the instruction of each branch is: the expected direction falls through, the other jumps. */
struct branch {
	const char *name;
	unsigned char opcode;
};

static int find_branch(const struct relink_site_info *site, void *ctx)
{
	struct branch *b = ctx;

	if (site->kind == RELINK_SITE_BRANCH && !strcmp(site->choice, b->name))
		b->opcode = *(const volatile unsigned char *)site->address;
	return 0;
}

static unsigned char opcode_of(const char *name)
{
	struct branch b = { name, 0 };

	relink_each_site(find_branch, &b);
	return b.opcode;
}

static void check_four(bool on, const char *when)
{
	unsigned char falls = 0xa9, jumps = 0xe9;

	CHECKF(is_fall_unlikely() == on && is_fall_likely() == on && is_true_unlikely() == on && is_true_likely() == on, "%s", when);
	if (!RELINK_PATCHES_)
		return;
	CHECKF(opcode_of("fall_unlikely") == (on ? jumps : falls), "%s: unlikely, false at first: %02x", when, opcode_of("fall_unlikely"));
	CHECKF(opcode_of("true_unlikely") == (on ? jumps : falls), "%s: unlikely, true at first: %02x", when, opcode_of("true_unlikely"));
	CHECKF(opcode_of("fall_likely") == (on ? falls : jumps), "%s: likely, false at first: %02x", when, opcode_of("fall_likely"));
	CHECKF(opcode_of("true_likely") == (on ? falls : jumps), "%s: likely, true at first: %02x", when, opcode_of("true_likely"));
}

/* "Keys defined via TRUE or FALSE may be used in either likely or unlikely": four kinds, each in both states. */
static void test_four_kinds(void)
{
	static_branch_enable(&fall_unlikely);
	static_branch_enable(&fall_likely);
	check_four(true, "all on");
	static_branch_disable(&fall_unlikely);
	static_branch_disable(&fall_likely);
	static_branch_disable(&true_unlikely);
	static_branch_disable(&true_likely);
	check_four(false, "all off");
	static_branch_inc(&fall_unlikely);
	static_branch_inc(&fall_likely);
	static_branch_inc(&true_unlikely);
	static_branch_inc(&true_likely);
	check_four(true, "all on again");
	check_errors(0, 0);
}

/* ---- deferred ---- */

static void wait_ms(long ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

/* A dec to 0 does not make the key false before the time has passed, and an inc in between counts. */
static void test_deferred_dec(void)
{
	jump_label_rate_limit(&slow, 3600000);
	static_branch_deferred_inc(&slow);
	static_branch_deferred_inc(&slow);
	CHECK(static_branch_unlikely(&slow.key) && static_key_count(&slow.key) == 2);
	static_branch_slow_dec_deferred(&slow);
	CHECK(static_branch_unlikely(&slow.key) && static_key_count(&slow.key) == 1);
	static_branch_slow_dec_deferred(&slow);
	CHECK(static_branch_unlikely(&slow.key) && static_key_enabled(&slow.key) && static_key_count(&slow.key) == 1);
	static_branch_deferred_inc(&slow);
	CHECK(static_branch_unlikely(&slow.key) && static_key_count(&slow.key) == 2);
	static_branch_slow_dec_deferred(&slow);
	CHECK(static_branch_unlikely(&slow.key) && static_key_count(&slow.key) == 1);
	check_errors(0, 0);
	/* all uses are gone, the last of them pending */
	static_branch_slow_dec_deferred(&slow);
	check_errors(1, RELINK_E_COUNT);
}

/* The flush does what is pending, and nothing where nothing is. */
static void test_deferred_flush(void)
{
	static_key_deferred_flush(&slow);
	CHECK(!static_branch_unlikely(&slow.key) && static_key_count(&slow.key) == 0);
	static_key_deferred_flush(&slow);
	static_branch_deferred_inc(&slow);
	static_key_deferred_flush(&slow);
	CHECK(static_branch_unlikely(&slow.key) && static_key_count(&slow.key) == 1);
	static_branch_slow_dec_deferred(&slow);
	static_key_deferred_flush(&slow);
	CHECK(!static_branch_unlikely(&slow.key));
	check_errors(0, 0);
	static_branch_slow_dec_deferred(&slow);
	check_errors(1, RELINK_E_COUNT);
}

/* After the time the key becomes false with what is done next to it; an inc finds it as it is. */
static void test_deferred_timeout(void)
{
	uint64_t commits;
	struct relink_status s = { .size = sizeof(s) };

	CHECK(static_branch_likely(&slow_yes.key) && static_key_count(&slow_yes.key) == 1);
	static_branch_slow_dec_deferred(&slow_yes);
	CHECK(static_key_count(&slow_yes.key) == 1);
	wait_ms(50);
	relink_get_status(&s);
	commits = s.commits;
	static_branch_deferred_inc(&slow_yes);
	CHECK(static_branch_likely(&slow_yes.key) && static_key_count(&slow_yes.key) == 1);
	relink_get_status(&s);
	CHECK(s.commits == commits);
	check_errors(0, 0);
	static_branch_slow_dec_deferred(&slow_yes);
	wait_ms(50);
	static_branch_slow_dec_deferred(&slow_yes);
	CHECK(!static_branch_likely(&slow_yes.key) && static_key_count(&slow_yes.key) == 0);
	check_errors(1, RELINK_E_COUNT);
	static_branch_deferred_inc(&slow_yes);
	CHECK(static_branch_likely(&slow_yes.key));
	check_errors(0, 0);
}

/* Without a rate a deferred dec is a dec. */
static void test_no_rate(void)
{
	jump_label_rate_limit(&slow, 0);
	static_branch_deferred_inc(&slow);
	CHECK(static_branch_unlikely(&slow.key));
	static_branch_slow_dec_deferred(&slow);
	CHECK(!static_branch_unlikely(&slow.key));
	check_errors(0, 0);
}

/* ---- what is relink's: lower levels speak while the program has no opinion; errors ---- */

static void test_precedence(void)
{
	CHECK_CODE(relink_apply("key=on,yes=off", &err), RELINK_OK, &err);
	CHECK(is_key() && !is_yes());
	static_branch_inc(&key);
	static_branch_inc(&yes);
	CHECK(is_key() && is_yes());
	static_branch_dec(&key);
	static_branch_dec(&yes);
	CHECK(is_key() && !is_yes());
	static_branch_disable(&key);
	static_branch_enable(&yes);
	CHECK(!is_key() && is_yes());
	CHECK_CODE(relink_apply("key=off,yes=on", &err), RELINK_OK, &err);
	static_branch_inc(&key);
	static_branch_dec(&key);
	check_errors(0, 0);
}

static void test_overridden(void)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_force(&c, "key", "off");
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
	static_branch_inc(&key);
	CHECK(!is_key() && static_key_count(&key) == 1);
	check_errors(1, RELINK_OVERRIDDEN);
	relink_release(&c, "key");
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
	CHECK(is_key());
	static_branch_dec(&key);
	CHECK(!is_key());
	check_errors(0, 0);
}

/* Without a function to tell it to, an error is kept until it is asked for. */
static void test_kept_error(void)
{
	struct relink_error kept;

	relink_linux_on_error(NULL, NULL);
	static_branch_dec(&key);
	CHECK(errors == 0 && relink_linux_last_error(&kept) == RELINK_E_COUNT);
	CHECK_HAS(relink_error_text(&kept), "key");
	CHECK(relink_linux_last_error(&kept) == 0);
	relink_linux_on_error(count_error, &errors);
}

/* inc and dec of many threads come out even, and the key is on while any of them is in between. */
static void *inc_and_dec(void *unused)
{
	for (int i = 0; i < 300; i++) {
		static_branch_inc(&key);
		CHECK(static_key_enabled(&key));
		static_branch_dec(&key);
	}
	return unused;
}

static void test_threads(void)
{
	pthread_t threads[4];

	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_create(&threads[i], NULL, inc_and_dec, NULL);
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	CHECK(!is_key() && static_key_count(&key) == 0);
	check_errors(0, 0);
}

int main(void)
{
	relink_linux_on_error(count_error, &errors);
	test_initial();
	test_enable_disable();
	test_inc_dec_false();
	test_inc_dec_true();
	test_counting();
	test_enable_of_counted();
	test_dec_below_zero();
	test_arrays();
	test_other_names();
	test_maybe();
	test_four_kinds();
	test_deferred_dec();
	test_deferred_flush();
	test_deferred_timeout();
	test_no_rate();
	test_precedence();
	test_overridden();
	test_kept_error();
	test_threads();
	return check_done();
}
