#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# lint.sh [STEP...]: what can be said of the code without running it. `make lint` runs all steps (STEPS, below). Every
# step runs, whatever the others say; one line each, then what it found.
set -u

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
B=${B:-build}
export B
readonly STEPS=(layers lengths shellcheck manuals gcc clang cppcheck tidy)
CPUS=$(nproc)

sources() { # the product's
	find . -path ./build -prune -o -path ./.git -prune -o -path ./tests -prune -o -name '*.[ch]' -printf '%P\n' | sort
}

test_sources() {
	find tests -name '*.[ch]' | sort
}

in_lib() { # in_lib DIRECTORY
	sources | grep "^lib/$1"
}

code() { # code FILE: without comments and strings, so that prose cannot break a rule
	gcc -fpreprocessed -dD -E -P "$1" 2>/dev/null | sed 's/"[^"]*"/""/g'
}

#
# Compilers
#
compile() { # compile CC
	rm -rf "$B/lint-$1"
	make -s -j"$CPUS" CC="$1" B="$B/lint-$1" CFLAGS="-O2 -g -Werror" tests 2>&1 | grep -Ev '^  [A-Z]+ +[a-z]'
	return "${PIPESTATUS[0]}"
}

step_gcc() {
	compile gcc
}

step_clang() {
	compile clang
}

#
# Analysers
#
flags() { # as the Makefile has them
	echo -std=gnu11 -D_GNU_SOURCE -I. -DNSCLONE_SYSCONF_DIR='"/etc/security"' -DNSCLONE_VENDOR_DIR='"/usr/lib/nsclone/policy.d"'
}

step_tidy() {
	local -a options

	read -ra options <<<"$(flags)"
	export -f tidy_one
	{ sources && test_sources; } | grep '\.c$' |
		xargs -P "$CPUS" -I{} bash -c 'tidy_one "$@"' bash {} "${options[@]}"
}

tidy_one() { # tidy_one FILE OPTION...
	local file=$1 out

	shift
	out=$(clang-tidy -quiet "$file" -- "$@" 2>&1) && return
	grep -E ' (error|warning): ' <<<"$out" # without the analyzer's walk through the code: clang-tidy FILE shows it
	return 1
}

step_cppcheck() {
	{ sources && test_sources; } | grep '\.c$' >"$B/cppcheck.files"
	cppcheck -q -j "$CPUS" --std=c11 --library=posix,gnu --enable=warning,portability,performance --inline-suppr \
		--suppress=missingIncludeSystem --suppress=unknownMacro --suppress=preprocessorErrorDirective \
		--suppress=readdirCalled --suppress=getpwuidCalled --suppress=ttynameCalled --suppress=getpwnamCalled --suppress=getgrnamCalled --suppress=autoVariables --suppress=memleak:lib/policy/pool.c \
		--suppress='resourceLeak:tests/unit/*' --suppress='leakReturnValNotUsed:tests/unit/*' \
		--suppress=nullPointer:lib/core/sys_socket.c --suppress='nullPointer:tests/unit/*' `# accept4, scandir: NULL is none` \
		--error-exitcode=1 -D_GNU_SOURCE -I. '-DNSCLONE_SYSCONF_DIR="/etc/security"' \
		'-DNSCLONE_VENDOR_DIR="/usr/lib/nsclone/policy.d"' --file-list="$B/cppcheck.files" 2>&1
}

scripts() {
	find . -path ./build -prune -o -path ./.git -prune -o -type f -print |
		while IFS= read -r file; do
			case $(head -c 64 "$file" | head -n 1 | tr -d '\0') in
			'#!'*sh | '#!'*'sh '* | '# shellcheck shell='*) echo "$file" ;;
			esac
		done
}

step_shellcheck() {
	scripts | xargs shellcheck
}

