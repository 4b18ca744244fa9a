#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# sanitize.sh asan|valgrind [PATTERN...]: the tests again, with something that watches memory.
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

case ${1-} in
asan | valgrind) "$@" ;;
*)
	echo "usage: sanitize.sh asan|valgrind [PATTERN...]" >&2
	exit 2
	;;
esac
