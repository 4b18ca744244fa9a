#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# try.sh: what nsclone does, in one table. `sudo make try` calls it.
#
# In private mount and PID namespaces, in which users, policy and state are scratch copies, alice and bob log in at the
# same time through libpam and pam_nsclone.so, under the policy of conf/samples/50-shell-server.conf; bob is in its group
# exam. Then alice logs in once more, and joins her world. The table shows what each of them sees, beside what the machine
# itself has. Nothing is changed on the machine, which it checks at the end.
set -u

SRC=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
B=${B:-build}
[[ $B = /* ]] || B=$SRC/$B
readonly POLICY=conf/samples/50-shell-server.conf SCRATCH=/run/nsclone-try
readonly KINDS="mnt ipc uts net user"
users=(alice bob)
logins=(alice again bob)

die() {
	echo "try: $*" >&2
	exit 1
}

#
# What one sees from where one is; the same script for the machine and for each user.
#
readonly LOOK='
line() { tr "\n" " " | sed "s/ *$//"; }
for kind in '$KINDS'; do echo "$kind $(readlink /proc/self/ns/$kind)"; done
echo "tmp $(ls -A /tmp | line)"
echo "shm $(ls -A /dev/shm | line)"
echo "host $(uname -n)"
echo "segments $(awk "NR > 1 { printf \"0x%08x \", \$1 < 0 ? \$1 + 4294967296 : \$1 }" /proc/sysvipc/shm)"
echo "interfaces $(sed -n "s/^ *\([^:]*\):.*/\1/p" /proc/self/net/dev | line)"
'

#
# Outside: the machine
#
machine() { # what must be the same in the end
	sed -E 's/^[0-9]+ [0-9]+ //' /proc/self/mountinfo
	awk '{ print $1, $2 }' /proc/sysvipc/shm
	uname -n
	# others may be at work in there: what would be ours
	find /tmp /var/tmp /dev/shm -xdev \( -uid 20001 -o -uid 20002 -o -name '*-of-alice' -o -name '*-of-bob' \) 2>/dev/null | sort
	ls -AR /run/nsclone /var/lib/nsclone 2>&1
	cat /etc/passwd /etc/group
}

outside() {
	local dir before segment

	[[ $(id -u) = 0 ]] || die "it makes namespaces: sudo make try"
	[[ -e $SRC/$POLICY ]] || die "no $POLICY"
	before=$(machine)
	dir=$(mktemp -d) || exit
	segment=$(ipcmk -M 4096 -p 0600 2>/dev/null | grep -o '[0-9]*$')
	trap 'rm -rf "$dir"; [[ -z $segment ]] || ipcrm -m "$segment" 2>/dev/null' EXIT
	mkfifo "$dir/go" # outside the scratch copies, to be read from within
	sh -c "$LOOK" >"$dir/host"
	sed -i "s/ *$(basename "$dir")//" "$dir/host"
	B=$B NSC_TRY=$dir unshare --mount --pid --fork --kill-child --mount-proc --propagation private -- bash "${BASH_SOURCE[0]}" || exit
	table "$dir"
	joined "$dir" || die "alice's second login has not joined her world"
	rm -rf "$dir"
	[[ -z $segment ]] || ipcrm -m "$segment"
	trap - EXIT
	if [[ $(machine) = "$before" ]]; then
		echo "The machine is as it was: mounts, segments, users, state and what alice and bob left were compared."
	else
		die "the machine has changed meanwhile: $(diff <(echo "$before") <(machine))"
	fi
}

#
# Inside: scratch copies over what logging in writes or reads
#
scratch() {
	local user uid=20001 file

	mount -t tmpfs -o mode=755 scratch /run && mkdir "$SCRATCH" || die "/run"
	cp "$B"/{pam_nsclone.so,nsclone-keeper,nsclone-init,tests/pam-login} "$SCRATCH" || die "build first: make all"
	cp "$SRC/$POLICY" "$SCRATCH/50-policy.conf"
	cp -a /etc/security "$SCRATCH/security" && mount --bind "$SCRATCH/security" /etc/security || die "/etc/security"
	rm -rf /etc/security/nsclone.conf /etc/security/nsclone.d
	mkdir /etc/security/nsclone.d && install -m 644 "$SCRATCH/50-policy.conf" /etc/security/nsclone.d
	mount -t tmpfs -o mode=755 scratch /home && mount -t tmpfs -o mode=755 scratch /var/lib || die "/home"
	for file in passwd group shadow; do
		grep -Ev '^(alice|bob|exam):' "/etc/$file" >"$SCRATCH/$file"
	done
	for user in "${users[@]}"; do
		echo "$user:x:$uid:$uid::/home/$user:/bin/sh" >>"$SCRATCH/passwd"
		echo "$user:x:$uid:" >>"$SCRATCH/group"
		echo "$user:*:19000:0:99999:7:::" >>"$SCRATCH/shadow"
		install -d -m 700 -o "$uid" -g "$uid" "/home/$user"
		uid=$((uid + 1))
	done
	echo "exam:x:20060:bob" >>"$SCRATCH/group"
	for file in passwd group shadow; do
		chmod --reference="/etc/$file" "$SCRATCH/$file"
		mount --bind "$SCRATCH/$file" "/etc/$file" || die "/etc/$file"
	done
	printf '%s required pam_permit.so\n' auth account >"$SCRATCH/try"
	echo "session required $SCRATCH/pam_nsclone.so" >>"$SCRATCH/try"
}

session() { # session LOGIN USER WHAT: one login, which stays until the others have looked, too
	"$SCRATCH/pam-login" --quiet --confdir "$SCRATCH" --service try --tty "pts/$1" "$2" -- sh -c "
		$3
		$LOOK
		exec cat <&3 >/dev/null" 3<"$NSC_TRY/go" >"$NSC_TRY/$1" 2>&1 || { cat "$NSC_TRY/$1" >&2; exit 1; }
}

have_looked() { # have_looked LOGIN...
	local i login

	for login; do
		for ((i = 0; i < 200; i++)); do
			grep -q '^interfaces ' "$NSC_TRY/$login" 2>/dev/null && break
			sleep 0.05
		done
	done
}

inside() {
	local user keeper i status=0
	local -a sessions=()

	scratch
	"$SCRATCH/nsclone-keeper" --foreground & # this shell is process 1 of a PID namespace: what it calls host is the scratch
	keeper=$!
	for ((i = 0; i < 200; i++)); do
		[[ ! -S /run/nsclone/keeper.sock ]] || break
		sleep 0.05
	done
	# Opening the pipe lets them go on; all of them have it open before anybody writes or leaves.
	exec 4<>"$NSC_TRY/go"
	for user in "${users[@]}"; do
		session "$user" "$user" "echo mine >/tmp/note-of-$user; echo mine >/dev/shm/shm-of-$user; ipcmk -M 4096 >/dev/null" 4>&- &
		sessions+=($!)
	done
	have_looked "${users[@]}"
	session again alice : 4>&- &
	sessions+=($!)
	have_looked again
	exec 4>&-
	for user in "${sessions[@]}"; do
		wait "$user" || status=1
	done
	kill "$keeper"
	return "$status"
}

#
# The table
#
fact() { # fact DIRECTORY WHO WHAT
	sed -n "s/^$3 //p" "$1/$2" | sed -E 's/^[a-z]+:\[([0-9]+)\]$/\1/; s/ *$//'
}

short() { # short TEXT: what fits into a cell
	local text=${1:-(nothing)}
	local -a words

	read -ra words <<<"$text"
	((${#text} <= 20)) || text="${#words[@]} names"
	echo "$text"
}

row() { # row TITLE CELL...
	printf '  %-14s  %-20s  %-20s  %-20s  %s\n' "$@"
}

namespace_row() { # namespace_row DIRECTORY KIND
	local host who value
	local -a cells=()

	host=$(fact "$1" host "$2")
	for who in "${logins[@]}"; do
		value=$(fact "$1" "$who" "$2")
		[[ $value != "$host" ]] || value="the host's"
		cells+=("$value")
	done
	row "$2" "$host" "${cells[@]}"
}

fact_row() { # fact_row DIRECTORY TITLE WHAT
	local who
	local -a cells=()

	for who in host "${logins[@]}"; do
		cells+=("$(short "$(fact "$1" "$who" "$3")")")
	done
	row "$2" "${cells[@]}"
}

joined() { # joined DIRECTORY
	local kind

	for kind in mnt ipc tmp; do
		[[ $(fact "$1" again "$kind") = "$(fact "$1" alice "$kind")" && $(fact "$1" again "$kind") != "$(fact "$1" host "$kind")" ]] ||
			return
	done
}

table() {
	local kind rule

	printf -v rule '%.0s-' {1..20}
	echo
	echo "Logins at the same time, under $POLICY (bob is in the group exam):"
	echo
	row "" "the host" alice "alice once more" bob
	row "${rule:0:14}" "$rule" "$rule" "$rule" "$rule"
	for kind in $KINDS; do
		namespace_row "$1" "$kind"
	done
	fact_row "$1" /tmp tmp
	fact_row "$1" /dev/shm shm
	fact_row "$1" "host name" host
	fact_row "$1" "SysV segments" segments
	fact_row "$1" interfaces interfaces
	echo
}

if [[ ${NSC_TRY-} ]]; then
	inside
else
	outside
fi