step_manuals() {
	local -a pages=(docs/*.[1-8])

	[[ -e ${pages[0]} ]] || { echo "docs/: no manual pages"; return 1; }
	mandoc -T lint -W warning "${pages[@]}"
}

#
# The layers of design.md, by who includes what and who calls what
#
never() { # never WHY REGEX FILE...: no such text in the code of FILE...
	local why=$1 regex=$2 file found status=0

	shift 2
	for file; do
		found=$(code "$file" | grep -En "$regex") || continue
		echo "$file: $why:"$'\n'"$found"
		status=1
	done
	return "$status"
}

includes() { # includes FILE...: "FILE:HEADER" a line, "" and <> alike
	grep -HEo '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<][^">]+' "$@" | sed -E 's/:.*["<]/:/'
}

no_include() { # no_include WHY REGEX FILE...
	local why=$1 regex=$2 found

	shift 2
	[[ $# -gt 0 ]] || return 0
	found=$(includes "$@" | grep -E ":($regex)") || return 0
	echo "$why:"$'\n'"$found"
	return 1
}

layer_includes() {
	local status=0
	local -a policy core session lib other keeper worlds no_keeper

	mapfile -t policy < <(in_lib policy/)
	mapfile -t core < <(in_lib core/)
	mapfile -t session < <(in_lib session/)
	mapfile -t lib < <(in_lib '')
	mapfile -t other < <(sources | grep -v '^pam_nsclone\.c$')
	mapfile -t keeper < <(sources | grep -E '^(keeper/|nsclone-keeper\.c)')
	mapfile -t worlds < <(sources | grep -E '^keeper/worlds')
	mapfile -t no_keeper < <(sources | grep -Ev '^(keeper/|nsclone-keeper\.c)')
	no_include "lib/policy knows the language only" 'lib/(core|session)/|cmd/' "${policy[@]}" || status=1
	no_include "lib/policy makes no system call" \
		'unistd\.h|fcntl\.h|dirent\.h|sched\.h|signal\.h|pwd\.h|grp\.h|time\.h|netdb\.h|sys/(syscall|stat|mount|wait|ioctl|file|mman|prctl)\.h|linux/' \
		"${policy[@]}" || status=1
	no_include "lib/core knows no policy" 'lib/(policy|session)/|cmd/' "${core[@]}" || status=1
	no_include "calls go down only" 'cmd/' "${session[@]}" || status=1
	no_include "the keeper makes no decision and reads no policy" 'lib/policy/|cmd/' "${keeper[@]}" || status=1
	no_include "the keeper's rules make no system call" \
		'lib/core/|unistd\.h|fcntl\.h|signal\.h|time\.h|sys/(syscall|stat|mount|wait|ioctl|socket|epoll|inotify|prctl)\.h|linux/' \
		"${worlds[@]}" || status=1
	no_include "nobody is the keeper but itself" 'keeper/' "${no_keeper[@]}" || status=1
	no_include "PAM has one face" 'security/' "${other[@]}" || status=1
	no_include "the library rests on libc alone" 'libmount/|libsmartcols/|systemd/' "${lib[@]}" || status=1
	return "$status"
}

layer_calls() {
	local status=0 call='(^|[^A-Za-z0-9_.>])'
	local -a lib no_kernel no_nss

	mapfile -t lib < <(in_lib '')
	mapfile -t no_kernel < <(in_lib '' | grep -v '^lib/core/')
	mapfile -t no_nss < <(in_lib '' | grep -v '^lib/session/subject')
	never "a library prints, logs, exits or reads the environment" \
		"$call(v?printf|puts|putchar|perror|v?syslog|openlog|setlogmask|exit|abort|(secure_)?getenv|setenv|putenv|unsetenv)[[:space:]]*\\(" \
		"${lib[@]}" || status=1
	never "a library uses stdout or stderr" '(^|[^A-Za-z0-9_])std(out|err)([^A-Za-z0-9_]|$)' "${lib[@]}" || status=1
	never "a guest leaves umask, signals and alarms alone" \
		"$call(umask|signal|sigaction|alarm|setitimer)[[:space:]]*\\(" "${lib[@]}" || status=1
	never "system calls by number belong to lib/core" "${call}syscall[[:space:]]*\\(" "${no_kernel[@]}" || status=1
	never "name services belong to lib/session/subject" \
		"$call(getpw|getgr|initgroups|setpwent|setgrent)[a-z_]*[[:space:]]*\\(" "${no_nss[@]}" || status=1
	return "$status"
}

step_layers() {
	local status=0

	layer_includes || status=1
	layer_calls || status=1
	return "$status"
}

# Functions have at most 80 lines, files 400 (unit tests may be longer: they are lists of cases). A function's body is
# from { to } in the first column.
step_lengths() {
	{ sources && test_sources; } | grep '\.c$' | xargs awk '
		FNR == 1 { start = 0 }
		FNR == 401 && FILENAME !~ "^tests/unit/" { print FILENAME ": more than 400 lines"; bad = 1 }
		/^{/ { start = FNR }
		/^}/ && start { if (FNR - start - 1 > 80) { print FILENAME ":" start ": " FNR - start - 1 " lines"; bad = 1 }; start = 0 }
		END { exit bad }'
}

[[ $# -gt 0 ]] || set -- "${STEPS[@]}"
mkdir -p "$B"
worst=0
for step; do
	declare -F "step_$step" >/dev/null || { echo "lint.sh: no step $step" >&2; exit 2; }
	started=$SECONDS
	if out=$("step_$step" 2>&1); then
		printf 'ok %-12s %4s s\n' "$step" $((SECONDS - started))
	else
		printf 'not ok %-8s %4s s\n%s\n' "$step" $((SECONDS - started)) "$out"
		worst=1
	fi
done
exit "$worst"
