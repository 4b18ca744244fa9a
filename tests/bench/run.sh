#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# run.sh [--quick] [--assert]: what a login costs. Beside each figure that has a target stands the target, and ok or
# MISSED. --quick: fewer rounds, to see that it works. --assert: the exit status is 1 where a target is missed.
#
# Ratios are what counts: all that is compared takes turns, in one process, session by session (tests/bench/login.c).
#
#	libpam          pam_permit: what PAM costs without any session
#	floor           the same namespaces and mounts by the bare system calls (tests/bench/pam_floor.so.c)
#	nsclone         pam_nsclone, by a policy of ten rules in three files, of which one fits
#	joined          pam_nsclone again, into the world of a session of that user that lasts: what the keeper holds. All else
#	                is Scope=session, as nothing of the others is shared
#	namespace       pam_namespace: the same directories, without its init script. It makes no other namespaces, and its
#	                close leaves the process where it is, so there is nothing to compare with
#
# All of it happens in a scratch machine: its own process 1, a mount namespace with a tmpfs as root and ten mounts, shared as systemd has
# them, among which /usr, read-only. Nothing stays behind.
set -u

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
B=$(realpath "${B:-build}")
export B
readonly SETTLE=0.3
NEW_ROOT='' # where the scratch machine is put together
quick=0 missed=0 assert=''

die() {
	echo "bench: $*" >&2
	exit 1
}

for argument; do
	case $argument in
	--quick) quick=1 ;;
	--assert) assert=yes ;;
	*) die "usage: run.sh [--quick] [--assert]" ;;
	esac
done

#
# The scratch machine
#
enter() {
	[[ $(id -u) = 0 ]] || die "only root can measure logins"
	[[ -e $B/pam_nsclone.so && -e $B/nsclone-keeper && -e $B/bench/login ]] || die "nothing is built in $B: make bench"
	BENCH_WORLD=yes exec unshare --mount --net --pid --fork --kill-child --propagation private -- bash "tests/bench/run.sh" "$@"
}

# /usr/lib is links, so that the vendor's policy directory can be there as on any machine that has nsclone installed
usr() {
	local path

	mkdir -p "$NEW_ROOT"/{.usr,usr/lib/nsclone/policy.d}
	mount --bind /usr "$NEW_ROOT/.usr" && mount -o remount,bind,ro "$NEW_ROOT/.usr" || die "/usr"
	for path in /usr/*; do
		[[ $path = /usr/lib ]] || ln -s "/.usr${path#/usr}" "$NEW_ROOT$path"
	done
	for path in /usr/lib/*; do
		[[ $path = /usr/lib/nsclone ]] || ln -s "/.usr${path#/usr}" "$NEW_ROOT$path"
	done
	for path in /bin /sbin /lib /lib32 /lib64 /libx32; do
		[[ ! -L $path ]] || cp -a "$path" "$NEW_ROOT$path"
		[[ -L $path || ! -d $path ]] || die "$path is no link into /usr"
	done
}

devices() {
	mount -t tmpfs -o mode=755 dev "$NEW_ROOT/dev"
	mknod -m 666 "$NEW_ROOT/dev/null" c 1 3
	mknod -m 666 "$NEW_ROOT/dev/urandom" c 1 9
	ln -s /proc/self/fd "$NEW_ROOT/dev/fd"
	mkdir "$NEW_ROOT"/dev/{shm,mqueue}
	mount -t tmpfs -o mode=1777,nosuid,nodev shm "$NEW_ROOT/dev/shm"
	mount -t mqueue -o nosuid,nodev,noexec mqueue "$NEW_ROOT/dev/mqueue" || die "/dev/mqueue"
}

kernel() {
	mount -t proc proc "$NEW_ROOT/proc" && mount -t sysfs sysfs "$NEW_ROOT/sys" || die "/proc, /sys"
	mount -t cgroup2 cgroup2 "$NEW_ROOT/sys/fs/cgroup" || die "/sys/fs/cgroup"
}

accounts() {
	local i

	mkdir -p "$NEW_ROOT"/etc/{security/nsclone.d,pam-bench}
	cp /etc/ld.so.cache "$NEW_ROOT/etc" 2>/dev/null
	echo "root:x:0:0:root:/root:/bin/sh" >"$NEW_ROOT/etc/passwd"
	echo "root:x:0:" >"$NEW_ROOT/etc/group"
	printf '%s: files\n' passwd group >"$NEW_ROOT/etc/nsswitch.conf"
	for ((i = 0; i < 16; i++)); do
		printf 'bench%02d:x:%d:%d::/home:/bin/sh\n' "$i" $((20001 + i)) $((20001 + i))
	done >>"$NEW_ROOT/etc/passwd"
	for ((i = 1; i < 500; i++)); do
		printf 'held%03d:x:%d:%d::/home:/bin/sh\n' "$i" $((30000 + i)) $((30000 + i))
	done >>"$NEW_ROOT/etc/passwd"
	sed -n 's/^\(bench..\|held...\):x:\([0-9]*\):.*/\1:x:\2:/p' "$NEW_ROOT/etc/passwd" >>"$NEW_ROOT/etc/group"
}

