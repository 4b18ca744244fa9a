/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pam.d as `nsclone check` reads it, against small files with known answers, and against the real libpam on random
 * stacks: whatever libpam does in a session that is let in, pamd_flow() must have said that it can happen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The command's objects are in no library. The analyser does not know that cmocka's assertions do not return.
 * NOLINTBEGIN(bugprone-suspicious-include,concurrency-mt-unsafe,clang-analyzer-core.*)
 */
#include "cmd/alloc.c"
#include "cmd/pamd.c"
#include "cmd/pamd_files.c"
#include "cmd/pamd_flow.c"
#include "cmd/pamd_line.c"
#include "cmd/pamd_services.c"

/* libpam forgets some of its memory when it gives up on a file. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libpam.so";
}

static char root[64];

static void write_file(const char *path, const char *text)
{
	char *whole = alloc_format("%s%s", root, path);
	FILE *stream = fopen(whole, "we");

	assert_non_null(stream);
	fputs(text, stream);
	assert_int_equal(fclose(stream), 0);
	free(whole);
}

static void make_directory(const char *path)
{
	char *whole = alloc_format("%s%s", root, path);

	assert_int_equal(mkdir(whole, 0755), 0);
	free(whole);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static int setup(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "/tmp/test_pamd.XXXXXX");
	assert_non_null(mkdtemp(root));
	make_directory("/etc");
	make_directory("/etc/pam.d");
	make_directory("/usr");
	make_directory("/usr/lib");
	make_directory("/usr/lib/pam.d");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct pamd_stack *read_sshd(const char *text)
{
	write_file("/etc/pam.d/sshd", text);
	return pamd_read(root, "sshd", PAMD_SESSION);
}

/* Where the module stands in text, and what can become of it: "runs", "skipped", "both" or "never". */
static void assert_flow(const char *text, const char *expected)
{
	struct pamd_stack *stack = read_sshd(text);
	size_t at = pamd_find(stack, 0);
	struct pamd_flow flow;

	assert_true(at < stack->n);
	flow = pamd_flow(stack, at);
	assert_string_equal(flow.runs ? flow.skipped ? "both" : "runs" : flow.skipped ? "skipped" : "never", expected);
	pamd_free(stack);
}

static void test_tokens(void **state)
{
	char text[] = "  session\t[success=ok  default=bad]  pam_x.so a=b [c \\] d]e\n";
	char *rest = text;

	(void)state;
	assert_string_equal(pamd_token(&rest), "session");
	assert_string_equal(pamd_token(&rest), "success=ok  default=bad");
	assert_string_equal(pamd_token(&rest), "pam_x.so");
	assert_string_equal(pamd_token(&rest), "a=b");
	assert_string_equal(pamd_token(&rest), "c ] d");
	assert_string_equal(pamd_token(&rest), "e");
	assert_null(pamd_token(&rest));
	assert_null(pamd_token(&rest));
}

static void test_control(void **state)
{
	int actions[PAMD_N_CODES];

	(void)state;
	assert_true(pamd_control("REQUIRED", actions));
	assert_int_equal(actions[PAMD_SUCCESS], PAMD_OK);
	assert_int_equal(actions[PAMD_IGNORED], PAMD_IGNORE);
	assert_int_equal(actions[PAMD_SYSTEM_ERR], PAMD_BAD);
	assert_true(pamd_control("optional", actions));
	assert_int_equal(actions[PAMD_SYSTEM_ERR], PAMD_IGNORE);
	assert_true(pamd_control("success=2 new_authtok_reqd = done ignore=ignore default=die", actions));
	assert_int_equal(actions[PAMD_SUCCESS], 2);
	assert_int_equal(actions[PAMD_NEW_AUTHTOK_REQD], PAMD_DONE);
	assert_int_equal(actions[PAMD_PERM_DENIED], PAMD_DIE);
	/* What stands after default= is no default any more. */
	assert_true(pamd_control("default=ok perm_denied=bad", actions));
	assert_int_equal(actions[PAMD_PERM_DENIED], PAMD_BAD);
	assert_int_equal(actions[PAMD_SUCCESS], PAMD_OK);
	assert_false(pamd_control("success=0", actions));
	assert_false(pamd_control("succes=ok", actions));
	assert_false(pamd_control("requierd", actions));
	assert_int_equal(actions[PAMD_SUCCESS], PAMD_BAD);
}

