#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# run.sh [-v] [PATTERN...]: all tests, or those whose name contains a PATTERN (=NAME: just that one); `make check` calls it.
#
# Unit tests (cmocka programs) and behaviour tests run side by side, each in a scratch world of its own, so that none can
# see or harm another or the machine. What fails is shown in full, and the last line is "N passed, N failed, N skipped".
# As an ordinary user the same tests run in a user namespace, as far as it gives them what they need.
#
# With CI=true a skipped test is a failure, unless it was proved impossible on the machine (`impossible` in lib.sh).
set -u

SRC=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
B=${B:-build}
[[ $B = /* ]] || B=$SRC/$B
export SRC B
readonly LIMIT=${NSC_TEST_LIMIT:-240} # seconds for one job
OUT=$(mktemp -d) || exit 1
trap 'rm -rf "$OUT"' EXIT
# An interrupted run takes its tests with it: each ends when its unshare(1) does.
trap 'kill $(jobs -p) 2>/dev/null; exit 130' INT TERM

verbose=
if [[ ${1-} = -v ]]; then
	verbose=yes
	shift
fi
patterns=("$@")

wanted() {
	local pattern

	[[ ${#patterns[@]} = 0 ]] && return 0
	for pattern in "${patterns[@]}"; do
		[[ =$1 = "$pattern" || $1 = *"$pattern"* ]] && return 0
	done
	return 1
}

# name|kind|file, the slow ones first, so that the last to end is a short one
list() {
	local file only

	for file in "$SRC"/tests/behave/*.sh; do
		only=$(sed -n 's/^# only: //p' "$file")
		[[ -e $file && ( -z $only || $only = "${NSC_SANITIZE-}" ) ]] && echo "$(sed -n 's/^# weight: //p' "$file" | grep . || echo 1)|$(basename "$file" .sh)|behave|$file"
	done
	for file in "$SRC"/tests/{seeds,command,readme}.sh; do
		[[ -x $file ]] && echo "2|$(basename "$file" .sh)|script|$file"
	done
	for file in "$B"/tests/test_*; do
		[[ -x $file && $file != *.d ]] && echo "1|$(basename "$file")|unit|$file"
	done
}

# Under a sanitizer unit tests are searched for leaks, too.
unit_under() {
	[[ ${NSC_SANITIZE-} != asan ]] ||
		echo 'ASAN_OPTIONS=detect_leaks=1 LSAN_OPTIONS=suppressions=$SRC/tests/leaks.supp'
}

unit_runner() {
	[[ ${NSC_SANITIZE-} != valgrind ]] || echo 'valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite --suppressions=$SRC/tests/valgrind.supp'
}

# Unit tests that give files to several users. They need a range of uids, which an ordinary user has by /etc/subuid only.
readonly NEEDS_USERS=" test_files test_run test_core_path test_world test_keeper_start test_spawn "

lacks_users() { # lacks_users UNIT
	[[ $NEEDS_USERS = *" $1 "* && $(id -u) != 0 ]] && ! unshare --user --map-root-user --map-auto true 2>/dev/null
}

run_unit() { # run_unit NAME
	if lacks_users "$1"; then
		echo "SKIP $1: impossible: an ordinary user without a range in /etc/subuid is alone in its user namespace"
		return
	fi
	CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 5 "$LIMIT" "$SRC/tests/world.sh" \
		sh -c "cd \"\$SRC\" && $(unit_under) exec $(unit_runner) \"\$B/tests/\$1\"" sh "$1"
}

run_job() { # run_job KIND FILE
	if [[ $(id -u) != 0 && $2 = */readme.sh ]]; then
		echo "SKIP readme: impossible: it says sudo, and in a user namespace sudo finds that root does not own it"
		return
	fi
	case $1 in
	behave) timeout -k 5 "$LIMIT" bash "$2" ;;
	script) ASAN_OPTIONS=detect_leaks=0 timeout -k 5 "$LIMIT" "$2" ;;
	unit) run_unit "$(basename "$2")" ;;
	esac
}

