/* SPDX-License-Identifier: BSD-3-Clause */
/* What a policy says that is valid and yet is hardly meant. See check.h; the list is nsclone.conf(5)'s. */
#include "cmd/check.h"
#include "cmd/sshd_config.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static const char *without_bang(const char *pattern)
{
	return *pattern == '!' ? pattern + 1 : pattern;
}

static bool is_glob(const char *pattern)
{
	return strpbrk(pattern, "*?[") != NULL;
}

/* Names that have a file elsewhere: what was meant, on this host. */
static const char *same_service(const struct check *check, const char *name)
{
	static const char *const pairs[][2] = {
	    {"cron", "crond"},	     {"crond", "cron"}, {"su", "su-l"}, {"sudo", "sudo-i"},
	    {"gdm", "gdm-password"}, {"ssh", "sshd"},	{"at", "atd"},	{"systemd", "systemd-user"},
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (strcmp(pairs[i][0], name) == 0 && check_has_service(check, pairs[i][1]))
			return pairs[i][1];
	return NULL;
}

static void check_services(struct check *check, const struct policy_rule_view *rule)
{
	for (size_t i = 0; i < rule->n_patterns[POLICY_MATCH_SERVICE]; i++) {
		const struct policy_pattern *pattern = &rule->patterns[POLICY_MATCH_SERVICE][i];
		const char *name = without_bang(pattern->text), *other = same_service(check, name);
		char *hint;

		if (is_glob(name) || check_has_service(check, name))
			continue;
		hint = other ? alloc_format("here it is called %s", other) : NULL;
		check_say(check, CHECK_WARNING, pattern->pos, hint, "Service=%s: there is no such service in pam.d",
			  name);
		free(hint);
	}
}

static bool is_address(const char *pattern)
{
	unsigned char buffer[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, pattern, buffer) == 1 || inet_pton(AF_INET6, pattern, buffer) == 1;
}

static void check_remote_hosts(struct check *check, const struct policy_rule_view *rule)
{
	for (size_t i = 0; i < rule->n_patterns[POLICY_MATCH_REMOTE_HOST]; i++) {
		const struct policy_pattern *pattern = &rule->patterns[POLICY_MATCH_REMOTE_HOST][i];
		const char *text = without_bang(pattern->text);

		if (strchr(text, '/') || is_address(text))
			check_say(check, CHECK_WARNING, pattern->pos, "set UseDNS no in sshd_config",
				  "RemoteHost=%s never fits a name, and sshd's UseDNS yes makes names of addresses",
				  text);
	}
}

/* Keys that say how, or for whom, but not what. */
#define ASKS_FOR_NOTHING                                                                                               \
	(1u << POLICY_ISOLATE | 1u << POLICY_TRIAL | 1u << POLICY_ON_FAILURE | 1u << POLICY_SCOPE |                    \
	 1u << POLICY_DESCRIPTION | 1u << POLICY_INSTANCE_ROOT | 1u << POLICY_KILL_ON_LOGOUT |                         \
	 1u << POLICY_RETURN_TO_HOST)

static void note_key(void *arg, const struct policy_assigned *assigned)
{
	unsigned *keys = arg;
	bool is_default;

	if (ASKS_FOR_NOTHING & 1u << assigned->key)
		return;
	is_default = !assigned->path && policy_word(assigned->key, assigned->word) && assigned->word == 0;
	if (!is_default)
		*keys |= 1u << assigned->key;
}

unsigned check_keys_of(const struct policy *policy, size_t i)
{
	unsigned keys = 0;

	policy_rule_assigned(policy, i, note_key, &keys);
	return keys;
}

/* POSIX shared memory lies in /dev/shm whatever IPC namespace one is in. */
static void check_shared_memory(struct check *check, size_t i, const struct policy_rule_view *rule)
{
	const unsigned ipc = 1u << POLICY_PRIVATE_IPC, shm = 1u << POLICY_PRIVATE_DEV_SHM;

	if ((check_keys_of(check->policy, i) & ipc) && !(check->keys & shm))
		check_say(check, CHECK_WARNING, rule->pos, "add PrivateDevShm=yes",
			  "PrivateIPC= without PrivateDevShm=: POSIX shared memory in /dev/shm stays common");
}

/* OnFailure=warn in one rule, and in any a path in a home, which its owner can break whenever he likes. */
struct way_out {
	struct policy_pos warn, path;
};

static void note_way_out(void *arg, const struct policy_assigned *assigned)
{
	const char *path = assigned->key == POLICY_INSTANCE_ROOT ? assigned->text : assigned->path;
	struct way_out *way = arg;

	if (assigned->key == POLICY_ON_FAILURE && assigned->word == POLICY_ON_FAILURE_WARN)
		way->warn = assigned->pos;
	if (path && (strncmp(path, "%h", 2) == 0 || strncmp(path, "/home/", 6) == 0))
		way->path = assigned->pos;
}

static void check_way_out(struct check *check)
{
	struct way_out way = {.warn = {.file = NULL}};

	for (size_t i = 0; i < policy_n_rules(check->policy); i++)
		policy_rule_assigned(check->policy, i, note_way_out, &way);
	if (way.warn.file && way.path.file)
		check_say(check, CHECK_WARNING, way.warn, "OnFailure=deny",
			  "OnFailure=warn, and a path in a home (%s:%u): its owner can make it fail, and gets in un-isolated",
			  way.path.file, way.path.line);
}

void check_policy(struct check *check)
{
	size_t n = policy_n_rules(check->policy);

	if (n == 0 && check->count[CHECK_ERROR] == 0)
		check_say(check, CHECK_ERROR,
			  check_at(check->directory ? check->directory : NSCLONE_SYSCONF_DIR "/nsclone.conf", 0), NULL,
			  "there are no rules at all, so nobody is isolated");
	check_way_out(check);
	for (size_t i = 0; i < n; i++) {
		const struct policy_rule_view *rule = policy_rule(check->policy, i);

		check_shared_memory(check, i, rule);
		check_world(check, i);
		if (rule->trial)
			check_say(check, CHECK_WARNING, rule->pos, "remove Trial= when the log says ok",
				  "this rule is on trial: it is tried and logged, and isolates nobody");
	}
}

void check_policy_here(struct check *check)
{
	bool names = sshd_config_is("UseDNS", "yes");

	for (size_t i = 0; i < policy_n_rules(check->policy); i++) {
		const struct policy_rule_view *rule = policy_rule(check->policy, i);

		check_services(check, rule);
		if (names)
			check_remote_hosts(check, rule);
	}
}
