/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the language knows, as tables. A new setting is a row here (and its name in enum policy_key); a setting that
 * is described but not built is a name in `unbuilt`, so that a policy which asks for it is refused with the reason.
 */
#include "lib/policy/keys.h"
#include "lib/policy/complaint.h"
#include <string.h>

#ifndef NSCLONE_STATE_DIR
#define NSCLONE_STATE_DIR "/var/lib/nsclone"
#endif

#define NO_YES "no", "yes"

/* And its size: what nearly every line is asked for is then found by few comparisons. */
#define NAME(text) text, sizeof(text) - 1

const struct key policy_keys[POLICY_N_KEYS] = {
    [POLICY_ISOLATE] = {NAME("Isolate"), .words = {NO_YES}, .word = POLICY_YES, .shapeless = true},
    [POLICY_TRIAL] = {NAME("Trial"), .words = {NO_YES}, .shapeless = true},
    [POLICY_ON_FAILURE] = {NAME("OnFailure"), .words = {"deny", "warn"}, .shapeless = true},
    [POLICY_SCOPE] = {NAME("Scope"), .words = {"user", "session"}, .shapeless = true},
    [POLICY_DESCRIPTION] = {NAME("Description"), .type = TYPE_TEXT, .shapeless = true},
    [POLICY_PRIVATE_TMP] = {NAME("PrivateTmp"), .words = {NO_YES, "disconnected", "persistent"},
			    .argument = ARGUMENT_TMPFS, .with_argument = 1 << POLICY_TMP_DISCONNECTED},
    [POLICY_PRIVATE_TMP_METHOD] = {NAME("PrivateTmpMethod"), .words = {"bind", "pivot"}},
    [POLICY_INSTANCE_ROOT] = {NAME("InstanceRoot"), .type = TYPE_PATH, .text = NSCLONE_STATE_DIR},
    [POLICY_PRIVATE_DIRECTORY] = {NAME("PrivateDirectory"), .type = TYPE_LIST, .argument = ARGUMENT_MODE},
    [POLICY_PRIVATE_DEV_SHM] = {NAME("PrivateDevShm"), .words = {NO_YES}, .argument = ARGUMENT_TMPFS,
				.with_argument = 1 << POLICY_YES},
    [POLICY_TEMPORARY_FILE_SYSTEM] = {NAME("TemporaryFileSystem"), .type = TYPE_LIST, .argument = ARGUMENT_TMPFS},
    [POLICY_PRIVATE_IPC] = {NAME("PrivateIPC"), .words = {NO_YES}},
    [POLICY_PRIVATE_NETWORK] = {NAME("PrivateNetwork"), .words = {NO_YES}},
    [POLICY_PROTECT_HOSTNAME] = {NAME("ProtectHostname"), .words = {NO_YES, "private"}, .argument = ARGUMENT_HOST_NAME,
				 .with_argument = 1 << POLICY_HOSTNAME_YES | 1 << POLICY_HOSTNAME_PRIVATE},
    [POLICY_PROTECT_PROC] = {NAME("ProtectProc"), .words = {"default", "invisible", "ptraceable", "noaccess"}},
    [POLICY_PROC_SUBSET] = {NAME("ProcSubset"), .words = {"all", "pid"}},
    [POLICY_KILL_ON_LOGOUT] = {NAME("KillOnLogout"), .words = {NO_YES}, .shapeless = true},
    [POLICY_RETURN_TO_HOST] = {NAME("ReturnToHost"), .words = {NO_YES}, .shapeless = true},
    [POLICY_PRIVATE_PIDS] = {NAME("PrivatePIDs"), .words = {NO_YES}},
    [POLICY_PRIVATE_USERS] = {NAME("PrivateUsers"), .words = {NO_YES, "self", "identity", "full"},
			      .synonyms = 1 << POLICY_USERS_SELF},
    [POLICY_PROTECT_CONTROL_GROUPS] = {NAME("ProtectControlGroups"), .words = {"no", "private", "strict"}},
};

static const struct {
	const char *name;
	size_t size;
} match_keys[POLICY_N_MATCH_KEYS] = {
    [POLICY_MATCH_USER] = {NAME("User")},
    [POLICY_MATCH_GROUP] = {NAME("Group")},
    [POLICY_MATCH_SERVICE] = {NAME("Service")},
    [POLICY_MATCH_REMOTE_HOST] = {NAME("RemoteHost")},
    [POLICY_MATCH_TTY] = {NAME("TTY")},
    [POLICY_MATCH_HOST] = {NAME("Host")},
    [POLICY_MATCH_FROM_USER] = {NAME("FromUser")},
};

