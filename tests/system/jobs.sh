#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# cron and at: the jobs of a user run in a world of hers. cron starts jobs at the full minute, so this takes its time.
# weight: 9
. "${0%/*}/lib.sh"

usual_policy Scope=session

# What a job of hers sees: namespaces, host name, what is in /tmp
readonly SEES='{ readlink /proc/self/ns/mnt /proc/self/ns/ipc /proc/self/ns/uts; uname -n; echo tmp: $(ls -A /tmp); }'

arrived() { # arrived FILE
	grep -q '^tmp:' "$1"
}

judge() { # judge NAME FILE
	if [[ ! -s $2 ]]; then
		not_ok "$1: ran"
		return
	fi
	is "$1: three namespaces of its own" \
		"$(grep -E '^(mnt|ipc|uts):\[' "$2" | grep -cvxF -e "$(host_ns mnt)" -e "$(host_ns ipc)" -e "$(host_ns uts)")" 3
	is "$1: the host name" "$(grep '^box-' "$2")" box-alice
	unlike "$1: not the host's /tmp" "$(grep '^tmp:' "$2")" host-file
}

echo host >/tmp/host-file
first_login
host_before

echo "* * * * * $SEES >/home/alice/by-cron 2>&1" | crontab -u alice -
cat >/home/alice/job <<<"$SEES >/home/alice/by-at 2>&1"
limited su - alice -c 'at -f job now' >/dev/null 2>&1
wait_until 30 arrived /home/alice/by-at
judge "at" /home/alice/by-at
mark=$(log_mark)
wait_until 75 arrived /home/alice/by-cron
judge "cron" /home/alice/by-cron
crontab -u alice -r
holds "the journal: cron's session" log_has "$mark" 'CRON.*session opened for user alice'
wait_until 10 log_has "$mark" 'CRON.*session closed for user alice' || not_ok "the journal: the end of cron's session" "$(log_since "$mark")"
rm -f /home/alice/{by-cron,by-at,job}
host_after "jobs"
no_failed_units "jobs"
finish