modules() {
	local name file

	mkdir -p "$NEW_ROOT/opt"
	cp "$B"/pam_nsclone.so "$B"/bench/* "$NEW_ROOT/opt"
	cp "$B"/nsclone-keeper "$B"/nsclone-init "$NEW_ROOT/usr/lib/nsclone"
	for name in pam_permit pam_namespace; do
		file=$(find /usr/lib* /lib/security -name "$name.so" -print -quit 2>/dev/null)
		[[ -e $file ]] || die "there is no $name.so"
		cp "$file" "$NEW_ROOT/opt"
	done
}

tree() {
	mkdir -p "$NEW_ROOT"/{dev,proc,sys,run,home,srv,mnt,var/lib}
	mkdir -m 1777 "$NEW_ROOT"/{tmp,var/tmp}
	mkdir -m 700 "$NEW_ROOT/root"
	mkdir -m 1777 "$NEW_ROOT"/var/lib/floor-{tmp,var-tmp}
	mkdir -m 000 "$NEW_ROOT"/var/lib/{inst-tmp,inst-var-tmp} # as pam_namespace demands
}

change_root() {
	{ cd "$NEW_ROOT" && mkdir .old && pivot_root . .old && cd /; } || die "pivot_root"
	umount -l /.old && rmdir /.old
	mount --make-rshared /
	sysctl -qw net.unix.max_dgram_qlen=512 # of this network namespace: as systemd sets it, for /dev/log
}

new_root() {
	local place

	for place in /mnt /media /srv /opt; do
		[[ -d $place && $B/ != $place/* ]] || continue
		mount -t tmpfs -o mode=755 bench "$place" && NEW_ROOT=$place && return
	done
	die "no place for the new root"
}

build_world() {
	umask 022
	new_root && tree && usr && devices && kernel && accounts && modules && change_root
}

#
# Scenarios: name, title, target (pam_open_session against the floor's, at most), floor's arguments, [Session] of ours,
# namespace.conf.
#
readonly TMPFS='tmpfs=/tmp tmpfs=/var/tmp tmpfs=/dev/shm'
readonly TMPFS_RULE='PrivateTmp=disconnected|PrivateDevShm=yes'
readonly DIRECTORIES='/tmp /var/lib/inst-tmp/ user root|/var/tmp /var/lib/inst-var-tmp/ user root'
readonly BIND='bind=/var/lib/floor-tmp:/tmp bind=/var/lib/floor-var-tmp:/var/tmp'
readonly TMPFS_DIRECTORIES='/tmp tmpfs tmpfs root|/var/tmp tmpfs tmpfs root|/dev/shm tmpfs tmpfs root'
readonly SCENARIOS=(tmp session tmpfs ipc net)
declare -A title=([tmp]='private /tmp' [session]='PrivateTmp=yes' [tmpfs]='three tmpfs' [ipc]='+ IPC + UTS'
	[net]='+ network')
declare -A target=([tmp]=1.8 [session]='' [tmpfs]='' [ipc]=1.5 [net]=1.25)
declare -A floor=([tmp]=$BIND [session]=$BIND [tmpfs]=$TMPFS
	[ipc]="ipc uts $TMPFS mqueue=/dev/mqueue" [net]="ipc uts net $TMPFS mqueue=/dev/mqueue sysfs=/sys")
declare -A rule=([tmp]='PrivateTmp=persistent' [session]='PrivateTmp=yes' [tmpfs]=$TMPFS_RULE
	[ipc]="$TMPFS_RULE|PrivateIPC=yes|ProtectHostname=yes"
	[net]="$TMPFS_RULE|PrivateIPC=yes|ProtectHostname=yes|PrivateNetwork=yes")
declare -A namespace=([tmp]=$DIRECTORIES [session]=$DIRECTORIES [tmpfs]=$TMPFS_DIRECTORIES [ipc]=$TMPFS_DIRECTORIES
	[net]=$TMPFS_DIRECTORIES)

# What is joined: all the namespaces; and with 500 users no network, of which the kernel makes that many in its own time
readonly JOINED=(join many)
rule[join]=${rule[net]} rule[many]=${rule[ipc]} namespace[join]=$TMPFS_DIRECTORIES namespace[many]=$TMPFS_DIRECTORIES
floor[join]='join=/run/holder ipc uts net' floor[many]='join=/run/holder ipc uts'

write_rule() { # write_rule SERVICE SETTINGS
	printf '[Match]\nUser=1000-59999 !nobody\nService=%s\n\n' "$1"
	printf '[Session]\nDescription=%s\n%s\n\n' "$1" "${2//|/$'\n'}"
}

services() {
	local scenario

	: >/etc/pam-bench/other
	echo 'session required /opt/pam_permit.so' >/etc/pam-bench/libpam
	echo 'session required /opt/pam_namespace.so' >/etc/pam-bench/namespace
	for scenario in "${SCENARIOS[@]}"; do
		echo "session required /opt/pam_floor.so ${floor[$scenario]}" >"/etc/pam-bench/floor-$scenario"
		echo 'session required /opt/pam_nsclone.so' >"/etc/pam-bench/nsclone-$scenario"
	done
	for scenario in "${JOINED[@]}"; do
		echo "session required /opt/pam_floor.so ${floor[$scenario]}" >"/etc/pam-bench/setns-$scenario"
		echo 'session required /opt/pam_nsclone.so' >"/etc/pam-bench/joined-$scenario"
	done
}

policy() { # ten rules in three files: a site's, one for each scenario, some people's
	local scenario directory=/etc/security/nsclone.d

	write_rule 'cron atd' 'PrivateTmp=no' >$directory/10-site.conf
	write_rule 'vsftpd proftpd' 'PrivateTmp=disconnected:size=100m|PrivateNetwork=yes' >>$directory/10-site.conf
	for scenario in "${SCENARIOS[@]}"; do
		write_rule "nsclone-$scenario" "${rule[$scenario]}|Scope=session"
	done >$directory/50-bench.conf
	for scenario in "${JOINED[@]}"; do
		write_rule "joined-$scenario" "${rule[$scenario]}"
	done >$directory/60-joined.conf
	cat >$directory/90-people.conf <<-'END'
		[Match]
		User=alice bob
		RemoteHost=10.0.0.0/8 2001:db8::/32
		[Session]
		PrivateTmp=persistent
		PrivateDirectory=/scratch

		[Match]
		User=guest*
		[Session]
		TemporaryFileSystem=/srv:size=1G /opt:ro
		ProtectProc=invisible

		[Match]
		FromUser=root
		Service=su*
		[Session]
		Isolate=no
	END
}

#
# Measuring. What tests/bench/login prints becomes RESULT[SCENARIO MOUNTS KIND PART], in nanoseconds; KIND is libpam,
# floor, nsclone or namespace.
#
declare -A RESULT=()

rounds() { # rounds N: fewer for --quick
	echo $((quick ? $1 / 20 + 4 : $1))
}

log_in() { # log_in SCENARIO MOUNTS OPTION... SERVICE...
	local scenario=$1 mounts=$2 service start open close end p90 both n private key own=

	printf '%s\n' "${namespace[$scenario]//|/$'\n'}" >/etc/security/namespace.conf
	/opt/login "${@:3}" >/one || die "$scenario: failed"
	while read -r service start open close end p90 both n private; do
		key="$scenario $mounts ${service%-*}"
		RESULT[$key start]=$start RESULT[$key open]=$open RESULT[$key close]=$close RESULT[$key end]=$end
		RESULT[$key p90]=$p90 RESULT[$key both]=$both RESULT[$key n]=$n
		case $service in
		floor* | setns*) own=$private ;;
		nsclone* | joined*) [[ $private = "$own" ]] || die "$scenario: the floor's own are $own, nsclone's $private" ;;
		libpam) [[ $private = own ]] || die "libpam alone has $private" ;;
		esac
	done </one
	sleep "$SETTLE" # what the kernel frees later
}

measure() { # measure MOUNTS ROUNDS
	local scenario

	/opt/mounts "$1" /srv || die "$1 mounts"
	for scenario in "${SCENARIOS[@]}"; do
		log_in "$scenario" "$1" --rounds "$(rounds "$2")" libpam "floor-$scenario" "nsclone-$scenario" namespace
	done
}

at_once() { # at_once KEY SCENARIO OPTION...: floor and nsclone by turns, 16 processes each
	log_in "$2" "$1" --burst 16 --slice 300 --rounds "$(rounds 5)" "${@:3}" "floor-$2" "nsclone-$2"
}

#
# Joining
#
holder=

hold() { # hold N SCENARIO: sessions that last, of so many users; one of them is of who logs in
	local first

	mkfifo /held
	/opt/hold "$1" "joined-$2" >/held &
	holder=$!
	read -r first </held
	rm /held
	[[ $first ]] || die "$1 sessions cannot be held"
	echo "$first" >/run/holder
}

let_go() {
	local i

	{ kill "$holder" && wait "$holder"; } 2>/dev/null
	for ((i = 0; i < 200; i++)); do
		compgen -G '/run/nsclone/worlds/*' >/dev/null || return 0
		sleep 0.05
	done
	die "the keeper still holds a world"
}

start_keeper() {
	local i

	/usr/lib/nsclone/nsclone-keeper </dev/null >/dev/null 2>&1 &
	keeper=$!
	for ((i = 0; i < 100; i++)); do
		[[ ! -S /run/nsclone/keeper.sock ]] || return 0
		sleep 0.05
	done
	die "the keeper does not start"
}

more_mounts() { # in a directory of their own, so that they can go again
	mkdir -p /srv/more && mount -t tmpfs more /srv/more && /opt/mounts "$1" /srv/more || die "$1 mounts"
}

fewer_mounts() {
	umount -R /srv/more || umount -l /srv/more
}

# What cannot be in one process takes turns here: a few rounds with little, a few with much, and so on. What is compared
# is the medians of these. log_in's KEY is the turn.
readonly TURNS=5

join_turns() { # join_turns NAME BEFORE AFTER SCENARIO: BEFORE and AFTER: commands that make it much, and little again
	local turn n

	n=$(rounds 200)
	for ((turn = 0; turn < TURNS; turn++)); do
		log_in "$4" "$1-little$turn" --rounds "$n" "setns-$4" "joined-$4"
		$2
		log_in "$4" "$1-much$turn" --rounds "$n" "setns-$4" "joined-$4"
		$3
	done
}

turns_median() { # turns_median KEY SERVICE
	local turn

	for ((turn = 0; turn < TURNS; turn++)); do
		echo "${RESULT[$1$turn $2 open]}"
	done | sort -n | sed -n "$((TURNS / 2 + 1))p"
}

thousand_mounts() {
	more_mounts 1000
}

five_hundred_users() {
	let_go
	hold 500 many
	resident=$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$keeper/status")
}

one_user() {
	let_go
	hold 1 many
}

measure_joining() { # with ten mounts; what is built goes by turns with what is joined
	start_keeper
	hold 1 join
	log_in join build --rounds "$(rounds 1000)" libpam floor-net nsclone-net setns-join joined-join
	join_turns mounts thousand_mounts fewer_mounts join
	let_go
	hold 1 many
	join_turns users five_hundred_users one_user many
	let_go
	kill "$keeper" && wait "$keeper" # what is measured after this is a session by itself, as its floor is
	rm -f /run/nsclone/keeper.sock
}

say_joining() {
	local row what little much

	heading "pam_open_session into a world that the keeper holds. Medians in us, ratios of nsclone's"
	columns "$(printf '%-21s' '')" setns joined 'build: ' floor nsclone
	printf '   %-19s   %s\n' 'joined to built' 'to setns alone'
	row="joining, + network"
	printf '%-21s' 'joining, + network'
	us "join build setns open" "join build joined open"
	printf '%10s' ''
	us "join build floor open" "join build nsclone open"
	compare "${RESULT[join build joined open]}" "${RESULT[join build nsclone open]}" 0.33
	compare "${RESULT[join build joined open]}" "${RESULT[join build setns open]}"
	printf '\n%-21s' '... and leaving'
	us "join build setns close" "join build joined close"
	printf '%10s' ''
	us "join build floor close" "join build nsclone close"
	compare "${RESULT[join build joined close]}" "${RESULT[join build nsclone close]}"
	compare "${RESULT[join build joined close]}" "${RESULT[join build setns close]}"
	heading "The same where there is more of it. Medians of $TURNS turns in us"
	columns "$(printf '%-31s' '')" setns joined setns joined
	printf '   %-19s   %s\n' 'joined to joined' 'setns to setns'
	for what in 'mounts|10 and 1000 mounts|join' 'users|1 and 500 users held|many'; do
		IFS='|' read -r what row little <<<"$what"
		printf '%-31s' "$row"
		row="joining, $row" little="$little $what-little" much="${little/-little/-much}"
		printf '%10.1f' "$(turns_median "$little" setns)e-3" "$(turns_median "$little" joined)e-3" \
			"$(turns_median "$much" setns)e-3" "$(turns_median "$much" joined)e-3"
		compare "$(turns_median "$much" joined)" "$(turns_median "$little" joined)" 1.2
		compare "$(turns_median "$much" setns)" "$(turns_median "$little" setns)"
		echo
	done
	row="the keeper's memory"
	printf '%-71s' "the keeper's resident memory with 500 users held, in MiB"
	compare "$resident" 1024 2
	echo
}

#
# Saying
#
us() { # us KEY...: columns of microseconds
	local key

	for key; do
		printf '%10.1f' "${RESULT[$key]}e-3"
	done
}

heading() {
	printf '\n%s\n' "$*"
}

columns() { # columns FIRST NAME...: above columns of us
	local name

	printf '%s' "$1"
	shift
	for name; do
		printf '%10s' "$name"
	done
}

compare() { # compare VALUE BASE [AT-MOST]: the ratio, and whether it is good enough, in 22 columns
	local hundredths=$((($1 * 100 + $2 / 2) / $2)) most word

	if [[ ! ${3-} ]]; then
		printf '%9.2f%13s' "${hundredths}e-2" ''
		return
	fi
	printf -v most '%.0f' "${3}e2"
	word=ok
	((hundredths <= most)) || word=MISSED missed=$((missed + 1))
	printf '%9.2f <= %-4s %-6s' "${hundredths}e-2" "$3" "$word"
	[[ $word = ok ]] || misses+=("$row")
}

say_open() {
	local mounts scenario key row possible

	heading "pam_open_session, ten rules. Medians in us, ratios of nsclone's"
	columns "$(printf '%-14s %6s' '' mounts)" libpam floor nsclone namespace
	printf '   %-19s   %s\n' 'to the floor' 'to pam_namespace'
	for mounts in "${MOUNTS[@]}"; do
		for scenario in "${SCENARIOS[@]}"; do
			key="$scenario $mounts" row="open, ${title[$scenario]}, $mounts mounts"
			printf '%-14s %6d' "${title[$scenario]}" "$mounts"
			us "$key "{libpam,floor,nsclone,namespace}" open"
			compare "${RESULT[$key nsclone open]}" "${RESULT[$key floor open]}" "${target[$scenario]}"
			row+=", against pam_namespace"
			possible=1 # unless the floor is slower than pam_namespace, which makes only directories
			((RESULT["$key floor open"] < RESULT["$key namespace open"])) || possible=
			compare "${RESULT[$key nsclone open]}" "${RESULT[$key namespace open]}" "$possible"
			echo
		done
	done
}

say_close() {
	local mounts scenario key

	heading "pam_close_session: the same (pam_namespace does nothing, all ends with the process)"
	columns "$(printf '%-14s %6s' '' mounts)" libpam floor nsclone namespace
	printf '   %s\n' 'to the floor'
	for mounts in "${MOUNTS[@]}"; do
		for scenario in "${SCENARIOS[@]}"; do
			key="$scenario $mounts"
			printf '%-14s %6d' "${title[$scenario]}" "$mounts"
			us "$key "{libpam,floor,nsclone,namespace}" close"
			compare "${RESULT[$key nsclone close]}" "${RESULT[$key floor close]}"
			echo
		done
	done
}

growth() { # growth KIND SCENARIO PART...: picoseconds for each host mount
	local few=${MOUNTS[0]} many=${MOUNTS[-1]} part sum=0

	for part in "${@:3}"; do
		sum=$((sum + ${RESULT["$2 $many $1 $part"]} - ${RESULT["$2 $few $1 $part"]}))
	done
	echo $((sum * 1000 / (many - few)))
}

say_growth() {
	local scenario floors ours row part text

	heading "Growth for each host mount, ${MOUNTS[0]} to ${MOUNTS[-1]}, in us"
	columns "$(printf '%-41s' '')" floor nsclone
	printf '   %s\n' 'to the floor'
	for scenario in "${SCENARIOS[@]}"; do
		for part in open close; do
			floors=$(growth floor "$scenario" "$part") ours=$(growth nsclone "$scenario" "$part")
			row="growth of $part, ${title[$scenario]}"
			text="${title[$scenario]}: pam_${part}_session"
			printf '%-41s%10.3f%10.3f' "$text" "${floors}e-6" "${ours}e-6"
			if [[ $part = open ]]; then compare "$ours" "$floors" 1.1; else compare "$ours" "$floors"; fi
			echo
		done
	done
}

say_start_end() {
	local part row

	heading "pam_start and pam_end: a module that does nothing, and nsclone. Medians in us"
	columns "$(printf '%-41s' '')" libpam nsclone
	printf '   %s\n' 'to libpam'
	for part in start end; do
		row="pam_$part"
		printf '%-41s' "pam_$part: in a new process"
		us "tmp fresh "{libpam,nsclone}" $part"
		compare "${RESULT[tmp fresh nsclone $part]}" "${RESULT[tmp fresh libpam $part]}" 1.1
		printf '\n%-41s' "pam_$part: again in the same process"
		us "tmp ${MOUNTS[0]} "{libpam,nsclone}" $part"
		compare "${RESULT[tmp ${MOUNTS[0]} nsclone $part]}" "${RESULT[tmp ${MOUNTS[0]} libpam $part]}" 1.1
		echo
	done
}

say_fresh() {
	local part

	heading "The first session of a new process, private /tmp, ${MOUNTS[0]} mounts. Medians in us"
	columns "$(printf '%-21s' '')" libpam floor nsclone namespace
	printf '   %-19s   %s\n' 'to the floor' 'to pam_namespace'
	for part in open close; do
		printf '%-21s' "pam_${part}_session"
		us "tmp fresh "{libpam,floor,nsclone,namespace}" $part"
		compare "${RESULT[tmp fresh nsclone $part]}" "${RESULT[tmp fresh floor $part]}"
		compare "${RESULT[tmp fresh nsclone $part]}" "${RESULT[tmp fresh namespace $part]}"
		echo
	done
}

say_at_once() { # say_at_once KEY SCENARIO TEXT
	local row="p90 with 16 at once, $3"

	printf '%-21s' "$3"
	us "$2 $1 floor "{open,p90} "$2 $1 nsclone "{open,p90}
	compare "${RESULT[$2 $1 nsclone p90]}" "${RESULT[$2 $1 floor p90]}" 2
	us "$2 $1 floor both" "$2 $1 nsclone both"
	compare "${RESULT[$2 $1 nsclone both]}" "${RESULT[$2 $1 floor both]}"
	echo
}

say_all_at_once() {
	heading "pam_open_session with 16 logins at once on $(nproc) processors. Median and 90th percentile in us"
	columns "$(printf '%-21s' '')" floor p90 nsclone p90
	printf '   %-19s   %s\n' 'p90 to the floor' 'open + close: p90 of both, ratio'
	say_at_once users tmp 'private /tmp'
	say_at_once one-user tmp '... all of one user'
	say_at_once users ipc '+ IPC + UTS'
	say_at_once users net '+ network'
}

say_policy() {
	local n load resolve fit both row before=0

	heading "policy_load() and policy_resolve(). Medians in ms"
	columns "$(printf '%-21s' rules)" load resolve both
	printf '   %-19s   %s\n' 'both, in ms' 'to ten times 1000 rules'
	for n in 10 1000 10000; do
		/opt/policy "$n" "$(rounds $((n < 10000 ? 400 : 40)))" >/one || die "policy: failed"
		read -r n load resolve fit </one
		both=$((load + resolve))
		printf '%-21s%10.3f%10.3f%10.3f' "$n, of which $fit fit" "${load}e-6" "${resolve}e-6" "${both}e-6"
		if ((n == 10000)); then
			row="10,000 rules, ms"
			compare "$both" 1000000 10
			row="linear in the rules, 1000 to 10,000"
			compare "$both" "$((before * 10))" 2
		fi
		before=$both
		echo
	done
}

#
# All of it
#
[[ ${BENCH_WORLD-} ]] || enter "$@"
readonly MOUNTS=(10 1000 5000)
misses=()
echo "nsclone: what a login costs. Linux $(uname -r), $(nproc) processors, load $(cut -d' ' -f1-3 /proc/loadavg)"
build_world
services
policy
/opt/mounts 10 /srv
measure_joining
log_in tmp fresh --fresh --rounds "$(rounds 1000)" libpam floor-tmp nsclone-tmp namespace
at_once users tmp
at_once one-user tmp --same
at_once users ipc
at_once users net
measure 10 2000
measure 1000 300
measure 5000 100
say_open
say_close
say_growth
say_joining
say_start_end
say_fresh
say_all_at_once
say_policy
heading "$missed figures MISSED, in $SECONDS s"
((missed == 0)) || printf '%s\n' "${misses[@]}" | sed 's/^/  /'
[[ ! $assert || $missed = 0 ]]
