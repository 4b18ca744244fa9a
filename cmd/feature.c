/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of features, and the throw-away child in which each is tried. See feature.h. */
#include "cmd/feature.h"

#include "lib/policy/policy.h"
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define K	    FEATURE_KEY
#define ANY_TMPFS   (K(POLICY_PRIVATE_TMP) | K(POLICY_PRIVATE_DEV_SHM) | K(POLICY_TEMPORARY_FILE_SYSTEM))
#define ANY_BACKING (K(POLICY_PRIVATE_TMP) | K(POLICY_PRIVATE_DIRECTORY))
#define ANY_MOUNT                                                                                                      \
	(ANY_TMPFS | ANY_BACKING | K(POLICY_PRIVATE_IPC) | K(POLICY_PRIVATE_NETWORK) | K(POLICY_PROTECT_PROC) |        \
	 K(POLICY_PROC_SUBSET))

const struct feature features[] = {
	{"mount namespace", "2.4.19", "every isolation", NULL, probe_mount_namespace, FEATURE_ALWAYS, true},
	{"UTS namespace", "2.6.19", "ProtectHostname=", NULL, probe_uts_namespace, K(POLICY_PROTECT_HOSTNAME), true},
	{"IPC namespace", "2.6.19", "PrivateIPC=", NULL, probe_ipc_namespace, K(POLICY_PRIVATE_IPC), true},
	{"network namespace", "2.6.24", "PrivateNetwork=", NULL, probe_network_namespace, K(POLICY_PRIVATE_NETWORK), true},
	{"loopback interface", "2.6.24", "PrivateNetwork=", NULL, probe_loopback, K(POLICY_PRIVATE_NETWORK), true},
	{"open_tree", "5.2", "PrivateTmp= PrivateDirectory=", NULL, probe_open_tree, ANY_BACKING, true},
	{"move_mount", "5.2", "every mount", NULL, probe_move_mount, ANY_MOUNT, true},
	{"mount_setattr", "5.12", "PrivateTmp= PrivateDirectory=", NULL, probe_mount_setattr, ANY_BACKING, true},
	{"fsopen tmpfs", "5.2", "PrivateTmp= PrivateDevShm= TemporaryFileSystem=", NULL, probe_tmpfs, ANY_TMPFS, true},
	{"fsopen mqueue", "5.2", "PrivateIPC=", NULL, probe_mqueue, K(POLICY_PRIVATE_IPC), true},
	{"fsopen sysfs", "5.2", "PrivateNetwork=", NULL, probe_sysfs, K(POLICY_PRIVATE_NETWORK), true},
	{"proc hidepid=", "5.8", "ProtectProc=", NULL, probe_hidepid, K(POLICY_PROTECT_PROC), true},
	{"proc subset=", "5.8", "ProcSubset=", NULL, probe_subset, K(POLICY_PROC_SUBSET), true},
	{"pivot_root", "2.3.41", "PrivateTmpMethod=pivot", NULL, probe_pivot_root, K(POLICY_PRIVATE_TMP_METHOD), true},
	{"openat2", "5.6", "every path", "a walk by openat", probe_openat2, FEATURE_ALWAYS, false},
	{"statx mount root", "5.8", "every mount", NULL, probe_statx, ANY_MOUNT, false},
	{"PID namespace", "2.6.24", "PrivatePIDs=", NULL, probe_pid_namespace, K(POLICY_PRIVATE_PIDS), true},
	{"user namespace", "3.8", "PrivateUsers=", NULL, probe_user_namespace, K(POLICY_PRIVATE_USERS), true},
	{"cgroup namespace", "4.6", "ProtectControlGroups=", NULL, probe_cgroup_namespace, K(POLICY_PROTECT_CONTROL_GROUPS),
	 true},
	{"fsopen cgroup2", "5.2", "ProtectControlGroups=", NULL, probe_cgroup2, K(POLICY_PROTECT_CONTROL_GROUPS), true},
	{"pidfd", "5.3", "Scope=user, PrivatePIDs=", "each login has a world of its own", probe_pidfd, 0, false},
	{"clone3", "5.3", "nsclone-keeper, nsclone sys clone", "clone(2)", probe_clone3, 0, false},
	{"SO_PEERPIDFD", "6.5", "nsclone-keeper", "pidfd_open", probe_peer_pidfd, 0, false},
	{"mount namespace id", "6.11", "nsclone-keeper", "without systemd a keeper that was killed does not find its worlds again",
	 probe_mount_namespace_id, 0, false},
	{"keeper", NULL, "Scope=user, PrivatePIDs=, ReturnToHost=", "each login has a world of its own", probe_keeper, 0, true},
	{"kcmp", "3.5", "nsclone compare, nsclone sys kcmp", NULL, probe_kcmp, 0, false},
	{"move_mount onto detached", "6.15", "no setting", "the tree is attached first", probe_move_mount_detached, 0,
	 true},
	{"time namespace", "5.6", "nsclone sys", NULL, probe_time_namespace, 0, true},
};

const size_t n_features = sizeof(features) / sizeof(features[0]);

struct answer {
	int result;
	struct nsclone_error error;
};

/* Seconds after which a probe that hangs is given up. */
enum { LIMIT = 10 };

static void in_child(const struct feature *feature, int to)
{
	struct answer answer = {0};

	alarm(LIMIT);
	if (feature->root) {
		answer.result = nsclone_unshare(CLONE_NEWNS);
		if (answer.result == 0)
			answer.result = nsclone_mount_all_slave();
		if (answer.result < 0)
			nsclone_fail(&answer.error, answer.result, "unshare", "mnt", NULL);
	}
	if (answer.result == 0)
		answer.result = feature->probe(&answer.error);
	_exit(write(to, &answer, sizeof(answer)) == sizeof(answer) ? 0 : 1);
}

static void explain(const struct answer *answer, char *detail, size_t size)
{
	snprintf(detail, size, "%s%s%s: %s", answer->error.call ? answer->error.call : "",
		 *answer->error.object ? " " : "", answer->error.object,
		 *answer->error.reason ? answer->error.reason : strerror(-answer->result));
}

static enum feature_state unseen(const char *why, char *detail, size_t size)
{
	snprintf(detail, size, "%s", why);
	return FEATURE_UNSEEN;
}

enum feature_state feature_try(const struct feature *feature, char *detail, size_t size)
{
	struct answer answer;
	int fds[2];
	ssize_t got;
	pid_t child;

	*detail = '\0';
	if (feature->root && geteuid() != 0)
		return unseen("only root can try", detail, size);
	if (pipe(fds) < 0)
		return unseen(strerror(errno), detail, size);
	fflush(NULL);
	child = fork();
	if (child == 0)
		in_child(feature, fds[1]);
	close(fds[1]);
	got = child < 0 ? 0 : read(fds[0], &answer, sizeof(answer));
	close(fds[0]);
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	if (got != (ssize_t)sizeof(answer))
		return unseen(child < 0 ? "cannot fork" : "the child that tried it was killed", detail, size);
	if (answer.result >= 0)
		return FEATURE_YES;
	explain(&answer, detail, size);
	return FEATURE_NO;
}