static void test_lines(void **state)
{
	struct pamd_stack *stack = read_sshd("# session required pam_one.so\n"
					     "\n"
					     "SESSION required \\\n"
					     "# between\n"
					     "\tpam_two.so a b # c\n"
					     "auth required pam_three.so\n"
					     "-session optional pam_four.so # no more \\\n"
					     "session required\n"
					     "session required pam_five.so");

	(void)state;
	assert_int_equal(stack->n, 4);
	assert_string_equal(stack->entries[0].module, "pam_two.so");
	assert_int_equal(stack->entries[0].line, 3);
	assert_int_equal(stack->entries[0].arguments.n, 2);
	assert_true(stack->entries[1].silent);
	assert_string_equal(stack->entries[1].module, "pam_four.so");
	assert_int_equal(stack->entries[2].kind, PAMD_BROKEN);
	assert_int_equal(stack->entries[2].line, 8);
	assert_string_equal(stack->entries[3].module, "pam_five.so");
	assert_null(stack->broken);
	pamd_free(stack);
}

static void test_broken_files(void **state)
{
	struct pamd_stack *stack;

	(void)state;
	stack = read_sshd("session required pam_one.so \\\n");
	assert_non_null(stack->broken);
	pamd_free(stack);
	stack = read_sshd("@include nothing\nsession required pam_one.so\n");
	assert_non_null(stack->broken);
	pamd_free(stack);
	stack = read_sshd("session include nothing\nsession required pam_one.so\n");
	assert_null(stack->broken);
	assert_int_equal(stack->entries[0].kind, PAMD_BROKEN);
	pamd_free(stack);
	write_file("/etc/pam.d/loop", "session include loop\n");
	stack = read_sshd("session include loop\n");
	assert_int_equal(stack->n, 1);
	assert_int_equal(stack->entries[0].kind, PAMD_BROKEN);
	pamd_free(stack);
}

static void test_includes(void **state)
{
	struct pamd_stack *stack;

	(void)state;
	write_file("/etc/pam.d/common", "auth required pam_a.so\nsession required pam_s.so\n");
	write_file("/usr/lib/pam.d/vendor", "session required pam_v.so\n");
	stack = read_sshd("auth include common\nsession include vendor\n@include common\nsession substack common\n");
	assert_int_equal(stack->n, 4);
	assert_string_equal(stack->entries[0].module, "pam_v.so");
	assert_non_null(strstr(stack->entries[0].file, "/usr/lib/pam.d/vendor"));
	assert_string_equal(stack->entries[1].module, "pam_s.so");
	assert_int_equal(stack->entries[2].kind, PAMD_SUBSTACK);
	assert_int_equal(stack->entries[2].level, 0);
	assert_int_equal(stack->entries[3].level, 1);
	assert_true(alloc_list_has(&stack->included, "vendor"));
	pamd_free(stack);
	/* /etc hides what the vendor says. */
	write_file("/etc/pam.d/vendor", "session required pam_e.so\n");
	stack = read_sshd("session include vendor\n");
	assert_string_equal(stack->entries[0].module, "pam_e.so");
	pamd_free(stack);
}

static void test_other(void **state)
{
	struct pamd_stack *stack;

	(void)state;
	write_file("/etc/pam.d/other", "session required pam_other.so\n");
	stack = read_sshd("auth required pam_one.so\n");
	assert_true(stack->other && stack->found);
	assert_string_equal(stack->entries[0].module, "pam_other.so");
	pamd_free(stack);
	stack = pamd_read(root, "nosuch", PAMD_SESSION);
	assert_true(stack->other && !stack->found);
	pamd_free(stack);
	stack = read_sshd("session required pam_one.so\n");
	assert_false(stack->other);
	pamd_free(stack);
}

static void test_pam_conf(void **state)
{
	struct alloc_list services = {0};
	struct pamd_stack *stack;
	char *path = alloc_format("%s/etc/pam.d", root), *vendor = alloc_format("%s/usr/lib/pam.d", root);

	(void)state;
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(vendor), 0);
	write_file("/etc/pam.conf", "sshd session required pam_nsclone.so debug\nLogin session required pam_l.so\n"
				    "other session required pam_o.so\n");
	stack = pamd_read(root, "sshd", PAMD_SESSION);
	assert_int_equal(stack->n, 1);
	assert_int_equal(pamd_find(stack, 0), 0);
	assert_string_equal(pamd_argument(&stack->entries[0], "debug"), "");
	pamd_free(stack);
	stack = pamd_read(root, "login", PAMD_SESSION);
	assert_string_equal(stack->entries[0].module, "pam_l.so");
	pamd_free(stack);
	stack = pamd_read(root, "su", PAMD_SESSION);
	assert_true(stack->other && !stack->found);
	pamd_free(stack);
	pamd_services_with_module(root, &services);
	assert_int_equal(services.n, 1);
	assert_string_equal(services.items[0], "sshd");
	alloc_list_done(&services);
	free(path);
	free(vendor);
}

