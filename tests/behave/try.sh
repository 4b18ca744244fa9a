#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# `make try`: what it shows, and that it leaves the machine as it was.
. "${0%/*}/../lib.sh"

cell() { # cell ROW COLUMN: 1: the host, 2: alice, 3: alice once more, 4: bob
	awk -v row="$1" -v n="$2" '{ gsub(/the host.s/, "host") } $1 == row { print $(n + 1) }' "$WORK/out"
}

host_before
if [[ $NSC_WORLD != root ]]; then
	impossible "make try" "it makes namespaces as root does" test "$NSC_WORLD" != root
	finish
fi
bash "$SRC/tests/try.sh" >"$WORK/out" 2>&1
is "it succeeds" "$?" 0
is "alice joins her world" "$(cell mnt 3)" "$(cell mnt 2)"
is "and finds her file" "$(cell /tmp 3)" note-of-alice
is "bob has his own" "$(cell /tmp 4)" note-of-bob
unlike "nobody has the host's mounts" "$(cell mnt 2) $(cell mnt 4)" host
like "the machine is as it was" "$(tail -n 1 "$WORK/out")" "^The machine is as it was"
host_unchanged "make try"
finish
