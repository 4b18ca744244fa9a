#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# seeds.sh: the worked examples that the project grew out of (the manual of Linux::Clone, the article on the flags of
# clone(2)), run with `nsclone sys ...`. NSCLONE is the program, build/nsclone by default.
#
# Prints `ok NAME`, `not ok NAME: why` or `SKIP NAME: why` for each, and fails if any does. Nothing is done to the machine's
# network and mounts: all happens in namespaces made for it, and the machine is looked at before and after. As an
# ordinary user all of it runs in a user namespace.
set -u
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
N=$(realpath "${NSCLONE:-${B:-build}/nsclone}") || exit 1
export N

if [[ $(id -u) != 0 && -z ${SEEDS_INSIDE-} ]]; then
	"$N" sys unshare --map-root NEWUSER -- true 2>/dev/null ||
		{ echo "SKIP seeds: impossible: no user namespaces for this user"; exit 0; }
	SEEDS_INSIDE=yes exec "$N" sys unshare --map-root NEWUSER -- bash "${BASH_SOURCE[0]}"
fi

DIR=$(mktemp -d) || exit 1
export DIR
failed=0
holders=()

finish() {
	local pid

	for pid in "${holders[@]}"; do
		kill "$pid" 2>/dev/null
	done
	rm -rf "$DIR"
}
trap finish EXIT

look() { # the machine, as far as any of this could change it
	sed -E 's/^[0-9]+ [0-9]+ //' /proc/self/mountinfo
	ip -o addr 2>/dev/null | sed -E 's/(valid|preferred)_lft [^ ]*//g'
	tail -n +3 /proc/net/dev | cut -d: -f1
	uname -n
}
look >"$DIR/before"

want() { # want EXPECTED COMMAND...: its output is this
	local expected=$1 got status

	shift
	got=$("$@" 2>&1)
	status=$?
	[[ $got = "$expected" ]] && return 0
	echo "$*: '$got' (exit $status), not '$expected'"
	return 1
}

want_status() { # want_status STATUS COMMAND...
	local expected=$1 got status

	shift
	got=$("$@" 2>&1)
	status=$?
	[[ $status = "$expected" ]] && return 0
	echo "$*: exit $status, not $expected: $got"
	return 1
}

want_text() { # want_text TEXT COMMAND...: it is somewhere in the output
	local expected=$1 got

	shift
	got=$("$@" 2>&1)
	[[ $got = *"$expected"* ]] && return 0
	echo "$*: '$got' without '$expected'"
	return 1
}

needs() { # needs PROGRAM...
	local program

	for program; do
		command -v "$program" >/dev/null || { echo "no $program"; return 77; }
	done
}

run() { # run NAME: the function of that name
	local out status

	out=$("$1" 2>&1)
	status=$?
	case $status in
	0) echo "ok $1" ;;
	77) echo "SKIP $1: ${out##*$'\n'}" ;;
	*)
		echo "not ok $1: $out"
		failed=1
		;;
	esac
}

hold() { # hold TYPES: a process that has left these; sets HOLDER
	local own type=${1%%,*}

	case $type in
	NEWNET) type=net ;;
	*) type=uts ;;
	esac
	"$N" sys unshare "$1" -- sleep 60 </dev/null >/dev/null 2>&1 &
	HOLDER=$!
	holders+=("$HOLDER")
	own=$(readlink "/proc/self/ns/$type")
	for _ in {1..200}; do
		[[ $(readlink "/proc/$HOLDER/ns/$type") != "$own" ]] && return 0
		sleep 0.02
	done
	echo "nobody left $1"
	return 1
}

#
# unshare
#
interfaces='tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " "'

fresh_network_has_lo_down() {
	want lo "$N" sys unshare NEWNET -- sh -c "$interfaces" || return
	want "lo: 0x8 LOOPBACK" "$N" sys unshare NEWNET -- "$N" sys loopback --show
}

fresh_network_with_lo_up() {
	want "lo: 0x49 UP LOOPBACK RUNNING" "$N" sys unshare --loopback NEWNET -- "$N" sys loopback --show || return
	# shellcheck disable=SC2016 # expanded inside
	want "lo: 0x49 UP LOOPBACK RUNNING" "$N" sys unshare NEWNET -- sh -c '"$N" sys loopback && "$N" sys loopback --show'
	needs ping || return
	want_status 0 "$N" sys unshare --loopback NEWNET -- ping -c 1 -W 5 127.0.0.1
}

interface_flags_by_hand() {
	# shellcheck disable=SC2016 # expanded inside
	want "lo: 0x8 LOOPBACK" "$N" sys unshare --loopback NEWNET -- sh -c '"$N" sys loopback --set 0x8 --show' || return
	want_text "No such device" "$N" sys unshare NEWNET -- "$N" sys loopback --interface veth9 --show
}