static void test_services(void **state)
{
	struct alloc_list services = {0};

	(void)state;
	write_file("/etc/pam.d/common-session", "session required pam_nsclone.so\n");
	write_file("/etc/pam.d/sshd", "@include common-session\n");
	write_file("/etc/pam.d/sshd.dpkg-old", "session required pam_nsclone.so\n");
	write_file("/etc/pam.d/su~", "session required pam_nsclone.so\n");
	write_file("/etc/pam.d/su", "session required pam_unix.so\n");
	write_file("/usr/lib/pam.d/su-l", "session include su\nsession required /lib/security/pam_nsclone.so\n");
	pamd_services_with_module(root, &services);
	assert_int_equal(services.n, 2);
	assert_string_equal(services.items[0], "sshd");
	assert_string_equal(services.items[1], "su-l");
	alloc_list_done(&services);
}

#define MODULE "session required pam_nsclone.so\n"

static void test_flow(void **state)
{
	(void)state;
	write_file("/etc/pam.d/sub", "session sufficient pam_x.so\nsession required pam_y.so\n");
	write_file("/etc/pam.d/with", "session sufficient pam_x.so\n" MODULE);
	assert_flow(MODULE, "runs");
	assert_flow("session required pam_x.so\n" MODULE, "runs");
	assert_flow("session sufficient pam_x.so\n" MODULE, "both");
	assert_flow("session sufficient pam_permit.so\n" MODULE, "skipped");
	assert_flow("session requisite pam_deny.so\n" MODULE, "never");
	assert_flow("session optional pam_deny.so\n" MODULE, "runs");
	/* Debian's common-session, with the module on either side of the line that is jumped over. */
	assert_flow("session [default=1] pam_permit.so\n" MODULE "session requisite pam_deny.so\n", "skipped");
	assert_flow("session [default=1] pam_permit.so\nsession requisite pam_deny.so\n" MODULE, "runs");
	/* Red Hat's. */
	assert_flow("session [success=1 default=ignore] pam_succeed_if.so service in crond\n"
		    "session required pam_unix.so\n" MODULE,
		    "runs");
	assert_flow("session [success=2 default=ignore] pam_succeed_if.so service in crond\n"
		    "session required pam_unix.so\n" MODULE "session required pam_permit.so\n",
		    "both");
	/* A jump past the end refuses. */
	assert_flow("session [success=2 default=ignore] pam_x.so\n" MODULE, "runs");
	/* done leaves a substack, not the stack; a substack is jumped over as one. */
	assert_flow("session substack sub\n" MODULE, "runs");
	assert_flow("session substack with\n", "both");
	assert_flow("session include sub\n" MODULE, "both");
	assert_flow("session [default=1] pam_x.so\nsession substack sub\n" MODULE, "runs");
	assert_flow("session [default=2] pam_x.so\nsession substack sub\n" MODULE "session required pam_y.so\n",
		    "skipped");
	assert_flow("session [default=done] pam_x.so\nsession include with\n", "skipped");
	assert_flow("session required\n" MODULE, "never");
}

/* ---- The real libpam -------------------------------------------------------------------------------------------- */

static int count_echo(int n, const struct pam_message **messages, struct pam_response **responses, void *arg)
{
	*responses = calloc((size_t)n, sizeof(**responses));
	for (int i = 0; i < n; i++)
		if (strcmp(messages[i]->msg, "RAN") == 0)
			++*(unsigned *)arg;
	return *responses ? PAM_SUCCESS : PAM_BUF_ERR;
}

static int open_session(unsigned *ran)
{
	struct pam_conv conversation = {count_echo, ran};
	char *directory = alloc_format("%s/etc/pam.d", root);
	pam_handle_t *pamh = NULL;
	int r;

	*ran = 0;
	/* What libpam gives up on it refuses here already. */
	r = pam_start_confdir("sshd", "nobody", &conversation, directory, &pamh);
	if (r == PAM_SUCCESS) {
		r = pam_open_session(pamh, 0);
		pam_end(pamh, r);
	}
	free(directory);
	return r;
}

/* The same on every machine: a case that fails can be looked at. */
static uint64_t random_state = 20251121;

static unsigned pick(unsigned n)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(random_state >> 33) % n;
}

static const char *random_control(char *buffer, size_t size)
{
	static const char *const words[] = {"required", "requisite", "optional", "sufficient"};
	static const char *const values[] = {"ignore", "ok", "done", "bad", "die", "reset", "1", "2", "3"};

	if (pick(2))
		return words[pick(4)];
	snprintf(buffer, size, "[success=%s perm_denied=%s default=%s]", values[pick(9)], values[pick(9)],
		 values[pick(9)]);
	return buffer;
}

