#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# run.sh [PATTERN...]: does a broken promise turn a test red? All patches, or those whose name contains a PATTERN.
#
# Each *.patch here breaks one promise of design.md, the one whose number its name begins with. Its first line names the
# test that must notice, by path or by the name of the unit test:
#     # expect-red: tests/behave/su.sh        # expect-red: test_run
# The second may say what of that test: a line that is red must contain it:
#     # at: the first closed first
#
# The tree is copied and built once, and the named tests must be green there. Each patch is then applied to a copy of
# that, in which make builds what it touches, and its test is run. A patch that does not apply or does not build, or
# whose test stays green, is a failure. Last line: "N passed, N failed".
set -u

SRC=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
OUT=$(mktemp -d) || exit 1
trap 'rm -rf "$OUT"' EXIT
trap 'kill $(jobs -p) 2>/dev/null; exit 130' INT TERM
export NSC_TEST_LIMIT=${NSC_TEST_LIMIT:-120}
unset CI MAKEFLAGS MFLAGS MAKELEVEL NSC_SANITIZE
patterns=("$@")

wanted() { # wanted PATCH
	local pattern

	[[ ${#patterns[@]} = 0 ]] && return 0
	for pattern in "${patterns[@]}"; do
		[[ $(basename "$1") = *"$pattern"* ]] && return 0
	done
	return 1
}

header() { # header PATCH WORD: what its line "# WORD: ..." says
	sed -n "1,2s/^# $2: *//p" "$1"
}

test_of() {
	basename "$(header "$1" expect-red)" .sh
}

# The times are kept, and B is relative, so that what make knows of the one tree holds in a copy of it.
base_tree() {
	mkdir "$OUT/base" && tar -C "$SRC" --exclude=./.git --exclude=./build/asan --exclude=./build/lint-\* -cf - . |
		tar -C "$OUT/base" -xpf - && make -s -C "$OUT/base" -j"$(nproc)" B=build tests
}

build() { # build TREE TEST: what that test needs
	case $2 in
	test_*) make -s -C "$1" B=build "build/tests/$2" ;;
	*) make -s -C "$1" B=build all ;;
	esac
}

run_test() { # run_test TREE TEST
	B=$1/build "$1/tests/run.sh" "=$2"
}

red_lines() { # red_lines LOG: what does not hold; as run.sh shows it, indented
	sed -nE 's/^ *not ok ([0-9]+ - )?//p' "$1"
}

judge_unpatched() { # judge_unpatched TEST
	if run_test "$OUT/base" "$1" >"$OUT/$1.log" 2>&1; then
		echo "ok $1 is green without a patch"
	else
		echo "not ok $1 is red without a patch"
		sed 's/^/    /' "$OUT/$1.log"
	fi
}

why_not() { # why_not PATCH TREE LOG: why it is no proof; nothing when it is one
	local name

	name=$(test_of "$1")
	[[ $name ]] || { echo "its first line does not say '# expect-red: TEST'"; return; }
	cp -a "$OUT/base" "$2" || { echo "the tree cannot be copied"; return; }
	patch -s -d "$2" -p1 <"$1" >"$3" 2>&1 || { echo "does not apply"; return; }
	build "$2" "$name" >"$3" 2>&1 || { echo "does not build"; return; }
	run_test "$2" "$name" >"$3" 2>&1 && { echo "$name stays green"; return; }
	red_lines "$3" | grep -qF -- "$(header "$1" at)" || echo "$name is red, but not at '$(header "$1" at)'"
}

judge() { # judge PATCH
	local name why tree log

	name=$(basename "$1" .patch)
	tree=$OUT/tree-$name
	log=$OUT/$name.log
	why=$(why_not "$1" "$tree" "$log")
	rm -rf "$tree"
	if [[ $why ]]; then
		echo "not ok $name: $why"
		[[ ! -e $log ]] || sed 's/^/    /' "$log"
	else
		echo "ok $name: $(test_of "$1"): $(red_lines "$log" | grep -F -- "$(header "$1" at)" | head -n 1)"
	fi
}

said() { # said FUNCTION ARGUMENT: what it says, in one piece
	local text

	text=$("$@")
	printf '%s\n' "$text" | tee -a "$OUT/said"
}

in_parallel() { # in_parallel FUNCTION ARGUMENT: as many at a time as there are processors
	while (($(jobs -rp | wc -l) >= $(nproc))); do
		wait -n
	done
	said "$@" &
}

base_tree >"$OUT/log" 2>&1 || { cat "$OUT/log"; echo "0 passed, 1 failed"; exit 1; }
patches=()
for patch in "$SRC"/tests/mutants/*.patch; do
	[[ -e $patch ]] && wanted "$patch" && patches+=("$patch")
done
[[ ${#patches[@]} != 0 ]] || { echo "0 passed, 0 failed"; exit 1; }
while read -r name; do
	in_parallel judge_unpatched "$name"
done < <(for patch in "${patches[@]}"; do test_of "$patch"; done | grep . | sort -u)
for patch in "${patches[@]}"; do
	in_parallel judge "$patch"
done
wait
passed=$(grep -c '^ok ' "$OUT/said") failed=$(grep -c '^not ok ' "$OUT/said")
echo "$passed passed, $failed failed"
[[ $failed = 0 && $passed -gt 0 ]]
