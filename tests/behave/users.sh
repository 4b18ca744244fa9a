#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# PrivateUsers=: what each value maps, through which doors it works, and what it refuses while it still can.
# weight: 2
. "${0%/*}/../lib.sh"
. "${0%/*}/../doors.sh"

for name in sshd su sudo login nsctest; do
	service "$name"
done
sed -i '1i auth sufficient pam_permit.so' /etc/pam.d/{su,sudo}
echo 'ALL ALL=(ALL:ALL) NOPASSWD: ALL' >>/etc/sudoers
sed -i '/pam_faildelay/d' /etc/pam.d/login
install_keeper
echo 'far:x:70001:70001:far:/:/bin/sh' >>/etc/passwd
echo 'far:x:70001:' >>/etc/group

declare -A MAP=([yes]="0 0 1 20003 20003 1" [self]="0 0 1 20003 20003 1" [identity]="0 0 65536" [full]="0 0 1 1 1 4294967294")
# In a user namespace that is made of pieces only what lies within one of them can be mapped.
values="yes self identity full"
if [[ $NSC_WORLD != root ]]; then
	impossible "identity and full" "the ids of this user namespace are not in one piece" test "$(wc -l </proc/self/uid_map)" -gt 1
	values="yes self"
fi
readonly LOOK_UP='echo "$(id) $(xargs </proc/self/uid_map) / $(xargs </proc/self/gid_map) $(readlink /proc/self/ns/user)"'

users() { # users VALUE [LINE...]: carol's rule; she is in no group but her own
	local value=$1

	shift
	rule User=carol PrivateTmp=yes "PrivateUsers=$value" "$@" | policy
}

empty() { # no world is left
	! /opt/nsclone/nsclone list 2>/dev/null | grep -q '^carol'
}

#
# The doors
#
door() { # door VALUE NAME GOT: the map, and everybody in one user namespace
	like "$1, $2" "$3" "^uid=20003.carol. gid=20003.carol. groups=20003.carol. ${MAP[$1]} / ${MAP[$1]} $ns\$"
}

doors() { # doors VALUE
	local value=$1 ns='user:.[0-9]+.' holder

	users "$value"
	door "$value" "pam-login" "$(login -q carol -- sh -c "$LOOK_UP; echo hers >/tmp/hers; sleep 1000 >/dev/null 2>&1 & echo \$! >/home/carol/pid" 2>&1)"
	holder=$(cat /home/carol/pid)
	ns=$(readlink "/proc/$holder/ns/user" | sed 's/[][]/./g')
	unlike "$value: it is not the host's" "$(host_ns user)" "$ns"
	door "$value" "pam-login joins" "$(login -q carol -- sh -c "$LOOK_UP")"
	door "$value" "su joins" "$(su carol -c "$LOOK_UP")"
	[[ $NSC_WORLD != root ]] || door "$value" "sudo joins" "$(sudo -n -u carol sh -c "$LOOK_UP")"
	door "$value" "ssh joins" "$(ssh_as carol "$LOOK_UP")"
	is "$value: what one has written the next one reads, and owns" \
		"$(login -q carol -- sh -c 'cat /tmp/hers; stat -c "%u %g" /tmp/hers /tmp /home/carol | xargs')" hers$'\n'"20003 20003 0 0 20003 20003"
	kill "$holder"
	wait_until 5 empty
}

# sshd and login give the terminal to the group tty, which has no place in the map of yes.
on_a_terminal() {
	local value

	for value in identity full; do
		[[ $values = *$value* ]] || continue
		users $value
		like "$value: ssh on a terminal" "$(ssh_as carol -tt id)" '^uid=20003'
		like "$value: login" "$(/opt/nsclone/pty -e 'carol> ' -s 'id; exit' -- login -f carol 2>&1)" 'uid=20003'
	done
	users yes
	unlike "yes: no ssh on a terminal" "$(ssh_as carol -tt id 2>&1)" '^uid='
	unlike "yes: no login" "$(/opt/nsclone/pty -t 5 -e 'carol> ' -s 'id; exit' -- login -f carol 2>&1)" 'uid='
	wait_until 5 empty
}

foreign_files() {
	users yes
	is "yes: what others have is nobody's" "$(login -q carol -- stat -c %u:%g /home/dave)" 65534:65534
	[[ $values = *full* ]] || return
	users identity
	is "identity: what others have is theirs" "$(login -q carol -- stat -c %u:%g /home/dave)" 20004:20004
	users full
	is "full: what others have is theirs" "$(login -q carol -- stat -c %u:%g /home/dave)" 20004:20004
	wait_until 5 empty
}

#
# What it refuses
#
refused_with() { # refused_with NAME MESSAGE USER
	local mark

	mark=$(log_mark)
	refused "$1" "$3"
	sync_log
	like "$1: the log says why" "$(log_since "$mark")" "refused .*user=$3 .*$2.*, asked for by .*50-test.conf"
}

