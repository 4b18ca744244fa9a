#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# sanitize.sh asan|valgrind [PATTERN...]: the tests again, with something that watches memory.
# sanitize.sh fuzz [RUNS]: the policy language and the keeper, each with RUNS inputs by chance; corpora stay below build/fuzz.
#
# asan: everything is built with AddressSanitizer and UndefinedBehaviorSanitizer, below build/asan, and all unit and
# behaviour tests run. Real daemons load an instrumented module by LD_PRELOAD of the runtime; what it reports goes to
# files in the scratch world, and one such file fails the test (see finish in lib.sh).
#
# valgrind: the unit tests that do not need system calls which valgrind does not know (open_tree, move_mount, clone on a
# stack of its own), and pam-login in tests/behave/memory.sh.
set -u

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
B=${B:-build}
export CI=

asan() {
	packaging/deps.sh check || exit
	make -s -j"$(nproc)" B="$B/asan" CFLAGS="-O1 -g -fno-omit-frame-pointer" \
		SANITIZE="-fsanitize=address,undefined" tests || exit
	B=$B/asan NSC_SANITIZE=asan NSC_TEST_LIMIT=900 tests/run.sh "$@"
}

valgrind() {
	packaging/deps.sh check sanitize || exit
	make -s -j"$(nproc)" B="$B/valgrind" CFLAGS="-O1 -g" tests || exit
	[[ $# -gt 0 ]] || set -- test_policy test_pamd test_golden test_files =memory
	B=$B/valgrind NSC_SANITIZE=valgrind NSC_TEST_LIMIT=900 tests/run.sh "$@"
}

# fuzz_one NAME RUNS MAX_LENGTH "SOURCE..." [CORPUS...]
fuzz_one() {
	local name=$1 runs=$2 length=$3 sources=$4
	shift 4

	mkdir -p "$B/fuzz/$name.corpus" || return
	# shellcheck disable=SC2086 # words
	clang -g -O1 -std=gnu11 -D_GNU_SOURCE -I. -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
		-o "$B/fuzz/$name" $sources || return
	"$B/fuzz/$name" -runs="$runs" -max_len="$length" -len_control=0 -print_final_stats=1 -verbosity=0 \
		-artifact_prefix="$B/fuzz/" "$B/fuzz/$name.corpus" "$@"
}

fuzz() {
	local runs=${1:-100000}

	packaging/deps.sh lint || exit # clang
	fuzz_one policy "$runs" 4096 "tests/fuzz/fuzz_policy.c $(echo lib/policy/*.c)" tests/policy-errors &&
		fuzz_one keeper "$runs" 2048 "$(echo tests/fuzz/fuzz_keeper*.c keeper/worlds*.c \
			keeper/{server,peer,request,descriptors,effects,children,scan,process,say}.c lib/session/keeper_message.c)"
}

case ${1-} in
asan | valgrind | fuzz) "$@" ;;
*)
	echo "usage: sanitize.sh asan|valgrind [PATTERN...] | fuzz [RUNS]" >&2
	exit 2
	;;
esac
