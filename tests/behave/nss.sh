#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A directory service that does not answer is never "no such user" nor "not a member".
# weight: 2
. "${0%/*}/../lib.sh"

service nsctest rescue=carol
mkdir -p /opt/nsclone/nss
cp /opt/nsclone/libnss_nsctest.so /opt/nsclone/nss/libnss_nsctest.so.2
export LD_LIBRARY_PATH=/opt/nsclone/nss
sed -i '/^\(passwd\|group\):/d' /etc/nsswitch.conf
printf 'passwd: files nsctest\ngroup: files nsctest\n' >>/etc/nsswitch.conf
install -d -m 700 -o 20005 -g 20005 /home/erin
rm -f /run/nscd/socket

today() {
	echo "$*" >/run/nsctest
}

today passwd=ok group=ok
is "the tests' name service works" "$(id -Gn alice | tr ' ' '\n' | grep -c nscgroup) $(id -u erin)" "1 20005"

rule Group=nscgroup PrivateTmp=yes | policy
gets "a member by the directory's word" own alice
gets "a user and member of the directory" own erin
gets "no member" host dave

for word in unavail tryagain; do
	today "passwd=ok group=$word"
	rule Group=nscgroup PrivateTmp=yes | policy
	refused "groups $word, a rule rests on them" alice
	refused "groups $word, a rule rests on them, whoever it is" dave
	gets "groups $word: root" host root
	gets "groups $word: the rescue user" host carol
	rule 'Group=!nscgroup' PrivateTmp=yes | policy
	refused "groups $word, a rule rests on not being in one" alice
	printf '[Match]\nUser=alice bob\nGroup=!nscgroup\n[Session]\nPrivateTmp=yes\n' | policy
	gets "groups $word, another key decides" host dave
	rule User=alice PrivateTmp=yes | policy
	gets "groups $word, no rule rests on them" own alice
	today "passwd=$word group=ok"
	rule User=erin PrivateTmp=yes | policy
	refused "users $word" erin
	refused "users $word: unknown to files" ghost
	gets "users $word: known to files" host alice
done

today passwd=ok group=notfound
rule Group=nscgroup PrivateTmp=yes | policy
gets "a group that there is not: nobody is in it" host alice

# Nobody is kept out for ever, least of all the rescue user.
today passwd=ok group=hang
rule Group=nscgroup PrivateTmp=yes | policy
started=$SECONDS
is "groups hang: the rescue user" "$(timeout 20 "$LOGIN" carol | sed -n 's/^open \([0-9]*\) .*/\1/p')" 0
holds "groups hang: the rescue user gets in within 10 seconds" test $((SECONDS - started)) -le 10
rule User=alice PrivateTmp=yes | policy
is "groups hang, no rule rests on them" "$(timeout 20 "$LOGIN" alice | sed -n 's/^open \([0-9]*\) .*/\1/p')" 0
finish
