# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What behaviour tests share. A test is a bash script that begins with
#
#     . "${0%/*}/../lib.sh"
#
# which starts it over as process 1 of a scratch world (tests/world.sh), and ends with `finish`. It prints one line for
# each thing it holds: "ok NAME", "not ok NAME" (with what was wanted and what came, indented), or "SKIP NAME: why".
set -u

if [[ -z ${NSC_WORLD-} ]]; then
	SRC=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
	exec "$SRC/tests/world.sh" bash "/opt/src/tests/${0##*tests/}" "$@" # where the world has this tree
fi
if [[ $NSC_WORLD = one && -z ${needs_one_uid_only-} ]]; then
	echo "SKIP $(basename "$0" .sh): impossible: an ordinary user without a range in /etc/subuid is alone in its user namespace"
	echo "end"
	exit 0
fi

readonly WORK=/root/work MODULE=/opt/nsclone/pam_nsclone.so LOGIN=/opt/nsclone/pam-login LOG=/var/log/messages
# shellcheck disable=SC2034 # for the scripts
readonly LOOK=/opt/nsclone/look
mkdir -p "$WORK"

#
# Saying
#
failures=0

ok() {
	echo "ok $*"
}

not_ok() { # not_ok NAME [DETAIL...]
	echo "not ok $1"
	shift
	[[ $# = 0 ]] || printf "%s\n" "$@" | head -n 30 | sed "s/^/    /"
	failures=$((failures + 1))
}

skip() { # skip NAME WHY: fails in CI
	echo "SKIP $1: $2"
}

impossible() { # impossible NAME WHY COMMAND...: this machine cannot, as COMMAND proves
	local name=$1 why=$2

	shift 2
	if "$@" >/dev/null 2>&1; then
		echo "SKIP $name: impossible: $why"
	else
		not_ok "$name" "said to be impossible here ($why), but: $*"
	fi
}

# no_setuid NAME: NAME cannot be tested, as a setuid program does not do here what it does elsewhere
no_setuid() {
	if [[ ${NSC_SANITIZE-} = asan ]]; then
		impossible "$1" "a setuid program does not load the sanitizer" true
	elif [[ $NSC_WORLD != root ]]; then
		impossible "$1" "in a user namespace su is not root's" test "$(stat -c %u "$(command -v su)")" != 0
	else
		return 1
	fi
}

is() { # is NAME GOT WANTED
	if [[ $2 = "$3" ]]; then ok "$1"; else not_ok "$1" "wanted: $3" "came:   $2"; fi
}

like() { # like NAME GOT EXTENDED-REGEX
	if [[ $2 =~ $3 ]]; then ok "$1"; else not_ok "$1" "wanted: /$3/" "came:   $2"; fi
}

unlike() { # unlike NAME GOT EXTENDED-REGEX
	if [[ $2 =~ $3 ]]; then not_ok "$1" "not wanted: /$3/" "came:   $2"; else ok "$1"; fi
}

holds() { # holds NAME COMMAND...
	local name=$1 out

	shift
	if out=$("$@" 2>&1); then ok "$name"; else not_ok "$name" "failed: $*" "$out"; fi
}

fails() { # fails NAME COMMAND...
	local name=$1 out

	shift
	if out=$("$@" 2>&1); then not_ok "$name" "succeeded: $*" "$out"; else ok "$name"; fi
}

finish() {
	if [[ -n $(find /opt/reports -type f 2>/dev/null) ]]; then
		not_ok "the sanitizer has nothing to report" "$(cat /opt/reports/*)"
	fi
	echo "end"
	[[ $failures = 0 ]]
	exit
}

#
# Arranging
#
policy() { # the one policy file, from stdin
	rm -f /etc/security/nsclone.d/*
	cat >/etc/security/nsclone.d/50-test.conf
}

# Everything that this product can give, for alice and bob.
full_policy() { # full_policy [LINE...]: more lines for the [Session]
	{
		cat <<-'END'
			[Match]
			User=alice bob

			[Session]
			PrivateTmp=yes
			PrivateDevShm=yes:size=16M
			PrivateIPC=yes
			PrivateNetwork=yes
			ProtectHostname=yes:box-%u
			ProtectProc=invisible
		END
		[[ $# = 0 ]] || printf '%s\n' "$@"
	} | policy
}

service() { # service NAME [ARGUMENT...]: the distribution's stack, and ours as its last line
	local name=$1

	shift
	if [[ -e /etc/pam.dist/$name ]]; then
		cat "/etc/pam.dist/$name"
	else
		printf '%s required pam_permit.so\n' auth account session
	fi >"/etc/pam.d/$name"
	echo "session required $MODULE $*" >>"/etc/pam.d/$name"
}

# The keeper, and the command that it calls, where `make install` puts them, so that the first login starts it. /usr gets a
# layer that can be written to and is root's: in a user namespace what is below is nobody's, whom no login trusts.
install_keeper() {
	local new=$WORK/usr/new

	mkdir -p "$new"/{lib/nsclone,sbin} "$WORK/usr/work" && chmod 755 "$new" "$new"/{lib,lib/nsclone,sbin} &&
		cp "$B"/nsclone-keeper "$B"/nsclone-init "$new/lib/nsclone" && cp "$B/nsclone" "$new/sbin" &&
		mount -t overlay -o "lowerdir=/usr,upperdir=$new,workdir=$WORK/usr/work" keeper /usr && return
	not_ok "the keeper can be installed"
}

is_keeper() { # is_keeper /proc/PID
	[[ $(readlink "$1/exe") = */nsclone-keeper* ]]
}

