/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Out of memory, at every allocation in turn: -ENOMEM, nothing leaked (ASan, valgrind), *ret untouched. Were a rule
 * lost instead, a login would go un-isolated.
 */
/* WRAP: malloc calloc realloc */
#include <errno.h>
#include "tests/unit/test_policy.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

static unsigned long left = -1ul; /* allocations until one fails */

void *__wrap_malloc(size_t size)
{
	return left-- ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t n, size_t size)
{
	return left-- ? __real_calloc(n, size) : NULL;
}

void *__wrap_realloc(void *p, size_t size)
{
	return left-- ? __real_realloc(p, size) : NULL;
}

/* Long enough for every array to grow. */
static char *write_policy(size_t *size)
{
	char *text = malloc(1 << 16);
	size_t n = 0;

	assert_non_null(text);
	for (unsigned i = 0; i < 40; i++)
		n += (size_t)sprintf(text + n,
				     "[Match]\nUser=* \"b\" !1-2 \nUser=c\nRemoteHost=!10.0.0.1/8 !::1\nHost=node*\n[Session]\n"
				     "PrivateTmp=disconnected:uid=%%U,size=1g\nPrivateDirectory=/a%u:0700 '/b c' \\\n/d\\:e\n"
				     "TemporaryFileSystem=/t/%%u:gid=%%G\nInstanceRoot=%%h/x\nProtectHostname=yes:%%l\n"
				     "Description=x\n", i);
	n += (size_t)sprintf(text + n, "[Match]\nUser=bob\n[Session]\nFoo=1\nPrivatTmp=yes\n");
	*size = n;
	return text;
}

static void test_load(void **state)
{
	struct policy *const untouched = (struct policy *)&left;
	size_t size;
	char *text = write_policy(&size);
	struct policy_text t = {.name = "t", .data = text, .size = size};
	struct policy *policy = untouched;
	unsigned long n = 0;

	(void)state;
	for (;; n++) {
		int r;

		left = n;
		r = policy_load(&t, 1, &policy);
		left = -1ul;
		if (!r)
			break;
		assert_int_equal(r, -ENOMEM);
		assert_ptr_equal(policy, untouched);
	}
	assert_true(n > 10);
	assert_int_equal(count_errors(policy), 2);
	policy_free(policy);
	free(text);
}

static void check_resolve(struct scene *s)
{
	struct policy_result result;
	unsigned long n = 0;
	int r;

	do {
		left = n++;
		r = policy_resolve(s->policy, &s->subject, POLICY_VERDICTS, &result);
		left = -1ul;
		assert_true(r == -ENOMEM || r == s->outcome);
	} while (r < 0);
	assert_true(n > 1);
	policy_result_done(&result);
}

static void test_resolve(void **state)
{
	size_t size;
	char *text = write_policy(&size);
	struct scene s = scene(text);

	(void)state;
	assert_int_equal(resolve(&s, 0), 0);
	check_resolve(&s);
	s.subject.host = "node1.under_score";
	s.subject.home = NULL;
	assert_int_equal(resolve(&s, 0), POLICY_REFUSE);
	check_resolve(&s);
	scene_done(&s);
	s = scene("[Match]\nGroup=a b c\n[Session]\nPrivateTmp=yes\n");
	s.subject.groups_known = false;
	assert_int_equal(resolve(&s, 0), POLICY_NEEDS_GROUPS);
	check_resolve(&s);
	scene_done(&s);
	s = scene("[Match]\nUser=*\n[Session]\nScope=user\nProtectControlGroups=private\n");
	assert_int_equal(resolve(&s, 0), 0);
	check_resolve(&s);
	scene_done(&s);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_resolve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
