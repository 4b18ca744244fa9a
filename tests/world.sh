#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# world.sh COMMAND...: run it in a scratch world, a machine of its own as far as tests can tell.
#
# Its own mount, PID, network, UTS and IPC namespaces; a tmpfs as root into which the real /usr is bound read-only and
# /etc is copied; users, keys, sudoers, a PAM stack and a log daemon made for it. COMMAND is process 1 there: whatever
# it leaves running dies with it, so nothing can stay behind on the machine. As an ordinary user the world is in a user
# namespace besides, with the users that /etc/subuid grants (NSC_WORLD=userns), or with root alone (NSC_WORLD=one).
#
# What the machine calls "host" in design.md is this world.
set -u

SRC=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
B=${B:-build}
[[ $B = /* ]] || B=$SRC/$B
export SRC B PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

die() {
	echo "world.sh: $*" >&2
	exit 1
}

close_rest() { # what looks for leaked descriptors must not find those of whoever runs the tests
	local fd

	for fd in /proc/self/fd/*; do
		fd=${fd##*/}
		((fd <= 2 || fd == 255)) || exec {fd}>&-
	done
}

#
# Outside
#
enter() {
	local kind=root
	local -a share=(--mount --pid --net --uts --ipc --fork --kill-child --propagation private)

	if [[ $(id -u) != 0 ]]; then
		if unshare --user --map-root-user --map-auto true 2>/dev/null; then
			kind=userns share+=(--user --map-root-user --map-auto)
		else
			kind=one share+=(--user --map-root-user)
		fi
	fi
	NSC_WORLD=$kind exec unshare "${share[@]}" -- bash "${BASH_SOURCE[0]}" "$@"
}

#
# Inside: the tree
#
R= # where the new root is put together

