/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * setfsuid(2) rather than seteuid(2): it concerns this thread only, sends no signals and lets nobody ptrace or kill us
 * in between. The supplementary groups stay the caller's: login programs have set the user's before they open a session.
 */
#include "lib/session/identity.h"
#include <errno.h>
#include <sys/prctl.h>
#include "lib/core/sys.h"

int identity_enter(uid_t uid, gid_t gid, struct identity *ret)
{
	int r;

	ret->dumpable = sys_prctl(PR_GET_DUMPABLE, 0);
	r = sys_prctl(PR_GET_PDEATHSIG, (unsigned long)&ret->death_signal);
	if (ret->dumpable < 0 || r < 0)
		return r < 0 ? r : ret->dumpable;
	r = sys_set_fs_ids(uid, gid);
	if (r < 0)
		identity_leave(ret);
	return r;
}

int identity_leave(const struct identity *identity)
{
	int r = sys_set_fs_ids(sys_geteuid(), sys_getegid());

	if (identity->dumpable == 1 && sys_prctl(PR_SET_DUMPABLE, 1) < 0)
		r = -EPERM;
	if (identity->death_signal && sys_prctl(PR_SET_PDEATHSIG, (unsigned long)identity->death_signal) < 0)
		r = -EPERM;
	return r;
}