static void random_lines(FILE *stream, unsigned n, const char *deeper)
{
	static const char *const modules[] = {"pam_permit.so", "pam_deny.so", "pam_debug.so open_session=perm_denied",
					      "pam_debug.so open_session=success", "pam_nosuch.so"};
	char buffer[128];

	for (unsigned i = 0; i < n; i++) {
		if (deeper && pick(4) == 0)
			fprintf(stream, "session %s %s/etc/pam.d/%s\n", pick(2) ? "substack" : "include", root, deeper);
		else if (deeper && pick(12) == 0)
			fprintf(stream, "@include %s/etc/pam.d/%s\n", root, deeper);
		else
			fprintf(stream, "session %s %s\n", random_control(buffer, sizeof(buffer)), modules[pick(5)]);
	}
}

static void random_file(const char *name, bool marked, const char *deeper)
{
	char *path = alloc_format("%s/etc/pam.d/%s", root, name);
	FILE *stream = fopen(path, "we");

	assert_non_null(stream);
	/* Absolute names, because libpam 1.5.2 looks for included files in /etc/pam.d whatever pam_start_confdir()
	 * said. */
	random_lines(stream, pick(4), deeper);
	if (marked)
		fputs("session optional pam_echo.so RAN\n", stream);
	random_lines(stream, pick(4), deeper);
	fclose(stream);
	free(path);
}

static void print_stack(const struct pamd_stack *stack)
{
	for (size_t i = 0; i < stack->n; i++) {
		const struct pamd_entry *entry = &stack->entries[i];

		print_error("%zu kind %d level %u: %s %s %s\n", i, entry->kind, entry->level,
			    entry->control ? entry->control : "-", entry->module ? entry->module : "-",
			    entry->arguments.n ? entry->arguments.items[0] : "");
	}
}

/* One case: what libpam did, and what was said of it. */
static void compare(void)
{
	unsigned ran;
	int r = open_session(&ran);
	char *path = alloc_format("%s/etc/pam.d/sshd", root);
	struct pamd_stack *stack = pamd_read("", path, PAMD_SESSION);
	size_t n = 0, at = 0;

	free(path);
	for (size_t i = 0; i < stack->n; i++)
		if (strcmp(pamd_basename(&stack->entries[i]), "pam_echo.so") == 0)
			n++, at = i;
	if (n == 1 && r == PAM_SUCCESS) {
		struct pamd_flow flow = pamd_flow(stack, at);

		if (ran ? !flow.runs : !flow.skipped) {
			print_stack(stack);
			fail_msg("libpam %s entry %zu", ran ? "ran" : "skipped", at);
		}
	}
	pamd_free(stack);
}

static void test_against_libpam(void **state)
{
	(void)state;
	write_file("/etc/pam.d/other", "session required pam_deny.so\n");
	for (unsigned i = 0; i < 2000; i++) {
		bool inner = pick(2) == 0;

		random_file("sub2", false, NULL);
		random_file("sub", inner, "sub2");
		random_file("sshd", !inner, "sub");
		compare();
	}
}

/* Files that libpam gives up on, by its own word. */
static void test_broken_as_libpam_says(void **state)
{
	static const struct {
		const char *text;
		bool broken;
	} cases[] = {
	    {"session required pam_permit.so\n", false},
	    {"session required pam_permit.so \\\n", true},
	    {"session required pam_permit.so\n@include nothing\n", true},
	    {"session required pam_permit.so # \\\n", false},
	    {"session required \\\n\n#\npam_permit.so\n", false},
	    {"sess required pam_x.so\nsession required pam_permit.so\n", false},
	    {"-session optional pam_nosuch.so\nsession required pam_permit.so\n", false},
	};
	unsigned ran;

	(void)state;
	write_file("/etc/pam.d/other", "session required pam_deny.so\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pamd_stack *stack = read_sshd(cases[i].text);

		assert_int_equal(stack->broken != NULL, cases[i].broken);
		assert_int_equal(open_session(&ran) != PAM_SUCCESS, cases[i].broken);
		pamd_free(stack);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tokens),
	    cmocka_unit_test(test_control),
	    cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_broken_files, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_includes, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_other, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_pam_conf, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_services, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_flow, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_broken_as_libpam_says, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_against_libpam, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
/* NOLINTEND(bugprone-suspicious-include,concurrency-mt-unsafe,clang-analyzer-core.*) */
