#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# su(1) and runuser(1): from root, between users, inside one another; and isolation that fails.
# weight: 2
. "${0%/*}/../lib.sh"

for name in su su-l runuser runuser-l; do
	service "$name"
done
full_policy
host_treasure
su alice -c true # what is made once and kept
host_before

plain() { # plain PROGRAM
	cd /home/alice && "$1" alice -c "$LOOK" >"$WORK/plain" 2>&1
	view "$1" "$WORK/plain" alice
	cd / && "$1" - alice -c "$LOOK" >"$WORK/login" 2>&1
	view "$1 -" "$WORK/login" alice
	host_unchanged "$1"
}

# The working directory: entered again by its path in the new tree, as the target user, else /.
directory() {
	cd /tmp && su alice -c "$LOOK" >"$WORK/in-tmp" 2>&1
	view "su from /tmp is in the private /tmp" "$WORK/in-tmp" alice /tmp
	is "nothing of the host's is below the working directory" "$(su alice -c 'ls -A; ls -A ../tmp')" ''
	mkdir /tmp/host-directory && cd /tmp/host-directory || exit
	is "a directory that is not there any more: /" "$(su alice -c 'pwd -P; ls ../tmp')" /
	cd / && rmdir /tmp/host-directory
	mkdir -m 700 /srv/closed && cd /srv/closed || exit
	is "a directory that the target may not enter: /" "$(su alice -c 'pwd -P')" /
	cd /usr/share && is "any other directory: the same" "$(su alice -c 'pwd -P')" /usr/share
	cd / && rmdir /srv/closed
	host_unchanged "su: working directories"
}

status() {
	su alice -c 'exit 7'
	is "su: the exit status comes through" "$?" 7
}

# alice, in her world, becomes bob: his isolation is stacked onto hers, and hers is as before when he is gone.
between_users() {
	no_setuid "su inside su" && return
	cat >/home/alice/between <<-END
		echo hers >/tmp/hers
		/opt/nsclone/pty -e assword: -s secret -- su - bob -c "ls -A /tmp; $LOOK" >/home/alice/bobs
		ls -A /tmp; uname -n
	END
	su - alice -c "sh between" >"$WORK/between" 2>&1
	sed -i '/^Password: *$/d' /home/alice/bobs
	tr -d '\r' </home/alice/bobs >"$WORK/bobs"
	view "su inside su" "$WORK/bobs" bob
	is "su inside su: alice is back in hers" "$(tr '\n' ' ' <"$WORK/between")" "hers box-alice "
	rm -f /home/alice/{between,bobs}
	host_unchanged "su inside su"
}

# on_a_terminal: with -P su makes a pty of its own, in the new tree's /dev/pts
on_a_terminal() {
	/opt/nsclone/pty -e 'alice> ' -s "$LOOK; exit 3" -- su -P - alice >"$WORK/terminal"
	is "su -P: the exit status comes through" "$?" 3
	view "su -P on a terminal" "$WORK/terminal" alice
	host_unchanged "su -P"
}

failing() {
	local mark name

	echo blocked >/var/lib/blocker
	full_policy 'InstanceRoot=/var/lib/blocker'
	for name in su "su -" runuser; do
		mark=$(log_mark)
		# shellcheck disable=SC2086 # two words
		$name alice -c 'echo ran >/home/alice/ran; echo RAN' >"$WORK/failing" 2>&1 &&
			not_ok "$name: failing isolation is a failure" || ok "$name: failing isolation is a failure"
		fails "$name: failing isolation stops the command" grep -q RAN "$WORK/failing"
		fails "$name: failing isolation: nothing ran" test -e /home/alice/ran
		same_id "$name" "$(cat "$WORK/failing")" "$mark"
	done
	is "su: dave, of whom no rule speaks, gets in" "$(su dave -c 'ls /tmp/host-file')" /tmp/host-file
	is "su: root, of whom no rule speaks, gets in" "$(su root -c 'ls /tmp/host-file')" /tmp/host-file
	host_unchanged "su: failing isolation"
}

plain su
plain runuser
directory
status
between_users
on_a_terminal
failing
finish