# The parent's namespace is one of its own, too: nothing here is the machine's.
veth_between_two_networks() {
	local out

	needs ip ping || return
	# shellcheck disable=SC2016 # expanded inside
	out=$("$N" sys unshare --loopback NEWNET -- bash -c '
		parent=$$
		export parent
		ip link add probe type veth peer name probe2 2>/dev/null || exit 77
		ip link del probe
		"$N" sys unshare --loopback NEWNET -- bash -c "
			ip link add inner type veth peer name outer &&
			ip link set outer netns \$parent &&
			ip addr add 192.168.99.2/24 dev inner &&
			ip link set inner up && echo made >$DIR/veth && sleep 60" &
		child=$!
		trap "kill $child" EXIT
		for i in {1..200}; do [[ -s $DIR/veth ]] && break; sleep 0.02; done
		ip addr add 192.168.99.1/24 dev outer && ip link set outer up || exit 1
		ping -c 1 -W 10 192.168.99.2 || exit 1
		"$N" sys setns --pid "$child" NEWNET -- ping -c 1 -W 10 192.168.99.1 || exit 1
		[[ $(ip -o link show inner 2>/dev/null) = "" ]] && echo pinged both ways' 2>&1)
	case $?:$out in
	0:*"pinged both ways") return 0 ;;
	77:*) echo "impossible: this kernel has no veth" && return 77 ;;
	esac
	echo "$out"
	return 1
}

bind_is_seen_inside_only() {
	mkdir "$DIR/from" "$DIR/to" && echo inside >"$DIR/from/file" || return
	want inside "$N" sys unshare --bind "$DIR/from:$DIR/to" NEWNS -- cat "$DIR/to/file" || return
	[[ ! -e $DIR/to/file ]] || { echo "seen outside"; return 1; }
	needs mount || return
	# shellcheck disable=SC2016 # expanded inside
	want inside "$N" sys unshare NEWNS -- sh -c 'mount --bind "$DIR/from" "$DIR/to" && cat "$DIR/to/file"' || return
	[[ ! -e $DIR/to/file ]] || { echo "seen outside"; return 1; }
}

unshare_pid() {
	want "1" "$N" sys unshare --fork NEWPID -- sh -c 'echo $$'
}

unshare_refuses_in_words() {
	want_status 1 "$N" sys unshare PTRACE || return
	want_text "PTRACE cannot go to unshare(2): it is about a child, and unshare(2) makes none" "$N" sys unshare PTRACE
}

#
# clone
#
clone_returns_77() {
	want_status 77 "$N" sys clone --return 77 SIGCHLD
}

clone_in_all_ways() {
	local flags

	for flags in SIGCHLD 0 SIGURG VM,SIGCHLD VM,VFORK,SIGCHLD FS,FILES,SIGCHLD VM,SIGHAND,SIGCHLD IO,SYSVSEM,SIGCHLD \
		VM,FS,FILES,SIGHAND,THREAD,SYSVSEM UNTRACED,PTRACE,SIGCHLD CLEAR_SIGHAND,SIGCHLD VM,SETTLS,SIGCHLD; do
		want_status 76 "$N" sys clone --return 76 "$flags" || return
		want_status 75 "$N" sys clone --stack 20000 --return 75 "$flags" || return
	done
	want_status 5 "$N" sys clone VM,VFORK,SIGCHLD -- sh -c 'exit 5' || return
	want_status 137 "$N" sys clone SIGCHLD -- sh -c 'kill -9 $$'
}

clone_fills_in() { # the ids, and the word that is zeroed at the end
	local out pid

	out=$("$N" sys clone --show VM,PIDFD,PARENT_SETTID,CHILD_SETTID,CHILD_CLEARTID,SIGCHLD) || return
	pid=$(sed -n 's/^pid //p' <<<"$out")
	[[ $out = "pid $pid"$'\n'"parent_tid $pid"$'\n'"child_tid 0"$'\n'"pidfd 3" ]] && return
	echo "$out"
	return 1
}

