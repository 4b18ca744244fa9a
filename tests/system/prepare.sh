#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# prepare.sh ROOT: make of a Debian tree the machine that tests/system/*.sh run on. run.sh calls it, once for all of them.
#
# The product by `make install`, users alice, bob, carol and dave (password "secret", a key of root's, no rights but
# alice's to sudo), the module in all stacks that sessions come from, and a service that runs one test.
set -eu

readonly ROOT=$1
readonly DOORS=(sshd login su su-l runuser runuser-l sudo sudo-i cron atd systemd-user)

within() {
	chroot "$ROOT" "$@"
}

product() {
	make -C "$SRC" -s --no-print-directory B="$B" DESTDIR="$ROOT" install
	mkdir -p "$ROOT/opt/nsclone" "$ROOT/opt/result" "$ROOT/opt/src/tests"
	cp -a "$SRC"/tests/{lib.sh,look.sh,system} "$ROOT/opt/src/tests/"
	install -m 755 "$SRC/tests/look.sh" "$ROOT/opt/nsclone/look"
	install -m 755 "$B/tests/pty" "$ROOT/opt/nsclone/"
	chown -R root:root "$ROOT/opt"
}

users() {
	local name uid=20001

	for name in alice bob carol dave; do
		within useradd -m -u "$uid" -s /bin/bash "$name"
		echo "$name:secret" | within chpasswd
		uid=$((uid + 1))
	done
	echo root:secret | within chpasswd
	cat >"$ROOT/etc/sudoers.d/test" <<-'END'
		Defaults use_pty, !lecture, !fqdn
		alice ALL=(ALL:ALL) NOPASSWD: ALL
	END
	chmod 440 "$ROOT/etc/sudoers.d/test"
}

keys() {
	local name

	within ssh-keygen -q -A
	mkdir -m 700 "$ROOT/root/work"
	within ssh-keygen -q -t ed25519 -N '' -f /root/work/user_key
	for name in alice bob carol dave; do
		within install -d -m 700 -o "$name" -g "$name" "/home/$name/.ssh"
		within install -m 600 -o "$name" -g "$name" /root/work/user_key.pub "/home/$name/.ssh/authorized_keys"
		printf 'PS1="%s> "\nHISTFILE=\n' "$name" | tee "$ROOT/home/$name/.bashrc" >"$ROOT/home/$name/.bash_profile"
		echo 'set enable-bracketed-paste off' >"$ROOT/home/$name/.inputrc"
	done
}

# The last line of each stack. Not where a stack includes another of them, which would call the module twice.
doors() {
	local name file

	cp "$ROOT/usr/lib/pam.d/systemd-user" "$ROOT/etc/pam.d/systemd-user"
	for name in "${DOORS[@]}"; do
		file=$ROOT/etc/pam.d/$name
		[[ -e $file ]] && ! grep -Eq '(^@|[[:space:]])include[[:space:]]+(su|sudo|runuser)$' "$file" || continue
		echo 'session    required     pam_nsclone.so rescue=carol' >>"$file"
	done
	sed -i '/pam_faildelay/d' "$ROOT/etc/pam.d/login" # waiting proves nothing
}

machine() {
	tr -d - </proc/sys/kernel/random/uuid >"$ROOT/etc/machine-id"
	printf '127.0.0.1 localhost\n' >"$ROOT/etc/hosts"
	mkdir -p "$ROOT"/etc/systemd/{system,logind,journald,user}.conf.d "$ROOT/var/log/journal"
	printf '[Manager]\nDefaultTimeoutStartSec=20s\nDefaultTimeoutStopSec=15s\n' |
		tee "$ROOT/etc/systemd/system.conf.d/test.conf" >"$ROOT/etc/systemd/user.conf.d/test.conf"
	# A user's manager ends with the last session at once: waiting hides races, and makes tests wait
	printf '[Login]\nUserStopDelaySec=0\n' >"$ROOT/etc/systemd/logind.conf.d/test.conf"
	printf '[Journal]\nStorage=persistent\nRateLimitBurst=0\nForwardToConsole=no\n' >"$ROOT/etc/systemd/journald.conf.d/test.conf"
	systemctl --root="$ROOT" -q mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
		e2scrub_reap.service fstrim.timer console-getty.service systemd-tmpfiles-clean.timer 2>/dev/null
	[[ ! -e $ROOT/usr/lib/systemd/system/nsclone-keeper.socket ]] ||
		systemctl --root="$ROOT" -q enable nsclone-keeper.socket
	rm -f "$ROOT"/etc/cron.*/* "$ROOT/etc/crontab" "$ROOT/etc/motd" "$ROOT"/etc/update-motd.d/*
}

service() {
	mkdir -p "$ROOT/etc/systemd/system/multi-user.target.wants"
	cat >"$ROOT/etc/systemd/system/nsclone-test@.service" <<-'END'
		[Unit]
		Description=the test %i
		After=ssh.service cron.service atd.service dbus.service systemd-logind.service systemd-user-sessions.service
		SuccessAction=exit
		FailureAction=exit

		[Service]
		Type=exec
		Environment=HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
		ExecStart=/bin/bash /opt/src/tests/system/%i.sh
		StandardOutput=append:/opt/result/log
		StandardError=inherit
	END
}

product
users
keys
doors
machine
service