without_a_place() {
	for value in yes self; do
		rule User=alice PrivateTmp=yes PrivateUsers=$value | policy
		refused_with "$value, a group that has no place" 'the supplementary group 20050 has no place in the map' alice
	done
	rule User=far PrivateTmp=yes PrivateUsers=identity | policy
	refused_with "identity, a uid that has no place" 'uid 70001 has no place in the map' far
	rule User=alice PrivateTmp=yes PrivateUsers=yes OnFailure=warn | policy
	gets "OnFailure=warn, a group that has no place" host alice
	[[ $values = *full* ]] || return
	rule User=far PrivateTmp=yes PrivateUsers=yes | policy
	gets "yes, a great uid" own far
	rule User=alice PrivateTmp=yes PrivateUsers=full | policy
	is "full: supplementary groups stay" "$(login -q alice -- id -Gn)" "alice nscstaff"
	rule User=alice PrivateTmp=yes PrivateUsers=identity | policy
	is "identity: supplementary groups stay" "$(login -q alice -- id -Gn)" "alice nscstaff"
	wait_until 5 eval '! /opt/nsclone/nsclone list 2>/dev/null | grep -q .'
}

#
# Its end, and the daemon
#
closing() {
	local look='readlink /proc/self/ns/mnt /proc/self/ns/user'

	users yes
	is "close does not fail, once or twice" "$(login --close-twice carol -- true | tr '\n' ';')" \
		"open 0 Success;exit 0 ;close 0 Success;close 0 Success;"
	unlike "the process of the daemon stays in it" "$(login -q --after "$look" carol -- true)" "$(host_ns user | tr -dc 0-9)"
	is "a process that is in it can open no other" "$(login --times 2 carol -- true | tr '\n' ';' | sed 's/id [0-9a-f]*/id/')" \
		"open 0 Success;exit 0 ;close 0 Success;message error Login refused: your session could not be isolated (id). Tell your administrator.;open 4 System error;"
	holds "nothing of it stays" wait_until 5 empty
	host_unchanged "PrivateUsers"
	users yes PrivatePIDs=yes PrivateIPC=yes PrivateNetwork=yes ProtectHostname=yes:box
	like "with all other namespaces" "$(login -q carol -- sh -c "uname -n; ls /sys/class/net; cat /proc/1/comm; $LOOK_UP" | tr '\n' ' ')" \
		'^box lo nsclone-init uid=20003.carol. gid=20003.carol. groups=20003.carol. 0 0 1 20003 20003 1 / 0 0 1 20003 20003 1 user:'
	wait_until 5 empty
	host_unchanged "PrivateUsers and all others"
}

#
# From inside
#
inside() {
	local out mark

	no_setuid "logins out of PrivateUsers" && return
	{
		rule User=carol PrivateTmp=yes PrivateUsers=identity
		rule User=bob PrivateTmp=yes
		rule User=alice PrivateTmp=yes Scope=session
	} | policy
	mark=$(log_mark)
	is "root by su: there is no way out, it stays" "$(login -q carol -- su root -c 'id -u; xargs </proc/self/uid_map')" 0$'\n'"0 0 65536"
	is "dave, of whom no rule speaks, stays" "$(login -q carol -- sudo -n -u dave id -un)" dave
	for user in bob alice carol; do
		out=$(login -q carol -- sh -c "su $user -c 'echo RAN'; sudo -n -u $user echo RAN" 2>&1)
		unlike "$user, who would be isolated, is refused" "$out" RAN
	done
	sync_log
	like "root by su: the log says why it stays" "$(log_since "$mark")" \
		'not returned to the host user=root: it stays where it is, a user namespace \(PrivateUsers=\) can be left by nobody'
	is "the log says why they are refused" \
		"$(log_since "$mark" | grep -c 'refused .*a user namespace (PrivateUsers=) can be left by nobody')" 6
	users yes
	unlike "yes: sudo does not work inside" "$(login -q carol -- sudo -n id 2>&1)" '^uid=0'
	wait_until 5 empty
	host_unchanged "logins out of PrivateUsers"
}

start_sshd
users yes
login -q carol -- true # what is made once and kept
rule User=alice PrivateTmp=yes | policy
login -q alice -- true
rule 'User=bob far' PrivateTmp=yes | policy
login -q bob -- true
[[ $values != *full* ]] || login -q far -- true
wait_until 5 eval '! /opt/nsclone/nsclone list 2>/dev/null | grep -q .'
host_before
for value in $values; do
	doors "$value"
done
rm -f /home/carol/pid
on_a_terminal
foreign_files
without_a_place
closing
inside
host_unchanged "PrivateUsers, in the end"
stop_sshd
finish
