#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# login(1) on a terminal, with a password.
. "${0%/*}/../lib.sh"

sed -i '/pam_faildelay/d' /etc/pam.dist/login # waiting proves nothing
service login
full_policy
host_treasure
printf 'MAIL_DIR /var/mail\nLOGIN_RETRIES 1\nENV_SUPATH PATH=%s\nENV_PATH PATH=%s\n' "$PATH" "$PATH" >/etc/login.defs
rm -f /etc/motd /etc/issue

by_terminal() { # by_terminal COMMAND
	/opt/nsclone/pty -e 'login: ' -s alice -e assword: -s secret -e 'alice> ' -s "$1" -- login 2>&1
}

by_terminal exit >/dev/null # what is made once and kept
host_before

by_terminal "$LOOK; exit" >"$WORK/login"
view login "$WORK/login" alice
like "login: the terminal is there inside, too" "$(by_terminal 'test -e "$(tty)" && echo has a t''ty; exit')" 'has a tty'
host_unchanged login

echo blocked >/var/lib/blocker
full_policy 'InstanceRoot=/var/lib/blocker'
host_before
mark=$(log_mark)
/opt/nsclone/pty -t 10 -e 'login: ' -s alice -e assword: -s secret -e 'alice> ' -s "echo ran >ran" -- login >"$WORK/failing" 2>&1
fails "login: failing isolation: no shell" grep -q 'alice>' "$WORK/failing"
fails "login: failing isolation: nothing ran" test -e /home/alice/ran
same_id login "$(cat "$WORK/failing")" "$mark"
host_unchanged "login: failing isolation"
finish
