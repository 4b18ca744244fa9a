#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# run.sh [PATTERN...]: does a broken promise turn a test red?
#
# Each *.patch here breaks one promise. Its first line names the tests that must notice, by path or by the name of the
# unit test:   # expect-red: tests/behave/su.sh   or   # expect-red: test_plan
# The tree is copied, patched, built, and those tests are run there. A patch that does not apply or does not build, or
# whose tests stay green, is a failure. Last line: "N passed, N failed".
set -u

SRC=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
TREE=$(mktemp -d) || exit 1
trap 'rm -rf "$TREE"' EXIT
trap 'exit 130' INT TERM
passed=0 failed=0

fresh_tree() { # the build is copied, too: with its times kept, make builds only what the patch touches
	rm -rf "$TREE/tree" && mkdir "$TREE/tree" && tar -C "$SRC" --exclude=./.git --exclude=./build/asan \
		--exclude=./build/lint-\* -cf - . | tar -C "$TREE/tree" -xpf -
}

base_is_built() {
	make -s -C "$SRC" -j"$(nproc)" tests >"$TREE/base" 2>&1 || { cat "$TREE/base"; exit 1; }
}

mutate() { # mutate PATCH: prints why it is no proof, nothing when it is one
	local expected name

	expected=$(sed -n '1s/^# expect-red: *//p' "$1")
	[[ $expected ]] || { echo "its first line does not say '# expect-red: TEST'"; return; }
	fresh_tree || { echo "cannot copy the tree"; return; }
	patch -s -d "$TREE/tree" -p1 <"$1" >"$TREE/log" 2>&1 || { echo "does not apply"; return; }
	B=$TREE/tree/build make -s -C "$TREE/tree" -j"$(nproc)" B="$TREE/tree/build" tests >"$TREE/log" 2>&1 ||
		{ echo "does not build"; return; }
	for name in $expected; do
		B=$TREE/tree/build "$TREE/tree/tests/run.sh" "=$(basename "$name" .sh)" >"$TREE/log" 2>&1 &&
			echo "$name stays green"
		grep -Eq '^ *not ok ' "$TREE/log" || echo "$name did not run"
	done
}

base_is_built
for patch in "$SRC"/tests/mutants/*.patch; do
	[[ -e $patch && ( $# = 0 || $patch = *"${1-}"* ) ]] || continue
	trouble=$(mutate "$patch")
	if [[ -z $trouble ]]; then
		passed=$((passed + 1))
		echo "ok $(basename "$patch" .patch): $(sed -n 's/^ *not ok //p' "$TREE/log" | head -1)"
	else
		failed=$((failed + 1))
		echo "not ok $(basename "$patch" .patch): $trouble"
		sed 's/^/    /' "$TREE/log"
	fi
done
echo "$passed passed, $failed failed"
[[ $failed = 0 && $passed -gt 0 ]]