start_job() { # start_job NAME KIND FILE
	local -i started=$SECONDS

	run_job "$2" "$3" </dev/null >"$OUT/$1.log" 2>&1
	echo "$?" >"$OUT/$1.rc"
	echo $((SECONDS - started)) >"$OUT/$1.seconds"
}

run_all() {
	local jobs name kind file

	jobs=$(($(nproc) + 1)) # many of them wait for somebody most of the time
	while IFS='|' read -r _ name kind file; do
		wanted "$name" || continue
		while (($(jobs -rp | wc -l) >= jobs)); do
			wait -n
		done
		echo "$name|$kind" >>"$OUT/names"
		start_job "$name" "$kind" "$file" &
	done < <(list | sort -t'|' -k1,1nr -k2)
	wait
}

#
# The results. A job may also fail as a whole: by its exit status, by saying nothing, or by ending before its end.
#
passed=0 failed=0 skipped=0

fail() { # fail NAME WHAT
	failed=$((failed + 1))
	echo "not ok $1: $2"
}

proved_impossible() { # proved_impossible TEST LOG: a unit test says so in a line of its own: "# impossible: NAME: why"
	local name

	while IFS=: read -r _ name _; do
		[[ $1 != "${name# }"* ]] || return 0
	done < <(grep '^# impossible: ' "$2")
	return 1
}

count_lines() { # count_lines NAME LOG: TAP's numbers are taken off first
	local line

	while IFS= read -r line; do
		case $line in
		"not ok "*"# SKIP"* | "ok "*"# SKIP"* | "SKIP "*) # cmocka has the first
			skipped=$((skipped + 1))
			[[ $line = *": impossible: "* || ${CI-} != true ]] || proved_impossible "${line##*# SKIP }" "$2" ||
				fail "$1" "skipped in CI: $line"
			;;
		"not ok "*) failed=$((failed + 1)) ;;
		"ok "*) passed=$((passed + 1)) ;;
		esac
	done < <(sed -E 's/^((not )?ok) [0-9]+ - /\1 /' "$2")
}

whole() { # whole NAME KIND: is the job as such all right?
	local log=$OUT/$1.log rc

	rc=$(cat "$OUT/$1.rc" 2>/dev/null || echo none)
	if [[ $rc = 124 || $rc = 137 ]]; then
		echo "no end after $LIMIT s"
	elif ! grep -Eq '^(not ok|ok|SKIP) ' "$log"; then
		echo "says nothing (exit $rc)"
	elif [[ $2 = behave ]] && ! grep -qx end "$log"; then
		echo "ended early (exit $rc)"
	elif [[ $rc != 0 ]] && ! grep '^not ok ' "$log" | grep -qv '# SKIP'; then
		echo "exit $rc"
	fi
}

report_job() { # report_job NAME KIND
	local log=$OUT/$1.log before=$failed trouble mark=ok

	count_lines "$1" "$log"
	trouble=$(whole "$1" "$2")
	[[ -z $trouble ]] || fail "$1" "$trouble"
	[[ $failed = "$before" ]] || mark=FAILED
	printf '%-28s %3s ok %6s s  %s\n' "$1" "$(grep -Ec '^ok ' "$log")" "$(cat "$OUT/$1.seconds")" "$mark"
	if [[ $mark = FAILED || $verbose ]]; then
		sed 's/^/    /' "$log"
	else
		grep '^SKIP ' "$log" | sed 's/^/    /'
	fi
}

# The machine itself, not a scratch world: what this run may not have changed.
machine() {
	sed -E 's/^[0-9]+ [0-9]+ //' /proc/self/mountinfo
	awk '{ print $1, $2, $8 }' /proc/sysvipc/shm
	uname -n
	find /run/nsclone /var/lib/nsclone 2>/dev/null
	find /tmp /var/tmp /dev/shm -xdev -uid +20000 -uid -20006 2>/dev/null | sort
}

machine >"$OUT/machine"
run_all
while IFS='|' read -r name kind; do
	report_job "$name" "$kind"
done <"$OUT/names"
if changed=$(machine | diff "$OUT/machine" -); then
	[[ ${#patterns[@]} != 0 ]] || passed=$((passed + 1))
else
	fail "machine" "this run has changed it"
	echo "$changed"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[[ $failed = 0 && $passed -gt 0 ]]
