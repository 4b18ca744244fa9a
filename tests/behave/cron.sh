#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The cron daemon.
. "${0%/*}/../lib.sh"
. "${0%/*}/../doors.sh"

service "$(cron_service)"
host_treasure

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
