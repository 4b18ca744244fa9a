/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A directory service that has bad days. Used as `nsctest` in nsswitch.conf under the name libnss_nsctest.so.2; the file
 * /run/nsctest says how it is today, one word for each database: "passwd=WORD group=WORD", a word being ok, unavail,
 * tryagain, notfound or hang. It knows the user erin (20005, group 20005) and the group nscgroup (20100: alice, erin).
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

static gid_t const extra_gid = 20100;

static enum nss_status today(const char *database, int *ret_errno)
{
	char text[256] = "";
	const char *word;
	int fd = open("/run/nsctest", O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	if (fd >= 0)
		close(fd);
	word = strstr(text, database);
	word = word == NULL ? "ok" : word + strlen(database);
	*ret_errno = ENOENT;
	if (strncmp(word, "hang", 4) == 0)
		for (;;)
			pause();
	if (strncmp(word, "unavail", 7) == 0)
		return *ret_errno = ECONNREFUSED, NSS_STATUS_UNAVAIL;
	if (strncmp(word, "tryagain", 8) == 0)
		return *ret_errno = EAGAIN, NSS_STATUS_TRYAGAIN;
	return strncmp(word, "ok", 2) == 0 ? NSS_STATUS_SUCCESS : NSS_STATUS_NOTFOUND;
}

static enum nss_status fill_passwd(struct passwd *ret, char *buffer, size_t size, int *ret_errno)
{
	static const char texts[] = "erin\0x\0Erin\0/home/erin\0/bin/sh";

	if (size < sizeof(texts))
		return *ret_errno = ERANGE, NSS_STATUS_TRYAGAIN;
	memcpy(buffer, texts, sizeof(texts));
	ret->pw_name = buffer;
	ret->pw_passwd = buffer + 5;
	ret->pw_gecos = buffer + 7;
	ret->pw_dir = buffer + 12;
	ret->pw_shell = buffer + 23;
	ret->pw_uid = ret->pw_gid = 20005;
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_nsctest_getpwnam_r(const char *name, struct passwd *ret, char *buffer, size_t size, int *ret_errno)
{
	enum nss_status status = today("passwd=", ret_errno);

	if (status != NSS_STATUS_SUCCESS)
		return status;
	return strcmp(name, "erin") == 0 ? fill_passwd(ret, buffer, size, ret_errno) : NSS_STATUS_NOTFOUND;
}

enum nss_status _nss_nsctest_getpwuid_r(uid_t uid, struct passwd *ret, char *buffer, size_t size, int *ret_errno)
{
	enum nss_status status = today("passwd=", ret_errno);

	if (status != NSS_STATUS_SUCCESS)
		return status;
	return uid == 20005 ? fill_passwd(ret, buffer, size, ret_errno) : NSS_STATUS_NOTFOUND;
}

static enum nss_status fill_group(struct group *ret, char *buffer, size_t size, int *ret_errno)
{
	static const char texts[] = "nscgroup\0x\0alice\0erin";
	size_t pointers = 3 * sizeof(char *);
	char **members;

	while ((uintptr_t)buffer % sizeof(char *) != 0 && size > 0)
		buffer++, size--;
	if (size < sizeof(texts) + pointers)
		return *ret_errno = ERANGE, NSS_STATUS_TRYAGAIN;
	members = (char **)(void *)buffer;
	memcpy(buffer + pointers, texts, sizeof(texts));
	ret->gr_name = buffer + pointers;
	ret->gr_passwd = ret->gr_name + 9;
	members[0] = ret->gr_name + 11;
	members[1] = ret->gr_name + 17;
	members[2] = NULL;
	ret->gr_mem = members;
	ret->gr_gid = extra_gid;
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_nsctest_getgrnam_r(const char *name, struct group *ret, char *buffer, size_t size, int *ret_errno)
{
	enum nss_status status = today("group=", ret_errno);

	if (status != NSS_STATUS_SUCCESS)
		return status;
	return strcmp(name, "nscgroup") == 0 ? fill_group(ret, buffer, size, ret_errno) : NSS_STATUS_NOTFOUND;
}

enum nss_status _nss_nsctest_getgrgid_r(gid_t gid, struct group *ret, char *buffer, size_t size, int *ret_errno)
{
	enum nss_status status = today("group=", ret_errno);

	if (status != NSS_STATUS_SUCCESS)
		return status;
	return gid == extra_gid ? fill_group(ret, buffer, size, ret_errno) : NSS_STATUS_NOTFOUND;
}

enum nss_status _nss_nsctest_initgroups_dyn(const char *user, gid_t primary, long *start, long *size, gid_t **groups,
					    long limit, int *ret_errno)
{
	enum nss_status status = today("group=", ret_errno);

	(void)primary;
	(void)limit;
	if (status != NSS_STATUS_SUCCESS)
		return status;
	if (strcmp(user, "alice") != 0 && strcmp(user, "erin") != 0)
		return NSS_STATUS_NOTFOUND;
	if (*start >= *size) /* glibc always leaves room for more than one */
		return *ret_errno = ERANGE, NSS_STATUS_TRYAGAIN;
	(*groups)[(*start)++] = extra_gid;
	return NSS_STATUS_SUCCESS;
}