static const struct {
	const char *name;
	enum section section;
} unbuilt[] = {
    {"BindPaths", SECTION_SESSION},
    {"BindReadOnlyPaths", SECTION_SESSION},
    {"CarryIn", SECTION_SESSION},
    {"ExecPaths", SECTION_SESSION},
    {"InaccessiblePaths", SECTION_SESSION},
    {"InitCommand", SECTION_SESSION},
    {"NetworkNamespacePath", SECTION_SESSION},
    {"NoExecPaths", SECTION_SESSION},
    {"NoNewPrivileges", SECTION_SESSION},
    {"ProtectHome", SECTION_SESSION},
    {"ProtectSystem", SECTION_SESSION},
    {"ReadOnlyPaths", SECTION_SESSION},
    {"ReadWritePaths", SECTION_SESSION},
    {"RootDirectory", SECTION_SESSION},
    {"Skeleton", SECTION_SESSION},
    {"Address", SECTION_NETWORK},
    {"Bridge", SECTION_NETWORK},
    {"DNS", SECTION_NETWORK},
    {"Gateway", SECTION_NETWORK},
    {"IPVLAN", SECTION_NETWORK},
    {"MACVLAN", SECTION_NETWORK},
    {"VirtualEthernet", SECTION_NETWORK},
};
enum { N_UNBUILT = sizeof(unbuilt) / sizeof(*unbuilt) };

static const char *const sections[] = {
    [SECTION_MATCH] = "Match",
    [SECTION_SESSION] = "Session",
    [SECTION_NETWORK] = "Network",
};

static bool is(const char *word, const char *text, size_t size)
{
	return size && *word == *text && !strncmp(word, text, size) && !word[size];
}

/* All names of the language, one after the other: i from 0 until NULL. */
static const char *name_at(unsigned i, enum section *section)
{
	*section = SECTION_SESSION;
	if (i < POLICY_N_KEYS)
		return policy_keys[i].name;
	i -= POLICY_N_KEYS;
	*section = SECTION_MATCH;
	if (i < POLICY_N_MATCH_KEYS)
		return match_keys[i].name;
	i -= POLICY_N_MATCH_KEYS;
	if (i >= N_UNBUILT)
		return NULL;
	*section = unbuilt[i].section;
	return unbuilt[i].name;
}

static const char *nearest_key(enum section wanted, const char *name, size_t size)
{
	const char *nearest = NULL, *candidate;
	unsigned least = NO_SLIP;
	enum section section;

	for (unsigned i = 0; (candidate = name_at(i, &section)); i++) {
		unsigned d = section == wanted ? slip_distance(name, size, candidate) : NO_SLIP;

		if (d < least) {
			least = d;
			nearest = candidate;
		}
	}
	return nearest;
}

/* What nearly every line is; the rest of the tables is for those that are wrong. */
static int key_here(enum section section, const char *name, size_t size)
{
	if (section == SECTION_MATCH)
		for (int i = 0; i < POLICY_N_MATCH_KEYS; i++)
			if (match_keys[i].size == size && !memcmp(match_keys[i].name, name, size))
				return i;
	if (section == SECTION_SESSION)
		for (int i = 0; i < POLICY_N_KEYS; i++)
			if (policy_keys[i].size == size && !memcmp(policy_keys[i].name, name, size))
				return i;
	return -1;
}

struct key_found key_find(enum section section, const char *name, size_t size)
{
	struct key_found found = {KEY_HERE, key_here(section, name, size), NULL, NULL};
	enum section where;
	const char *candidate;

	if (found.key >= 0)
		return found;
	for (unsigned i = 0; (candidate = name_at(i, &where)); i++) {
		if (!is(candidate, name, size))
			continue;
		found.section = sections[where];
		found.standing = where == section ? KEY_UNBUILT : KEY_ELSEWHERE;
		return found;
	}
	found.standing = KEY_UNKNOWN;
	if (section != SECTION_NONE)
		found.nearest = nearest_key(section, name, size);
	return found;
}

enum section section_find(const char *name, size_t size, const char **nearest)
{
	unsigned least = NO_SLIP;

	*nearest = NULL;
	for (enum section s = SECTION_MATCH; s <= SECTION_NETWORK; s++)
		if (is(sections[s], name, size))
			return s;
	for (enum section s = SECTION_MATCH; s <= SECTION_NETWORK; s++) {
		unsigned d = slip_distance(name, size, sections[s]);

		if (d < least)
			*nearest = sections[s];
		least = d < least ? d : least;
	}
	return SECTION_UNKNOWN;
}

int key_word(enum policy_key key, const char *word, size_t size)
{
	for (int i = 0; policy_keys[key].words[i]; i++)
		if (is(policy_keys[key].words[i], word, size))
			return i - !!(policy_keys[key].synonyms & 1u << i);
	return -1;
}

const char *policy_key_name(enum policy_key key)
{
	return (unsigned)key < POLICY_N_KEYS ? policy_keys[key].name : NULL;
}

const char *policy_match_key_name(enum policy_match_key key)
{
	return (unsigned)key < POLICY_N_MATCH_KEYS ? match_keys[key].name : NULL;
}

const char *policy_word(enum policy_key key, int word)
{
	if ((unsigned)key >= POLICY_N_KEYS || word < 0)
		return NULL;
	for (int i = 0; policy_keys[key].words[i]; i++)
		if (i == word)
			return policy_keys[key].words[i];
	return NULL;
}
