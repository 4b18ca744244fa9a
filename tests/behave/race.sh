#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A user swaps directories for links below InstanceRoot=%h/... while she logs in. A login may fail then. Nothing is ever
# made, mounted, given away or removed anywhere else.
# weight: 3
. "${0%/*}/../lib.sh"

service nsctest
readonly VICTIM=/srv/victim

as_alice() {
	setpriv --reuid 20001 --regid 20001 --clear-groups "$@"
}

arrange() {
	rm -rf "$VICTIM" /home/alice/inst /home/alice/evil
	mkdir -p "$VICTIM"/{20001,tmp,var-tmp}
	echo victim >"$VICTIM/20001/file"
}

swap() { # swap ONE OTHER: as alice, until stop_swapping
	find "$VICTIM" /etc /home/bob -printf '%p %y %m %U:%G %l\n' | sort >"$WORK/victim"
	setpriv --reuid 20001 --regid 20001 --clear-groups /opt/nsclone/swap "$1" "$2" 2>"$WORK/swap" &
	swapper=$!
}

stop_swapping() {
	kill "$swapper"
	wait "$swapper" 2>/dev/null
}

unharmed() { # unharmed NAME
	find "$VICTIM" /etc /home/bob -printf '%p %y %m %U:%G %l\n' | sort >"$WORK/victim-now"
	is "$1: nothing happens elsewhere" "$(diff "$WORK/victim" "$WORK/victim-now")" ""
}

# attack NAME ONE OTHER: 150 logins while alice exchanges ONE and OTHER
attack() {
	local wrong

	swap "$2" "$3"
	login --times 150 alice -- sh -c 'awk "\$5 == \"/tmp\" || \$5 == \"/home/alice/mine\" { print \"on\", \$5, \$4 }" /proc/self/mountinfo' \
		>"$WORK/race" 2>&1
	stop_swapping
	like "$1: it has been swapped" "$(cat "$WORK/swap")" swapping
	wrong=$(grep '^on ' "$WORK/race" | grep -v '^on [^ ]* /home/alice/' | sort | uniq -c)
	is "$1: what is mounted is hers ($(grep -c '^open 0' "$WORK/race") of 150 logins got in)" "$wrong" ""
	unharmed "$1"
}

for way in yes persistent; do
	arrange
	rule User=alice "PrivateTmp=$way" InstanceRoot=%h/inst | policy
	login alice -- true >/dev/null
	as_alice ln -s "$VICTIM" /home/alice/evil
	attack "InstanceRoot= becomes a link ($way)" /home/alice/inst /home/alice/evil

	arrange
	login alice -- true >/dev/null
	as_alice mkdir -p /home/alice/inst/20001
	as_alice ln -s "$VICTIM/20001" /home/alice/evil
	attack "the instance becomes a link ($way)" /home/alice/inst/20001 /home/alice/evil
done

arrange
rule User=alice PrivateTmp=persistent InstanceRoot=%h/inst/deeper | policy
as_alice mkdir -p /home/alice/inst/deeper
as_alice ln -s / /home/alice/evil
attack "a directory above InstanceRoot= becomes a link" /home/alice/inst /home/alice/evil

# The place that is covered, too: what is mounted onto may be in her hands.
arrange
as_alice mkdir -p /home/alice/mine
as_alice ln -s /etc /home/alice/evil
rule User=alice PrivateDirectory=/home/alice/mine | policy
swap /home/alice/mine /home/alice/evil
login --times 150 alice -- sh -c 'awk "\$5 == \"/etc\"" /proc/self/mountinfo' >"$WORK/race" 2>&1
stop_swapping
is "a target that becomes a link: /etc is never covered" "$(grep -c ' /etc ' "$WORK/race")" 0
unharmed "a target that becomes a link"
finish
