#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The machine boots with the product installed, and `nsclone check` finds nothing wrong with it.
. "${0%/*}/lib.sh"

is "the system is running" "$(systemctl is-system-running)" running
no_failed_units "after boot"
is "the module and the command find their libraries" \
	"$(ldd /usr/sbin/nsclone "$(find /usr/lib -name pam_nsclone.so)" 2>&1 | grep 'not found')" ''
is "no rule: alice is on the host" "$(su - alice -c 'readlink /proc/self/ns/mnt')" "$(host_ns mnt)"
wait_until 20 nobody_in

usual_policy Scope=session
out=$(limited nsclone check 2>&1)
is "nsclone check: its exit status" "$?" 0
is "nsclone check: finds nothing wrong with the policy, the stacks and this machine" "$out" "1 rule, 0 errors, 0 warnings"
finish
