#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# user@UID.service with the module in the stack of systemd-user: each session, the manager's included, is a world of its own.
# weight: 5
. "${0%/*}/lib.sh"

usual_policy Scope=session
first_login
host_before

starts() {
	local pid manager

	hold alice
	pid=$(held alice)
	manager=$(manager_of alice)
	is "the manager is active" "$(systemctl is-active "user@$(id -u alice).service")" active
	like "its systemd runs" "$(readlink "/proc/$manager/exe")" '/systemd$'
	is "it runs as alice" "$(stat -c %U "/proc/$manager")" alice
	is "it is in a world of its own" "$(readlink "/proc/$manager/ns/mnt" "/proc/1/ns/mnt" "/proc/$pid/ns/mnt" | sort -u | wc -l)" 3
	is "it is running, without a failed unit" \
		"$(ssh_as alice 'systemctl --user is-system-running --wait; systemctl --user --failed --no-legend')" running
	is "what it runs is in the manager's world" \
		"$(ssh_as alice 'systemd-run --user --wait --pipe -q readlink /proc/self/ns/mnt' 2>&1)" "$(readlink "/proc/$manager/ns/mnt")"
	is "nothing that it runs sees the host's /tmp" "$(touch /tmp/host-file
		ssh_as alice 'systemd-run --user --wait --pipe -q ls -A /tmp' 2>&1)" ''
	rm /tmp/host-file
	release alice
	host_after "manager"
	no_failed_units "manager"
}

no_manager() {
	! systemctl is-active -q "user@$(id -u alice).service"
}

# Killed, not stopped: (sd-pam) has no time to close
killed() {
	hold alice
	systemctl kill --signal=KILL "user@$(id -u alice).service"
	wait_until 10 no_manager
	is "a killed manager: the session is still hers" "$(nsenter -t "$(held alice)" -u uname -n)" box-alice
	release alice
	everybody_out "a killed manager"
	systemctl reset-failed
	is "a killed manager: the next login has one" "$(ssh_as alice 'systemctl --user is-active basic.target' 2>&1)" active
	host_after "a killed manager"
	no_failed_units "a killed manager"
}

starts
readonly COMMAND='echo in; echo mine >/tmp/mine; systemctl --user is-active basic.target'
ten_times "ten logins, one right after the other" "$COMMAND" 'in active ' true
ten_times "ten logins, each when the manager is gone" "$COMMAND" 'in active ' wait_until 20 nobody_in
killed
finish
