#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# run.sh [-v] [PATTERN...]: the tests that need a booted systemd; `make check-system` calls it. All of them, or those
# whose name contains a PATTERN (=NAME: just that one). -v shows what they print.
#
# Each test of this directory gets a machine of its own: a Debian tree (root.sh) with the product installed by `make
# install` into it (prepare.sh), booted by systemd-nspawn with a private network. The test is a service there; when it
# ends, the machine shuts down. All machines are in one mount and PID namespace on one tmpfs, which end with this
# script, whatever ends it; the tree itself is never written to.
#
# The last line is "N passed, N failed, N skipped". Where the machine cannot do this at all (no root, no nspawn, no way to
# packages) that is one line SKIP and success. With CI=true any other skip is a failure, as in tests/run.sh.
set -u

SRC=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
B=${B:-build}
[[ $B = /* ]] || B=$SRC/$B
export SRC B
unset MAKEFLAGS MFLAGS MAKELEVEL
readonly LIMIT=${NSC_TEST_LIMIT:-180} # seconds for one machine, from boot to shutdown
readonly HERE=$SRC/tests/system

#
# Inside: machines
#
R= # a tmpfs with all that is written

place() { # a directory to mount that on: this mount namespace is ours
	local dir path

	for dir in /mnt /media /srv /opt; do
		[[ -d $dir ]] || continue
		for path in "$SRC" "$B" "$OUT" "$TREE"; do
			[[ $path/ != $dir/* ]] || continue 2
		done
		mount -t tmpfs -o mode=755 nsclone-system "$dir" && R=$dir && return
	done
	return 1
}

# layers NAME LOWER...: $R/NAME/root becomes a writable tree over LOWER..., the first on top
layers() {
	local dir=$R/$1 lower i

	shift
	mkdir -p "$dir"/{upper,work,root}
	lower=$(IFS=: && echo "$*")
	# xino: or files and directories would be on different devices
	mount -t overlay -o "lowerdir=$lower,upperdir=$dir/upper,workdir=$dir/work,xino=on" overlay "$dir/root" 2>/dev/null && return
	for ((i = $#; i > 0; i--)); do
		cp -a --reflink=auto "${!i}/." "$dir/root/" || return
	done
}

stage() { # one layer for all machines: the product and what the tests need
	layers stage "$TREE" && "$HERE/prepare.sh" "$R/stage/root" >"$OUT/prepare.log" 2>&1 || return
	if mountpoint -q "$R/stage/root"; then
		umount "$R/stage/root" && lower=("$R/stage/upper" "$TREE")
	else
		lower=("$R/stage/root")
	fi
}

# What nspawn restricts of its own accord (system calls, capabilities, /proc/sys and /sys) a machine does not.
nspawn() { # nspawn NAME
	local name=$1 dir

	for dir in $CGROUPS; do
		mkdir "$dir/$name" && echo 0 >"$dir/$name/cgroup.procs" || return
	done
	SYSTEMD_SECCOMP=0 SYSTEMD_NSPAWN_API_VFS_WRITABLE=yes exec systemd-nspawn --quiet --settings=no --boot --register=no \
		--keep-unit --private-network --resolv-conf=off --timezone=off --link-journal=no --capability=all \
		--machine="nsc-$name" --directory="$R/$name/root" </dev/null >"$OUT/$name.console" 2>&1
}

process_one() { # process_one NSPAWN: of its machine
	pgrep -P "$1" | head -n 1
}

stuck() { # stuck NSPAWN: what is going on there
	local -i init

	init=$(process_one "$1")
	((init)) || return
	echo "what is going on:"
	timeout 10 nsenter -t "$init" -m -p -- ps axfo pid,user,stat,wchan:20,args
	timeout 10 nsenter -t "$init" -m -p -- systemctl --no-pager list-jobs
} 2>&1

stop() { # stop NSPAWN: it is out of time
	local -i init

	init=$(process_one "$1")
	((init == 0)) || kill -KILL "$init"
	sleep 2
	kill -KILL "$1" 2>/dev/null
}

# watch NSPAWN LOG: until it ends; prints what is wrong with that
watch() {
	local -i deadline=$((SECONDS + LIMIT)) over=0

	while kill -0 "$1" 2>/dev/null; do
		if ((!over)) && grep -qx end "$2" 2>/dev/null; then
			over=1
			((SECONDS + 45 > deadline)) || deadline=$((SECONDS + 45))
		fi
		if ((SECONDS >= deadline)); then
			((over)) && echo "does not shut down" || echo "no end after $LIMIT s"
			stuck "$1"
			stop "$1"
			break
		fi
		sleep 0.2
	done
}

machine() { # machine NAME
	local -i started=$SECONDS pid
	local root=$R/$1/root

	if layers "$1" "${lower[@]}"; then
		ln -s /etc/systemd/system/nsclone-test@.service "$root/etc/systemd/system/multi-user.target.wants/nsclone-test@$1.service"
		nspawn "$1" &
		pid=$!
		watch "$pid" "$root/opt/result/log" >"$OUT/$1.trouble"
		wait "$pid"
		echo "$?" >"$OUT/$1.rc"
		cp "$root/opt/result/log" "$OUT/$1.log" 2>/dev/null
		timeout 20 chroot "$root" journalctl --no-pager -o short-monotonic -D /var/log/journal 2>&1 |
			sed '/nsclone-test@.*\(Main process exited\|Deactivated\)/q' | tail -n 150 >"$OUT/$1.journal"
		umount "$root" 2>/dev/null
	else
		echo "no tree for it" >"$OUT/$1.trouble"
	fi
	rm -rf "${R:?}/$1"
	echo $((SECONDS - started)) >"$OUT/$1.seconds"
}

inside() {
	local name

	place || { echo "no place for a tmpfs" >"$OUT/prepare.log"; return 1; }
	mount -t tmpfs -o mode=755 run /run # nspawn's locks
	stage || return
	while read -r name; do
		while (($(jobs -rp | wc -l) > $(nproc))); do
			wait -n
		done
		machine "$name" &
	done <"$OUT/names"
	wait
}

if [[ ${NSC_SYSTEM-} = inside ]]; then
	inside
	exit
fi

#
# Outside
#
verbose=''
while [[ ${1-} = -? ]]; do
	case $1 in
	-v) verbose=yes ;;
	*) echo "usage: run.sh [-v] [PATTERN...]" >&2 && exit 2 ;;
	esac
	shift
done
patterns=("$@")
passed=0 failed=0 skipped=0

summary() {
	echo "$passed passed, $failed failed, $skipped skipped"
}

impossible() {
	echo "SKIP system: impossible: $*"
	skipped=1
	summary
	exit 0
}

die() {
	echo "not ok system: $1"
	[[ ! -s ${2-} ]] || tail -n 40 "$2" | sed 's/^/    /'
	failed=1
	summary
	exit 1
}

header() { # header FILE WORD
	sed -n "1,10s/^# $2: //p" "$1"
}

wanted() { # wanted NAME
	local pattern

	[[ ${#patterns[@]} != 0 ]] || return 0
	for pattern in "${patterns[@]}"; do
		[[ =$1 = "$pattern" || $1 = *"$pattern"* ]] && return 0
	done
	return 1
}

list() { # those that take long first
	local file name

	for file in "$HERE"/*.sh; do
		name=$(basename "$file" .sh)
		[[ $(head -n 20 "$file") = *$'\n. "${0%/*}/lib.sh"'* ]] && wanted "$name" &&
			echo "$(header "$file" weight | grep . || echo 1) $name"
	done | sort -k1,1nr -k2 | cut -d' ' -f2
}

# Where systemd looks for its own: cgroup2, and version 1's hierarchy of that name. Ours is below the one we are in.
cgroups() {
	local id controllers path dir

	while IFS=: read -r id controllers path; do
		[[ $id = 0 || $controllers = name=systemd ]] || continue
		dir=$(findmnt -rno FSTYPE,OPTIONS,TARGET | awk -v id="$id" '
			id == 0 ? $1 == "cgroup2" : $1 == "cgroup" && $2 ~ /name=systemd/ { print $3; exit }')
		[[ -z $dir ]] || echo "$dir${path%/}/nsclone-system.$$"
	done </proc/self/cgroup
}

make_cgroups() {
	local dir old

	[[ $CGROUPS ]] || return
	for dir in $CGROUPS; do
		for old in "${dir%.*}".*; do # of a run that was killed: those that are empty
			[[ ! -d $old || -e /proc/${old##*.} ]] || find "$old" -depth -type d -exec rmdir {} +
		done
	done
	for dir in $CGROUPS; do
		mkdir "$dir" || return
	done
} 2>/dev/null

# A cgroup that can be removed is empty: nobody is left anywhere, in whatever namespace.
remove_cgroups() {
	local dir

	for dir in $CGROUPS; do
		[[ ! -d $dir ]] || find "$dir" -depth -type d -exec rmdir {} + 2>/dev/null
		[[ ! -d $dir ]] || return 1
	done
}

tidy() {
	local i

	[[ -z $inner ]] || kill -KILL "$inner" 2>/dev/null
	for ((i = 0; i < 50; i++)); do
		remove_cgroups && break
		sleep 0.1
	done
	rm -rf "$OUT"
}

host() { # the machine itself: what this run may not have changed
	sed -E 's/^[0-9]+ [0-9]+ //' /proc/self/mountinfo
	awk '{ print $1, $2 }' /proc/sysvipc/shm
	uname -n
	find /run/nsclone /var/lib/nsclone /run/systemd/nspawn /run/user 2>/dev/null
	find /tmp /var/tmp /dev/shm -xdev -uid +20000 -uid -20006 2>/dev/null | sort
	sed 's/:.*//' /proc/self/net/dev
	find "$TREE" -newer "$OUT/names" -not -type d 2>/dev/null | head
}

fail() { # fail NAME WHAT
	failed=$((failed + 1))
	echo "not ok $1: $2"
}

count() { # count NAME
	local line

	while IFS= read -r line; do
		case $line in
		"SKIP "*)
			skipped=$((skipped + 1))
			[[ $line = *": impossible: "* || ${CI-} != true ]] || fail "$1" "skipped in CI: $line"
			;;
		"not ok "*) failed=$((failed + 1)) ;;
		"ok "*) passed=$((passed + 1)) ;;
		esac
	done <"$OUT/$1.log"
}

