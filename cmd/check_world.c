/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a rule does to its users that its author may not expect: no user manager in a PID namespace, ids that are not in
 * a user namespace, a way back that is not taken. See check.h.
 */
#include "cmd/check.h"
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

/* Where the rule says so; file is NULL where it does not. */
struct said {
	struct policy_pos pids, users, back;
	int map; /* PrivateUsers= */
};

static void note(void *arg, const struct policy_assigned *assigned)
{
	struct said *said = arg;

	if (assigned->key == POLICY_PRIVATE_PIDS && assigned->word == POLICY_YES)
		said->pids = assigned->pos;
	if (assigned->key == POLICY_RETURN_TO_HOST && assigned->word == POLICY_YES)
		said->back = assigned->pos;
	if (assigned->key == POLICY_PRIVATE_USERS && assigned->word != POLICY_USERS_NO) {
		said->users = assigned->pos;
		said->map = assigned->word;
	}
}

/* As policy_resolve() reads Service=: a !pattern that fits, or none that does where there are any without. */
static bool fits_service(const struct policy_rule_view *rule, const char *service)
{
	bool fits = false, wants = false;

	for (size_t i = 0; i < rule->n_patterns[POLICY_MATCH_SERVICE]; i++) {
		const char *text = rule->patterns[POLICY_MATCH_SERVICE][i].text;
		bool negated = *text == '!';
		bool same = fnmatch(text + negated, service, FNM_NOESCAPE) == 0;

		if (negated && same)
			return false;
		wants |= !negated;
		fits |= same;
	}
	return fits || !wants;
}

static void check_pids(struct check *check, const struct policy_rule_view *rule, struct policy_pos pos)
{
	check_say(check, CHECK_WARNING, pos, NULL,
		  "PrivatePIDs=yes: systemctl --user and systemd-run do not work inside, where no user manager can be");
	if (fits_service(rule, "systemd-user"))
		check_say(check, CHECK_WARNING, pos, "Service=!systemd-user",
			  "PrivatePIDs=yes: the login of the user manager (systemd-user) is refused");
}

enum { FIRST_UNMAPPED = 65536 };

/* A uid, or a range of them. */
static bool is_unmapped(const char *pattern)
{
	char *end;
	unsigned long low = strtoul(pattern, &end, 10);

	return end != pattern && (*end == '\0' || *end == '-') && low >= FIRST_UNMAPPED;
}

static void check_identity(struct check *check, const struct policy_rule_view *rule, struct policy_pos pos)
{
	check_say(check, CHECK_WARNING, pos, "PrivateUsers=full maps all",
		  "PrivateUsers=identity: users with a uid or group from %d on are refused, for it is not in the map",
		  FIRST_UNMAPPED);
	for (size_t i = 0; i < rule->n_patterns[POLICY_MATCH_USER]; i++) {
		const struct policy_pattern *pattern = &rule->patterns[POLICY_MATCH_USER][i];

		if (is_unmapped(pattern->text))
			check_say(check, CHECK_ERROR, pattern->pos, "PrivateUsers=full",
				  "User=%s: PrivateUsers=identity has no such uid in its map", pattern->text);
	}
}

static void check_users(struct check *check, const struct policy_rule_view *rule, struct policy_pos pos, int map)
{
	check_say(check, CHECK_WARNING, pos, NULL,
		  "PrivateUsers=%s cannot be undone: the daemon's process stays in the user namespace until it ends",
		  policy_word(POLICY_PRIVATE_USERS, map));
	if (map == POLICY_USERS_YES)
		check_say(
		    check, CHECK_WARNING, pos, "PrivateUsers=identity maps ids below 65536",
		    "PrivateUsers=yes: users with supplementary groups are refused, for these are not in the map");
	if (map == POLICY_USERS_IDENTITY)
		check_identity(check, rule, pos);
}

void check_world(struct check *check, size_t i)
{
	const struct policy_rule_view *rule = policy_rule(check->policy, i);
	struct said said = {.map = POLICY_USERS_NO};

	policy_rule_assigned(check->policy, i, note, &said);
	if (said.pids.file)
		check_pids(check, rule, said.pids);
	if (said.users.file)
		check_users(check, rule, said.users, said.map);
	if (said.back.file && check_keys_of(check->policy, i))
		check_say(check, CHECK_WARNING, said.back, "say it in a rule that isolates nobody",
			  "ReturnToHost=yes and isolation in one rule: isolation wins, and the login goes into its own "
			  "world, not to the host");
}
