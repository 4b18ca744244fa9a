#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# From inside to root: sudo and su end on the host. And PrivatePIDs=, which the kernel lets nobody leave.
# weight: 4
. "${0%/*}/lib.sh"

usual_policy
first_login
host_before
host_world="$(ns_of 1)"

readonly NAMESPACES='readlink /proc/self/ns/mnt /proc/self/ns/ipc /proc/self/ns/uts'
readonly BY_PASSWORD='/opt/nsclone/pty -e assword: -s secret --'

flat() { # a terminal's text as words
	tr -d '\r' | grep -v '^Password: *$' | tr '\n' ' '
}

to_the_host() {
	is "sudo -i from inside: on the host" "$(ssh_as alice "sudo -i $NAMESPACES" 2>&1 | flat)" "$host_world"
	is "sudo from inside: on the host" "$(ssh_as alice "sudo $NAMESPACES" 2>&1 | flat)" "$host_world"
	is "su - from inside: on the host" "$(ssh_as alice "$BY_PASSWORD su - -c '$NAMESPACES'" 2>&1 | flat)" "$host_world"
	is "and back inside afterwards" "$(ssh_as alice 'sudo true; uname -n' 2>&1)" box-alice
	host_after "to root"
}

# su bob inside alice's world: his own, not on top of hers
between_users() {
	local bobs

	hold bob
	bobs=$(ns_of "$(held bob)")
	is "su bob from inside alice's: his world" "$(ssh_as alice "$BY_PASSWORD su - bob -c '$NAMESPACES'" 2>&1 | flat)" "$bobs"
	release bob
	host_after "between users"
}

pids_policy() { # pids_policy [MATCH...]
	{
		printf '%s\n' '[Match]' 'User=alice' "$@"
		printf '%s\n' '[Session]' PrivateTmp=yes PrivatePIDs=yes PrivateIPC=yes PrivateDevShm=yes 'ProtectHostname=yes:box-%u'
	} | policy
}

own_processes() {
	local world

	hold alice
	world=$(ns_of "$(held_outside)")
	is "PrivatePIDs: the next login joins, and sees the first's processes" \
		"$(ssh_as alice 'readlink /proc/self/ns/mnt /proc/self/ns/ipc /proc/self/ns/uts; pgrep -u alice -x sleep >/dev/null && echo sees' 2>&1 | tr '\n' ' ')" \
		"${world}sees "
	is "PrivatePIDs: process 1 is the init of ours" "$(ssh_as alice 'cat /proc/1/comm')" nsclone-init
	is "PrivatePIDs: nothing of the host's" "$(ssh_as alice 'pgrep -x systemd; pgrep -x cron')" ''
	is "PrivatePIDs: su - from root joins" "$(limited su - alice -c "$NAMESPACES" | tr '\n' ' ')" "$world"
	release alice
}

held_outside() { # the pid that she sees is not the one that the host sees
	pgrep -u alice -x sleep | head -n 1
}

# The sentence is told to the user, or to the journal where the id that she is told leads.
no_way_out() {
	local mark out

	mark=$(log_mark)
	out=$(ssh_as alice 'sudo -i true && echo RAN' 2>&1 | flat)
	like "PrivatePIDs: sudo -i is refused, and it is said what to do" "$out $(log_since "$mark" | grep pam_nsclone)" 'nsclone enter --host'
	unlike "PrivatePIDs: sudo -i runs nothing" "$out" RAN
	mark=$(log_mark)
	out=$(ssh_as alice "$BY_PASSWORD su - -c 'echo R''AN'" 2>&1 | flat)
	like "PrivatePIDs: su - is refused, and it is said what to do" "$out $(log_since "$mark" | grep pam_nsclone)" 'nsclone enter --host'
	unlike "PrivatePIDs: su - runs nothing" "$out" RAN
}

by_enter() {
	hold alice
	is "nsclone enter --host: root is on the host" \
		"$(limited nsenter -t "$(held_outside)" -m -i -u -p -- /opt/nsclone/pty -- nsclone enter --host --root -- sh -c "$NAMESPACES" 2>&1 | flat)" \
		"$host_world"
	release alice
}

# Without an exception for systemd-user its session is refused: by us, with a word in the journal, and not by an accident
# of the kernel's. The login itself works.
manager_refused() {
	local mark

	mark=$(log_mark)
	is "PrivatePIDs for all services: ssh works" "$(ssh_as alice 'uname -n; cat /proc/1/comm' 2>&1 | tr '\n' ' ')" 'box-alice nsclone-init '
	holds "PrivatePIDs for all services: the manager is refused" log_has "$mark" 'pam_nsclone\(systemd-user:session\):.*PrivatePIDs'
	like "PrivatePIDs for all services: nsclone check says so" "$(limited nsclone check 2>&1)" 'systemd-user'
	systemctl reset-failed
}

to_the_host
between_users
pids_policy 'Service=!systemd-user'
first_login
host_before
own_processes
no_way_out
by_enter
host_after "PrivatePIDs"
no_failed_units "PrivatePIDs"
pids_policy
manager_refused
host_after "PrivatePIDs for all services"
finish