whole() { # whole NAME: is it all right as such?
	local log=$OUT/$1.log

	if [[ -s $OUT/$1.trouble ]]; then
		cat "$OUT/$1.trouble"
	elif ! grep -Eq '^(not ok|ok|SKIP) ' "$log"; then
		echo "says nothing (nspawn: $(cat "$OUT/$1.rc"))"
		tail -n 20 "$OUT/$1.console"
	elif ! grep -qx end "$log"; then
		echo "ended early (nspawn: $(cat "$OUT/$1.rc"))"
	fi
}

report() { # report NAME
	local before=$failed trouble mark=ok

	touch "$OUT/$1".{log,trouble,rc,journal,console,seconds}
	count "$1"
	trouble=$(whole "$1")
	[[ -z $trouble ]] || fail "$1" "$trouble"
	[[ $failed = "$before" ]] || mark=FAILED
	printf '%-28s %3s ok %6s s  %s\n' "$1" "$(grep -Ec '^ok ' "$OUT/$1.log")" "$(cat "$OUT/$1.seconds")" "$mark"
	if [[ $mark = FAILED || $verbose ]]; then
		sed 's/^/    /' "$OUT/$1.log"
	else
		grep '^SKIP ' "$OUT/$1.log" | sed 's/^/    /'
	fi
	[[ $mark = ok ]] || sed 's/^/    journal: /' "$OUT/$1.journal"
}

