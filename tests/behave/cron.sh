#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The cron daemon. Jobs are @reboot ones: they go the same way as others, and run when the daemon starts.
. "${0%/*}/../lib.sh"
. "${0%/*}/../doors.sh"

service "$(cron_service)"
host_treasure

crontab_of() { # crontab_of USER COMMAND
	local file=/var/spool/cron/crontabs/$1

	[[ $(cron_service) = cron ]] || file=/var/spool/cron/$1
	printf 'MAILTO=""\n@reboot %s\n' "$2" >"$file"
	chown "$1" "$file"
	chmod 600 "$file"
}

run_cron() { # run_cron FILE...: until each is there, or for ten seconds
	local daemon file

	rm -f /run/crond.reboot /run/cron.reboot "$@"
	"$(cron_daemon)" -f >"$WORK/cron.log" 2>&1 </dev/null &
	daemon=$!
	for file; do
		wait_until 10 test -s "$file"
	done
	sleep 0.3
	kill "$daemon"
	wait "$daemon"
	rm -f /run/crond.pid
} 2>/dev/null

full_policy
crontab_of alice "$LOOK >out.new 2>&1; mv out.new out"
crontab_of dave 'ls /tmp >out.new; mv out.new out'
run_cron /home/{alice,dave}/out
host_before
run_cron /home/{alice,dave}/out
view cron /home/alice/out alice
is "cron: dave, of whom no rule speaks, is on the host" "$(grep host-file /home/dave/out)" host-file
host_unchanged cron

echo blocked >/var/lib/blocker
full_policy 'InstanceRoot=/var/lib/blocker'
rm -f /home/alice/out
host_before
mark=$(log_mark)
run_cron /home/dave/out
fails "cron: failing isolation: nothing ran" test -e /home/alice/out
sync_log
like "cron: failing isolation is in the log" "$(log_since "$mark")" 'nsclone.*alice'
host_unchanged "cron: failing isolation"
finish
