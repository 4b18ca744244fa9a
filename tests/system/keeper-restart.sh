#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The keeper is restarted, killed, upgraded and stopped under live sessions: they go on, and the next login joins them.
# weight: 4
. "${0%/*}/lib.sh"

usual_policy
first_login
host_before

# unharmed NAME: alice is in there, and whoever comes now is with her
unharmed() {
	is "$1: the session goes on" "$(nsenter -t "$(held alice)" -m -u sh -c 'cat /tmp/file; uname -n' 2>&1 | tr '\n' ' ')" 'one box-alice '
	is "$1: the next login by ssh joins it" "$(ssh_as alice 'cat /tmp/file; readlink /proc/self/ns/mnt /proc/self/ns/ipc /proc/self/ns/uts' 2>&1 | tr '\n' ' ')" "one $world"
	is "$1: the next login by su joins it" "$(limited su - alice -c 'cat /tmp/file' 2>&1)" one
	is "$1: the keeper is there" "$(systemctl is-active nsclone-keeper.service)" active
}

another_keeper() { # another_keeper PID: not that one, and it is up
	[[ $(keeper) != 0 && $(keeper) != "$1" ]]
}

restarted() {
	local before

	before=$(keeper)
	limited systemctl restart nsclone-keeper.service
	wait_until 10 another_keeper "$before" || not_ok "restart: another process" "$before, $(keeper)"
	unharmed "restart"
	like "restart: systemd keeps its descriptors" "$(systemctl show -P NFileDescriptorStore nsclone-keeper.service)" '^[1-9]'
}

killed() {
	kill_keeper
	unharmed "kill -9 of the keeper"
}

upgraded() {
	local binary

	binary=$(readlink "/proc/$(keeper)/exe")
	cp -p "$binary" "$binary.new" && mv "$binary.new" "$binary"
	like "upgrade: the old one still runs" "$(readlink "/proc/$(keeper)/exe")" ' \(deleted\)$'
	limited systemctl restart nsclone-keeper.service
	unharmed "upgrade"
	is "upgrade: the new one runs" "$(readlink "/proc/$(keeper)/exe")" "$binary"
}

ten_restarts() {
	local i

	for i in {1..10}; do
		limited systemctl restart nsclone-keeper.service || not_ok "ten restarts: number $i"
		systemctl reset-failed nsclone-keeper.service nsclone-keeper.socket
	done
	unharmed "ten restarts"
}

# Without it there is nothing to share, but nobody is locked out and nobody is on the host.
stopped() {
	limited systemctl stop nsclone-keeper.socket nsclone-keeper.service
	unlike "no keeper: she gets in, isolated" "$(ssh_as alice 'readlink /proc/self/ns/mnt' 2>&1)" "^$(host_ns mnt | sed 's/[][]/\\&/g')$|^$"
	everybody_out "no keeper"
	limited systemctl start nsclone-keeper.socket
	is "the keeper is back" "$(ssh_as alice 'echo in' 2>&1)" in
	host_after "no keeper"
	no_failed_units "no keeper"
}

# logind kills what a session leaves; what other sessions are in stays.
kill_user_processes() {
	local first

	printf '[Login]\nKillUserProcesses=yes\n' >/etc/systemd/logind.conf.d/kill.conf
	limited systemctl restart systemd-logind.service
	hold alice 'echo one >/tmp/file'
	world=$(ns_of "$(held alice)")
	first=$(ssh_as alice 'setsid sleep 1000 >/dev/null 2>&1 </dev/null & echo $!')
	wait_until 20 test ! -e "/proc/$first" || not_ok "KillUserProcesses=yes: logind kills what she left"
	unharmed "KillUserProcesses=yes, one session ends"
	release alice
	rm /etc/systemd/logind.conf.d/kill.conf
	everybody_out "KillUserProcesses=yes"
	limited systemctl restart systemd-logind.service
}

hold alice 'echo one >/tmp/file'
world=$(ns_of "$(held alice)")
unharmed "before"
restarted
killed
upgraded
ten_restarts
release alice
host_after "restarts"
no_failed_units "restarts"
stopped
kill_user_processes
finish