[[ $(id -u) = 0 ]] || impossible "only root can boot a machine"
OUT=$(mktemp -d) || exit 1
inner='' CGROUPS=''
trap tidy EXIT
trap 'exit 130' INT TERM HUP
list >"$OUT/names"
[[ -s $OUT/names ]] || die "no such test"
"$SRC/packaging/deps.sh" system >"$OUT/deps.log" 2>&1 || impossible "$(tail -n 1 "$OUT/deps.log")"
"$HERE/root.sh" >"$OUT/tree" 2>"$OUT/root.log" </dev/null &
inner=$!
wait "$inner"
case $? in
0) TREE=$(cat "$OUT/tree") ;;
77) impossible "$(cat "$OUT/tree")" ;;
*) die "no tree to boot" "$OUT/root.log" ;;
esac
inner=
CGROUPS=$(cgroups | tr '\n' ' ')
make_cgroups || impossible "no cgroup for systemd can be made here"
export OUT TREE CGROUPS

host >"$OUT/host"
NSC_SYSTEM=inside setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc --propagation private -- \
	bash "${BASH_SOURCE[0]}" </dev/null &
inner=$!
wait "$inner" || die "the machines could not be prepared" "$OUT/prepare.log"
inner=
while read -r name; do
	report "$name"
done <"$OUT/names"
if ! remove_cgroups; then
	# shellcheck disable=SC2086 # words
	fail host "processes are left: $(find $CGROUPS -name cgroup.procs -exec cat {} + | sort -u | tr '\n' ' ')"
elif changed=$(host | diff "$OUT/host" -); then
	[[ ${#patterns[@]} != 0 ]] || passed=$((passed + 1))
else
	fail host "this run has changed it"
	echo "$changed"
fi
summary
[[ $failed = 0 && $passed -gt 0 ]]