keeper_pids() { # without their children that are about to become something else
	local dir

	for dir in /proc/[0-9]*; do
		is_keeper "$dir" && ! is_keeper "/proc/$(sed -n 's/^PPid:\t//p' "$dir/status" 2>/dev/null)" && echo "${dir#/proc/}"
	done
}

keeper_pid() {
	keeper_pids | head -n 1 | grep .
}

confdir_service() { # confdir_service DIRECTORY NAME LINE...: for pam-login --confdir
	local dir=$1 name=$2

	shift 2
	mkdir -p "$dir"
	printf '%s\n' "$@" >"$dir/$name"
}

login() { # login USER|OPTION... [-- COMMAND...]: through libpam
	${LOGIN_UNDER-} "$LOGIN" "$@" 2>&1
}

log_since() { # log_since MARK: what came into the log after log_mark
	tail -n "+$(($1 + 1))" "$LOG"
}

log_mark() {
	sync_log
	wc -l <"$LOG"
}

# same_id NAME TEXT MARK: what the user was told carries an id, and the log has a line with it since MARK.
same_id() {
	local id

	id=$(grep -Eo '\<id [0-9a-f]{8}\>' <<<"$2" | head -n 1 | cut -c4-)
	sync_log
	if [[ $id ]] && log_since "$3" | grep -q "nsclone.*id=$id"; then
		ok "$1: what the user is told and the log have one id"
	else
		not_ok "$1: what the user is told and the log have one id" "told: $2" "log:" "$(log_since "$3")"
	fi
}

sync_log() { # the daemon reads in its own time
	local token="mark-$RANDOM-$RANDOM" i

	logger -u /dev/log -t test -- "$token" 2>/dev/null || return 0
	for ((i = 0; i < 100; i++)); do
		grep -q -- "$token" "$LOG" && return 0
		sleep 0.02
	done
}

wait_until() { # wait_until SECONDS COMMAND...
	local -i deadline=$((SECONDS + $1))

	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS < deadline)) || return 1
		sleep 0.05
	done
}

#
# The host, seen from outside a session
#
host_mounts() {
	cat /proc/1/mountinfo
}

host_namespaces() { # all that anybody lives in or holds a descriptor of
	find /proc/[0-9]*/ns /proc/[0-9]*/fd -type l -printf '%l\n' 2>/dev/null |
		grep -Ex '(mnt|ipc|uts|net|pid|user|cgroup|time):\[[0-9]+\]' | sort -u
}

host_processes() { # without the ones that ask
	local dir

	for dir in /proc/[0-9]*; do
		[[ $(sed -n 's/^PPid:\t//p' "$dir/status" 2>/dev/null) = "$BASHPID" ]] && continue
		[[ $(sed -n 's/^State:\t\(.\).*/\1/p' "$dir/status" 2>/dev/null) = [ZX] ]] && continue
		[[ ${dir#/proc/} = "$BASHPID" ]] || readlink "$dir/exe" 2>/dev/null | sed "s|^|${dir#/proc/} |"
	done
}

host_directories() { # InstanceRoot= and the registry themselves are kept, on purpose
	find /tmp /var/tmp /dev/shm /dev/mqueue /run/nsclone /var/lib/nsclone /home /root -xdev \
		! -path '/root/work*' ! -path /run/nsclone ! -path /run/nsclone/sessions ! -path /var/lib/nsclone \
		-printf '%p %y %m %U:%G %l\n' 2>/dev/null | sort
}

host_kernel() {
	uname -n
	awk '{ print $1, $2 }' /proc/sysvipc/shm
	sed 's/:.*//' /proc/self/net/dev
}

host_state() { # host_state DIRECTORY
	mkdir -p "$1"
	host_mounts >"$1/mounts"
	host_namespaces >"$1/namespaces"
	host_processes >"$1/processes"
	host_directories >"$1/directories"
	host_kernel >"$1/kernel"
}

host_before() {
	rm -rf "$WORK/before"
	host_state "$WORK/before"
	grep -qxF "$(host_ns mnt)" "$WORK/before/namespaces" || not_ok "namespaces are seen"
}

host_same() {
	host_state "$WORK/now"
	diff -r "$WORK/before" "$WORK/now" >"$WORK/difference"
}

host_unchanged() { # host_unchanged NAME: since host_before; what daemons tidy up late is given a moment
	if wait_until 5 host_same; then
		ok "$1: the host is as before"
	else
		not_ok "$1: the host is as before" "$(cat "$WORK/difference")"
	fi
}

# Things of the host's that nobody in a private session may see.
# shellcheck disable=SC2034 # for the scripts
host_treasure() {
	echo host >/tmp/host-file
	echo host >/var/tmp/host-file
	echo host >/dev/shm/host-shm
	chmod 666 /tmp/host-file /var/tmp/host-file /dev/shm/host-shm
	ipcmk -M 4096 -p 0666 >/dev/null
	[[ ! -d /dev/mqueue ]] || : >/dev/mqueue/host-queue
	setpriv --reuid 20002 --regid 20002 --clear-groups sleep 10000 </dev/null >/dev/null 2>&1 &
	bobs_process=$!
	host_key=$(awk 'NR == 2 { print $1 }' /proc/sysvipc/shm)
}

#
# A session, seen from inside
#
mount_ns() { # mount_ns [OPTION...] USER: "host", "own" or "refused"
	local ns

	ns=$(login "$@" -- readlink /proc/self/ns/mnt | grep '^mnt:')
	case $ns in
	'') echo refused ;;
	"$(host_ns mnt)") echo host ;;
	*) echo own ;;
	esac
}