new_root() {
	local place

	for place in /mnt /media /srv /opt; do
		[[ -d $place && $SRC/ != $place/* && $B/ != $place/* ]] || continue
		mount -t tmpfs -o mode=755,size=1g,nr_inodes=200k world "$place" && R=$place && return
	done
	die "no place for the new root"
}

bind_read_only() { # bind_read_only PATH [NEW-PATH]
	local target=$R${2-$1}

	mkdir -p "$target" && mount --rbind "$1" "$target" && mount -o remount,bind,ro "$target"
}

system() {
	local dir

	bind_read_only /usr || die "/usr"
	for dir in bin sbin lib lib32 lib64 libx32; do
		if [[ -L /$dir ]]; then
			cp -a "/$dir" "$R/$dir"
		elif [[ -d /$dir ]]; then
			bind_read_only "/$dir"
		fi
	done
	if [[ $NSC_WORLD = root ]]; then
		cp -a /etc "$R/etc"
	else # what is not for us to read stays away, and the owner of the rest, who is nobody here, becomes root
		cp -dR --preserve=mode,timestamps /etc "$R/etc" 2>/dev/null
	fi
	mkdir -p "$R"/{dev,proc,sys,run/sshd,run/lock,home,mnt,srv,opt,var/{lib,log,spool,mail,cache,empty}}
	mkdir -m 1777 "$R"/{tmp,var/tmp}
	mkdir -m 700 "$R/root"
	ln -s /run "$R/var/run"
	bind_read_only "$SRC" /opt/src
	[[ ! -d $B ]] || bind_read_only "$B" /opt/build
}

devices() {
	local node gid

	mount -t tmpfs -o mode=755,size=64k,nosuid dev "$R/dev"
	for node in null zero full random urandom tty; do
		: >"$R/dev/$node" && mount --bind "/dev/$node" "$R/dev/$node"
	done
	mkdir "$R"/dev/{pts,shm,mqueue}
	gid=$(getent group tty | cut -d: -f3)
	mount -t devpts -o "newinstance,ptmxmode=0666,mode=620${gid:+,gid=$gid}" devpts "$R/dev/pts" 2>/dev/null ||
		mount -t devpts -o newinstance,ptmxmode=0666 devpts "$R/dev/pts"
	ln -s pts/ptmx "$R/dev/ptmx"
	ln -s /proc/self/fd "$R/dev/fd"
	ln -s /proc/self/fd/0 "$R/dev/stdin"
	ln -s /proc/self/fd/1 "$R/dev/stdout"
	ln -s /proc/self/fd/2 "$R/dev/stderr"
	mount -t tmpfs -o mode=1777,size=64m,nosuid,nodev shm "$R/dev/shm"
	mount -t mqueue -o nosuid,nodev,noexec mqueue "$R/dev/mqueue" 2>/dev/null || rmdir "$R/dev/mqueue"
}

kernel() {
	mount -t proc -o nosuid,nodev,noexec proc "$R/proc" || die "/proc"
	mount -t sysfs -o nosuid,nodev,noexec sysfs "$R/sys" || die "/sys"
	[[ ! -d /sys/fs/cgroup ]] || mount --rbind /sys/fs/cgroup "$R/sys/fs/cgroup"
}

change_root() {
	{ cd "$R" && mkdir .old && pivot_root . .old && cd /; } || die "pivot_root"
	umount -l /.old && rmdir /.old
	hostname host.example.org 2>/dev/null
	! command -v ip >/dev/null || ip link set lo up
}

#
# Inside: its contents. The password of everybody is "secret".
#
readonly secret='$6$nsclone$dOsZLzj0G4Irl3HoMmP1xxQfshHqzzaQWmxP50YZnRYPCrNWyZAvTthua./DUfnVTSl4kkDZCVuZIjgrci0o2/'

user() { # user NAME UID
	echo "$1:x:$2:$2:$1:/home/$1:/bin/bash" >>/etc/passwd
	echo "$1:x:$2:" >>/etc/group
	echo "$1:$secret:19000:0:99999:7:::" >>/etc/shadow
	mkdir -m 700 "/home/$1"
	chown "$2:$2" "/home/$1" 2>/dev/null
}

accounts() {
	local name database

	rm -f /etc/nologin /etc/{passwd,group,shadow}-
	user alice 20001 # has a rule of her own in most tests
	user bob 20002   # has another
	user carol 20003 # rescue=carol
	user dave 20004  # no rule is about him
	echo 'nscstaff:x:20050:alice,bob' >>/etc/group
	for database in passwd group shadow gshadow initgroups; do
		sed -i "/^$database:/d" /etc/nsswitch.conf
	done
	printf '%s: files\n' passwd group shadow >>/etc/nsswitch.conf
	for name in alice bob carol dave; do
		mkdir -m 700 "/home/$name/.ssh"
		printf 'PS1="%s> "\nHISTFILE=\n' "$name" | tee "/home/$name/.bashrc" >"/home/$name/.bash_profile"
		echo 'set enable-bracketed-paste off' >"/home/$name/.inputrc"
		chown -R "$name:$name" "/home/$name" 2>/dev/null
	done
}

logs() {
	: >/run/utmp
	: >/var/log/wtmp
	: >/var/log/btmp
	: >/var/log/lastlog
	[[ ! -x $B/tests/devlog ]] || "$B/tests/devlog" /dev/log /var/log/messages >/dev/null
}

scheduler() { # a cron daemon that is started here must not run what the machine has in store
	rm -rf /etc/cron.* /etc/crontab /etc/anacrontab
	mkdir -p /var/spool/cron/crontabs
	chgrp crontab /var/spool/cron/crontabs 2>/dev/null && chmod 1730 /var/spool/cron/crontabs
}

sudoers() {
	rm -rf /etc/sudoers.d
	cat >/etc/sudoers <<-'END'
		Defaults use_pty, !lecture, !fqdn, secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
		root ALL=(ALL:ALL) NOPASSWD: ALL
		alice ALL=(ALL:ALL) NOPASSWD: ALL
	END
	chmod 440 /etc/sudoers
}

product() { # copies where every user can reach them: the checkout may be below somebody's 0700 home
	mkdir -p /opt/nsclone
	cp "$B"/pam_nsclone.so "$B"/nsclone /opt/nsclone 2>/dev/null
	find "$B/tests" -maxdepth 1 -type f -perm -u+x ! -name 'test_*' -exec cp {} /opt/nsclone \; 2>/dev/null
	cp "$SRC"/tests/look.sh /opt/nsclone/look
	chmod 755 /opt/nsclone/*
	rm -rf /etc/security/nsclone.conf /etc/security/nsclone.d
	mkdir -p /etc/security/nsclone.d
	chmod 755 /etc/security /etc/security/nsclone.d
	cp -a /etc/pam.d /etc/pam.dist
}

# Programs that load the module get the sanitizer's runtime first; only they, because it is slow. What is reported becomes a file, which `finish` of lib.sh looks for.
sanitizer() {
	local name real runtime

	[[ ${NSC_SANITIZE-} = asan ]] || return 0
	runtime="$(gcc -print-file-name=libasan.so) libcrypt.so.1" # it stands in for crypt(3), which pam_unix loads later
	mkdir -p /opt/preload && mkdir -m 1777 /opt/reports
	for name in su runuser sudo login sshd cron crond id; do
		real=$(command -v "$name") || continue
		printf '#!/bin/sh\nLD_PRELOAD="%s" exec %s "$@"\n' "$runtime" "$real" >"/opt/preload/$name"
		chmod 755 "/opt/preload/$name"
	done
	export PATH=/opt/preload:$PATH
	export ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0:log_path=/opt/reports/asan
	export UBSAN_OPTIONS=print_stacktrace=1:log_path=/opt/reports/ubsan
}

fill() {
	accounts
	logs
	scheduler
	sudoers
	product
	sanitizer
}

[[ $# -gt 0 ]] || die "usage: world.sh COMMAND..."
[[ ${NSC_WORLD-} ]] || { close_rest && enter "$@"; }
umask 022
new_root && system && devices && kernel && change_root
export HOME=/root TMPDIR=/tmp SRC=/opt/src B=/opt/build
fill
unset "${!SSH_@}" "${!SUDO_@}" "${!XDG_@}" KRB5CCNAME DISPLAY
# Without the caller's terminal: what PAM has to say sudo would say there, past everybody who listens.
exec setsid "$@"
