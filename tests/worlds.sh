# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What tests of shared worlds have in common. Sourced after lib.sh and doors.sh.

# For a user's shell: which world is this? The numbers are its own as long as somebody keeps it.
readonly NAMESPACES='for n in mnt ipc uts net; do readlink /proc/self/ns/$n; done | tr "\n" " "'
readonly HELD=/var/lib/nsclone

nsclone() {
	/opt/nsclone/nsclone "$@"
}

worlds_of() { # worlds_of USER: the ids of those that the keeper holds
	nsclone list -n -r -o USER,WORLD | awk -v "user=$1" '$1 == user { print $2 }' | sort -u
}

n_worlds() { # n_worlds USER
	worlds_of "$1" | grep -c .
}

n_sessions() { # n_sessions USER
	nsclone list -J -o USER,PID | jq "[.[][] | select(.user == \"$1\" and .pid != null)] | length"
}

has_worlds() { # has_worlds USER N
	[[ $(n_worlds "$1") = "$2" ]]
}

has_sessions() { # has_sessions USER N
	[[ $(n_sessions "$1") = "$2" ]]
}

nobody_is_in() { # the keeper holds nothing any more
	[[ -z $(nsclone list -n) ]]
}

all_over() { # all_over NAME: and so does the host, since host_before
	wait_until 10 nobody_is_in || not_ok "$1: nobody is left" "$(nsclone list)"
	host_unchanged "$1"
}

n_keepers() {
	keeper_pids | wc -l
}

session_directories() { # session_directories UID: those that end with a world, in one line
	find "$HELD/$1" -mindepth 1 -maxdepth 1 -name '.session-*' | wc -l
}

# A login that stays until go_on; meanwhile it says that it is there, and by which process, in a file.
stays() { # stays NAME: for the user's shell
	echo "echo \$\$ >/home/alice/in-$1; until test -e /home/alice/go-$1; do sleep 0.1; done"
}

is_in() { # is_in NAME...: those that stay
	local name

	for name; do
		wait_until 20 test -s "/home/alice/in-$name" || not_ok "$name gets in"
	done
}

go_on() { # go_on NAME PID: and wait for it
	: >"/home/alice/go-$1"
	wait "$2"
	rm -f "/home/alice/"{in,go}-"$1"
}

namespaces() { # namespaces [OPTION...] USER: of a login through libpam
	login --quiet "$@" -- sh -c "$NAMESPACES"
}

litter() { # what is left of sessions, in one line
	find "$HELD" /run/nsclone/sessions /run/nsclone/worlds -mindepth 1 \( -name '.session-*' -o -path '/run/*' \) | tr '\n' ' '
}