open_code() { # open_code [OPTION...] USER: PAM's number
	login "$@" | sed -n 's/^open \([0-9]*\) .*/\1/p'
}

# A refusal is PAM_SYSTEM_ERR (4) or PAM_PERM_DENIED (6), never PAM_SESSION_ERR (14), which sudo ignores.
refused() { # refused NAME [OPTION...] USER
	local name=$1 code

	shift
	code=$(open_code "$@")
	if [[ $code = 4 || $code = 6 ]] && [[ $(mount_ns "$@") = refused ]]; then
		ok "$name: refused"
	else
		not_ok "$name: refused" "code $code, mount namespace: $(mount_ns "$@")" "$(login "$@")"
	fi
}

gets() { # gets NAME own|host [OPTION...] USER
	local name=$1 wanted=$2

	shift 2
	is "$name: $wanted" "$(open_code "$@") $(mount_ns "$@")" "0 $wanted"
}

rule() { # rule MATCH LINE...: one rule, to be put together
	printf '[Match]\n%s\n[Session]\n' "$1"
	shift
	printf '%s\n' "$@"
}

#
# The output of look
#
seen() { # seen FILE KEY
	sed -n "s/^$2 //p" "$1" | tr -d '\r'
}

host_ns() {
	readlink "/proc/1/ns/$1"
}

# view NAME FILE USER [CWD]: FILE is what USER saw under full_policy. One line in all, so that the tests' number stays legible.
view() {
	local name=$1 file=$2 user=$3 trouble

	trouble=$(view_troubles "$file" "$user" "${4-/home/$3}")
	if [[ -z $trouble ]]; then ok "$name: $user sees her own world"; else
		not_ok "$name: $user sees her own world" "$trouble"
	fi
}

expect() { # expect FILE KEY WANTED
	[[ $(seen "$1" "$2") = "$3" ]] || echo "$2: wanted <$3>, came <$(seen "$1" "$2")>"
}

view_troubles() { # FILE USER CWD
	local file=$1 user=$2 kind uid

	uid=$(id -u "$user")
	expect "$file" user "$user"
	expect "$file" ids "$uid $uid $(id -G "$user")"
	expect "$file" cwd "$3"
	expect "$file" tmp "inside-$user"
	expect "$file" vartmp ''
	expect "$file" tmpmode '1777 0 0'
	expect "$file" vartmpmode '1777 0 0'
	expect "$file" shm "inside-$user"
	expect "$file" host "box-$user"
	expect "$file" interfaces lo
	expect "$file" sysnet lo
	expect "$file" lo 0x9
	expect "$file" segments ''
	expect "$file" queues ''
	for kind in mnt ipc uts net; do
		[[ $(seen "$file" "ns_$kind") =~ ^$kind:\[[0-9]+\]$ ]] || echo "ns_$kind: none"
		[[ $(seen "$file" "ns_$kind") != "$(host_ns "$kind")" ]] || echo "ns_$kind: the host's"
	done
	for kind in pid user cgroup; do
		expect "$file" "ns_$kind" "$(host_ns "$kind")"
	done
	expect "$file" cgroups "$(find /sys/fs/cgroup -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null | LC_ALL=C sort | tr '\n' ' ' | sed 's/ $//')"
	grep -E '^(foreign .|leaked |trouble )' "$file"
	# 0 to 2 are the session's, the one that is left is the script that looks
	grep '^fd ' "$file" | tr -d '\r' | grep -Ev '^fd ([0-2] |[0-9]+ /opt/nsclone/look$)'
}