clone_makes_namespaces() {
	local type name

	for type in NEWCGROUP:cgroup NEWUTS:uts NEWIPC:ipc NEWUSER:user NEWPID:pid NEWNET:net NEWNS:mnt NEWTIME:time; do
		name=${type#*:}
		[[ -e /proc/self/ns/$name ]] || continue
		if [[ $name = pid ]]; then
			want 1 "$N" sys clone NEWPID,SIGCHLD -- sh -c 'echo $$' || return
			continue
		fi
		want_status 0 "$N" sys clone "${type%:*},SIGCHLD" -- \
			sh -c "[ \$(readlink /proc/self/ns/$name) != $(readlink "/proc/self/ns/$name") ]" || return
	done
}

clone_set_tid() {
	want 1 "$N" sys clone --set-tid 1 NEWPID,SIGCHLD -- sh -c 'echo $$'
}

clone_into_cgroup() {
	local root place='' status

	for root in /sys/fs/cgroup /sys/fs/cgroup/unified; do
		[[ -w $root/cgroup.procs ]] && mkdir "$root/seeds-$$" 2>/dev/null && place=$root/seeds-$$ && break
	done
	[[ $place ]] || { echo "impossible: no cgroup v2 to write to"; return 77; }
	want_text "seeds-$$" "$N" sys clone --cgroup "$place" INTO_CGROUP,SIGCHLD -- cat /proc/self/cgroup
	status=$?
	for _ in {1..100}; do
		rmdir "$place" 2>/dev/null && break
		sleep 0.02
	done
	return "$status"
}

clone_refuses_in_words() {
	want_text "SIGHAND needs VM" "$N" sys clone SIGHAND || return
	want_text "DETACHED" "$N" sys clone DETACHED || return
	want_status 2 "$N" sys clone SIGCHLD,SIGUSR1
}

#
# setns
#
setns_by_proc_file() {
	hold NEWUTS || return
	want "$(readlink "/proc/$HOLDER/ns/uts")" "$N" sys setns --file "/proc/$HOLDER/ns/uts" NEWUTS -- \
		readlink /proc/self/ns/uts || return
	want "$(readlink "/proc/$HOLDER/ns/uts")" "$N" sys setns --file "/proc/$HOLDER/ns/uts" 0 -- \
		readlink /proc/self/ns/uts || return
	want_text "another type" "$N" sys setns --file "/proc/$HOLDER/ns/uts" NEWNET || return
	kill "$HOLDER"
}

setns_by_pidfd() {
	local expected

	hold NEWNET,NEWUTS,NEWIPC || return
	expected=$(readlink "/proc/$HOLDER/ns/net" "/proc/$HOLDER/ns/uts" "/proc/$HOLDER/ns/ipc")
	want "$expected" "$N" sys setns --pidfd "$HOLDER" NEWNET,NEWUTS,NEWIPC -- \
		readlink /proc/self/ns/net /proc/self/ns/uts /proc/self/ns/ipc || return
	want "$expected" "$N" sys setns --pid "$HOLDER" NEWNET,NEWUTS,NEWIPC -- \
		readlink /proc/self/ns/net /proc/self/ns/uts /proc/self/ns/ipc || return
	kill "$HOLDER"
}

#
# pivot_root
#
new_root() { # what a command needs to run, in $DIR/root
	local dir

	mount -t tmpfs root "$DIR/root" && mkdir "$DIR/root/usr" "$DIR/root/old" && mount --rbind /usr "$DIR/root/usr" || return
	for dir in bin lib lib64; do
		if [[ -L /$dir ]]; then
			cp -P "/$dir" "$DIR/root/$dir"
		elif [[ -d /$dir ]]; then
			mkdir "$DIR/root/$dir" && mount --rbind "/$dir" "$DIR/root/$dir"
		fi || return
	done
	echo there >"$DIR/root/mark"
}
export -f new_root

pivot_root_both_ways() {
	mkdir "$DIR/root" || return
	# shellcheck disable=SC2016 # expanded inside
	want there "$N" sys unshare NEWNS -- bash -c \
		'new_root && "$N" sys pivot-root "$DIR/root" -- sh -c "[ ! -e /etc ] && cat /mark"' || return
	# shellcheck disable=SC2016 # expanded inside
	want there "$N" sys unshare NEWNS -- bash -c \
		'new_root && "$N" sys pivot-root --put-old old "$DIR/root" -- sh -c "[ -e /old/etc ] && cat /mark"' || return
	[[ ! -e $DIR/root/mark ]]
}

#
# kcmp
#
kcmp_of_those_that_share() {
	want equal "$N" sys kcmp --clone FILES,SIGCHLD FILES || return
	want equal "$N" sys kcmp --clone VM,SIGCHLD VM || return
	want equal "$N" sys kcmp --clone VM,SIGHAND,SIGCHLD SIGHAND || return
	want equal "$N" sys kcmp --clone FS,SIGCHLD FS || return
	want equal "$N" sys kcmp --clone SYSVSEM,SIGCHLD SYSVSEM || return
	want equal "$N" sys kcmp --clone SIGCHLD FILE 0 0 || return # a forked child has the open files, if not the table
	want_status 0 "$N" sys kcmp --clone VM,SIGCHLD VM
}

kcmp_of_those_that_do_not() {
	local type

	exec 8</dev/null 9</dev/null
	for type in FILES VM SIGHAND FS; do
		want_status 1 "$N" sys kcmp --clone SIGCHLD "$type" || return
		want_status 1 "$N" sys kcmp "$type" $$ "$BASHPID" || return
	done
	want_status 1 "$N" sys kcmp --clone FILES,SIGCHLD FILE 8 9 || return
	want equal "$N" sys kcmp FILE $$ "$BASHPID" 0 0 || return
	want_status 3 "$N" sys kcmp FILE $$ "$BASHPID" 200 200
}

#
# flags, ns
#
flags_in_words() {
	local name

	for name in VM FS FILES SIGHAND PTRACE VFORK PARENT THREAD NEWNS SYSVSEM SETTLS PARENT_SETTID CHILD_CLEARTID \
		CHILD_SETTID DETACHED UNTRACED NEWCGROUP NEWUTS NEWIPC NEWUSER NEWPID NEWNET IO NEWTIME PIDFD \
		CLEAR_SIGHAND INTO_CGROUP; do
		want_text " $name" "$N" sys flags "$name" || return
		want_text "$name" "$N" sys flags --raw --noheadings --output NAME || return
	done
	want_text "0x20011 NEWNS|SIGCHLD" "$N" sys flags newns,sigchld || return
	want_text "in unshare: FS|NEWNS" "$N" sys flags NEWNS || return
	want_text "NEWTIME cannot go to clone(2)" "$N" sys flags --call clone NEWTIME || return
	want_status 1 "$N" sys flags --call clone NEWTIME || return
	want_status 0 "$N" sys flags --call clone3 NEWTIME || return
	want_status 0 "$N" sys flags --call unshare NEWTIME
}

namespaces_and_their_owners() {
	local own user

	own=$(readlink /proc/self/ns/user | tr -dc 0-9)
	want_text "$own" "$N" sys ns || return
	hold NEWNET,NEWUSER || return
	user=$(readlink "/proc/$HOLDER/ns/user" | tr -dc 0-9)
	want "user $user $own $(id -u)" sh -c "$N sys ns --pid $HOLDER -n -r -o TYPE,INODE,PARENT,OWNER | grep ^user" || return
	want "net $user" sh -c "$N sys ns --pid $HOLDER -n -r -o TYPE,USERNS | grep ^net" || return
	kill "$HOLDER"
	# shellcheck disable=SC2016 # expanded inside
	want_status 0 "$N" sys unshare NEWUSER,NEWNET -- sh -c \
		'[ "$(readlink /proc/self/ns/user | tr -dc 0-9)" = "$("$N" sys ns -n -r -o TYPE,USERNS | sed -n "s/^net //p")" ]'
}

#
# The command as such
#
exit_statuses() {
	want_status 2 "$N" sys || return
	want_status 2 "$N" sys bogus || return
	want_status 2 "$N" sys unshare BOGUS || return
	want_status 2 "$N" sys clone --bogus SIGCHLD || return
	want_status 127 "$N" sys unshare NEWUTS -- /nonexistent/program || return
	want_status 126 "$N" sys unshare NEWUTS -- /etc || return
	want_status 9 "$N" sys unshare NEWUTS -- sh -c 'exit 9' || return
	want_status 9 "$N" sys unshare --fork NEWUTS -- sh -c 'exit 9'
}

help_everywhere() {
	local name

	want_status 0 "$N" sys --help || return
	for name in unshare clone setns pivot-root kcmp ns loopback flags; do
		want_text "usage: nsclone sys $name" "$N" sys "$name" --help || return
		want_status 0 "$N" sys "$name" --help || return
		want_text "  $name " "$N" sys --help || return
	done
}

machine_is_unchanged() {
	look >"$DIR/after"
	diff "$DIR/before" "$DIR/after"
}

for name in fresh_network_has_lo_down fresh_network_with_lo_up interface_flags_by_hand veth_between_two_networks \
	bind_is_seen_inside_only unshare_pid unshare_refuses_in_words \
	clone_returns_77 clone_in_all_ways clone_fills_in clone_makes_namespaces clone_set_tid clone_into_cgroup \
	clone_refuses_in_words setns_by_proc_file setns_by_pidfd pivot_root_both_ways \
	kcmp_of_those_that_share kcmp_of_those_that_do_not flags_in_words namespaces_and_their_owners \
	exit_statuses help_everywhere machine_is_unchanged; do
	run "$name"
done
exit "$failed"
