#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every system call that the module makes while it opens a session fails once (strace injects the error). Each time the
# login is refused, or the session is isolated as fully as without the fault; and the host is as it was.
# weight: 9
. "${0%/*}/../lib.sh"
. "${0%/*}/../sweep.sh"

# A look that is quick: this runs some hundred times.
readonly QUICK='
	for kind in mnt ipc uts net; do readlink /proc/self/ns/$kind; done
	ls -A /tmp /var/tmp /dev/shm /dev/mqueue; id -G; uname -n; pwd
	awk "\$5 == \"/tmp\" || \$5 == \"/var/tmp\" || \$5 == \"/dev/shm\" || \$5 == \"/proc\" || \$5 == \"/sys\" { print \$5, \$6, \$(NF - 2) }" /proc/self/mountinfo
	cat /sys/class/net/lo/flags; echo /sys/class/net/*; ls -d /proc/1 2>&1; grep -c shared: /proc/self/mountinfo'

service nsctest
full_policy
host_treasure
login alice -- true >/dev/null
host_before

# What QUICK shows with the numbers that change from session to session taken out, but not if they are the host's.
shape() {
	sed -E "s/$(host_ns mnt | sed 's/[][]/\\&/g')/HOST/; s/$(host_ns ipc | sed 's/[][]/\\&/g')/HOST/
		s/$(host_ns uts | sed 's/[][]/\\&/g')/HOST/; s/$(host_ns net | sed 's/[][]/\\&/g')/HOST/" |
		sed -E 's/^((mnt|ipc|uts|net):).*/\1/; s/([a-z]+) [0-9]+ //'
}

# fault SYSCALL NUMBER ERRNO: prints what is wrong, and whether it was refused or went well
fault() {
	local out code

	if [[ $1 = syscall_0x* ]]; then # strace is older than that call
		out=$(cd /usr/share && denied "$3" $((${1#syscall_})) alice -- sh -c "$QUICK")
	else
		out=$(cd /usr/share && hit "$1" "$2" "error=$3" alice -- sh -c "$QUICK")
	fi
	code=$(sed -n 's/^open \([0-9]*\) .*/\1/p' <<<"$out")
	if [[ $code = 0 ]]; then
		echo well >"$WORK/outcome"
		# "else /" is what design.md has of a working directory that cannot be entered
		out=$(grep -Ev '^(open|exit|close|message) ' <<<"$out" | shape | sed 's|^/$|/usr/share|')
		[[ $out = "$whole" ]] || echo "got in, but not as isolated as it should be: $(diff <(echo "$out") <(echo "$whole"))"
	else
		echo refused >"$WORK/outcome"
		[[ $code != 14 ]] || echo "PAM_SESSION_ERR"
		[[ -n $code ]] || echo "no answer: $out"
	fi
	nothing_stays
}

nothing_stays() {
	local left

	left=$(find /var/lib/nsclone /run/nsclone -mindepth 1 ! -path /run/nsclone/sessions)
	[[ -z $left ]] || echo "stays behind: $left"
	[[ $(<"$WORK/before/mounts") = "$(</proc/1/mountinfo)" ]] || echo "the host's mounts have changed"
	find /var/lib/nsclone /run/nsclone/sessions -mindepth 1 -delete
}

sweep_faults() { # sweep_faults ERRNO SYSCALL...: of those, each call that the module makes
	local errno=$1 name number first last trouble refused=0 well=0

	shift
	for name; do
		read -r first last < <(range_of "$name" open opened)
		for ((number = first; number <= last; number++)); do
			trouble=$(fault "$name" "$number" "$errno")
			[[ -z $trouble ]] || not_ok "$errno in $name (its $((number - first + 1))th)" "$trouble"
			[[ $(cat "$WORK/outcome") = well ]] && well=$((well + 1)) || refused=$((refused + 1))
		done
	done
	echo "$refused $well" >"$WORK/count"
}

whole=$(cd /usr/share && login alice -- sh -c "$QUICK" | grep -Ev '^(open|exit|close|message) ' | shape)
like "without a fault: isolated" "$whole" 'box-alice'
record_calls alice -- true
mapfile -t all < <(calls_between open opened | grep -Evx "$HARMLESS")
echo "# $(calls_between open opened | wc -l) different calls: $(calls_between open opened | tr '\n' ' ')"

sweep_faults EPERM "${all[@]}"
read -r refused well <"$WORK/count"
ok "EPERM: $refused refused, $well went well"
# What must be there, or the sweep has swept nothing.
for name in unshare mount fsopen fsconfig fsmount open_tree move_mount mkdirat symlinkat sethostname; do
	holds "the module calls $name" grep -qx "$name" <(printf '%s\n' "${all[@]}")
done
mapfile -t new < <(printf '%s\n' "${all[@]}" | grep -Ex 'mount_setattr|fsopen|fsconfig|fsmount|open_tree|move_mount')
sweep_faults ENOSYS "${new[@]}"
read -r refused well <"$WORK/count"
is "ENOSYS of what has no replacement: refused, all of them" "$well" 0
sweep_faults EINTR "${all[@]}"
host_unchanged "faults"

# Errors while it closes: nobody is kept out or in for that, and what stays is collected.
sweep_close() {
	local name number first last trouble

	while read -r name; do
		read -r first last < <(range_of "$name" close closed)
		for ((number = first; number <= last; number++)); do
			hit "$name" "$number" error=EPERM alice -- true >/dev/null
			trouble=$(login --times 2 alice -- uname -n | grep -v -e '^open 0' -e '^exit 0' -e '^close 0' -e '^box-alice$')
			trouble+=$(/opt/nsclone/nsclone clean >/dev/null 2>&1; nothing_stays)
			[[ -z $trouble ]] || not_ok "EPERM in $name at close (its $((number - first + 1))th)" "$trouble"
		done
	done < <(calls_between close closed | grep -Evx "$HARMLESS|syscall_0x.*")
	ok "EPERM at close: the next login works, and nothing stays behind"
}

sweep_close
host_unchanged "faults at close"

# What older kernels, and seccomp filters, do not let through: all calls of it, and the login succeeds all the same.
for name in openat2 statmount listmount clone3 renameat2; do
	case $name in # the new ones have one number everywhere
	statmount) call=457 ;;
	listmount) call=458 ;;
	*) call=$name ;;
	esac
	out=$(cd /usr/share && denied ENOSYS "$call" alice -- sh -c "$QUICK")
	is "$name answers ENOSYS: isolated all the same" "$(grep -Ev '^(open|exit|close|message) ' <<<"$out" | shape)" "$whole"
	host_unchanged "$name answers ENOSYS"
done
service nsctest trial
mark=$(log_mark)
denied ENOSYS clone3 alice -- true >/dev/null
sync_log
like "clone3 answers ENOSYS: a trial works all the same" "$(log_since "$mark")" 'trial user=alice[^:]*: ok'
finish
