/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The PAM module: items and arguments in, a login_open() or session_close(), codes and log lines out. All decisions are
 * lib/session's. A guest in somebody's daemon: no openlog, no statics, no signals, nothing on stdout.
 *
 * Codes: PAM_SUCCESS also where no rule fits (libpam refuses a stack of only PAM_IGNORE); PAM_PERM_DENIED where the
 * policy refuses; PAM_SYSTEM_ERR for failures. Never PAM_SESSION_ERR: sudo ignores it and runs the command un-isolated.
 */
#include <errno.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <security/pam_modutil.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include "lib/core/sys.h"
#include "lib/session/login.h"

#define DATA_NAME "nsclone_session"

/* What hangs on the handle between open and close. */
struct held {
	struct session *session; /* NULL after close */
};

struct arguments {
	bool debug;
	struct login_request request;
};

static const char *after(const char *argument, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(argument, prefix, n) == 0 ? argument + n : NULL;
}

/* All of them are read, so that rescue= holds whatever is wrong with the others. */
static void parse_arguments(int argc, const char **argv, struct arguments *ret)
{
	for (int i = 0; i < argc; i++) {
		const char *directory = after(argv[i], "policy="), *rescue = after(argv[i], "rescue=");

		if (strcmp(argv[i], "debug") == 0)
			ret->debug = true;
		else if (strcmp(argv[i], "trial") == 0)
			ret->request.trial = true;
		else if (directory && directory[0] == '/' && !ret->request.files.directory)
			ret->request.files.directory = directory;
		else if (rescue && *rescue && !ret->request.rescue)
			ret->request.rescue = rescue;
		else if (!ret->request.bad_argument)
			ret->request.bad_argument = argv[i];
	}
}

static int get_item(pam_handle_t *pamh, int type, const char **ret)
{
	const void *item = NULL;
	int code = pam_get_item(pamh, type, &item);

	*ret = item;
	return code;
}

static int get_items(pam_handle_t *pamh, struct subject_items *ret)
{
	int code = get_item(pamh, PAM_USER, &ret->user);

	if (code == PAM_SUCCESS)
		code = get_item(pamh, PAM_SERVICE, &ret->service);
	if (code == PAM_SUCCESS)
		code = get_item(pamh, PAM_RHOST, &ret->remote_host);
	if (code == PAM_SUCCESS)
		code = get_item(pamh, PAM_TTY, &ret->tty);
	if (code == PAM_SUCCESS)
		code = get_item(pamh, PAM_RUSER, &ret->from_user);
	if (code != PAM_SUCCESS)
		pam_syslog(pamh, LOG_ERR, "cannot read the PAM items: %s", pam_strerror(pamh, code));
	else if (!ret->user || !*ret->user)
		pam_syslog(pamh, LOG_ERR, "there is no user name");
	return code == PAM_SUCCESS && ret->user && *ret->user ? PAM_SUCCESS : PAM_SYSTEM_ERR;
}

/* The one place where a refusal is logged and told: `return refuse(...)`. */
static int refuse(pam_handle_t *pamh, int flags, const struct subject_items *items, const struct err *err, int code)
{
	char why[1400];
	unsigned id = 0;

	(void)sys_random(&id, sizeof(id)); /* an id of 0 is as good as any */
	err_print(err, why, sizeof(why));
	pam_syslog(pamh, LOG_ERR, "refused id=%08x user=%s service=%s: %s", id, items->user,
		   items->service ? items->service : "", why);
	if (!(flags & PAM_SILENT))
		pam_error(pamh, "Login refused: your session could not be isolated (id %08x). Tell your administrator.",
			  id);
	return code;
}

static void log_trial(pam_handle_t *pamh, const struct subject_items *items, const struct login *login)
{
	if (login->trial[0])
		pam_syslog(pamh, LOG_NOTICE, "trial user=%s service=%s: %s", items->user,
			   items->service ? items->service : "", login->trial);
}

static void log_plan(pam_handle_t *pamh, const struct plan *plan)
{
	char *text = NULL, *rest, *line;
	size_t size;
	FILE *stream = plan ? open_memstream(&text, &size) : NULL;

	if (!stream)
		return;
	plan_print(plan, stream);
	if (fclose(stream) == 0)
		for (rest = text; (line = strsep(&rest, "\n")) && *line;)
			pam_syslog(pamh, LOG_DEBUG, "plan: %s", line);
	free(text);
}

/* What is wrong, though it keeps this user not out (no rules at all; or it is root, whom an error of the policy spares). */
static void log_complaints(pam_handle_t *pamh, const struct login_request *request, const struct login *login)
{
	const struct policy_diag *diags = NULL;
	size_t n = login->policy ? policy_diags(login->policy, &diags) : 0;

	if (request->bad_argument)
		pam_syslog(pamh, LOG_ERR, "unknown argument \"%s\"", request->bad_argument);
	if (login->policy && policy_n_rules(login->policy) == 0)
		pam_syslog(pamh, LOG_WARNING, "the policy holds no rules: nobody is isolated");
	for (size_t i = 0; i < n; i++) {
		if (diags[i].severity == POLICY_ERROR && diags[i].rule < 0) {
			pam_syslog(pamh, LOG_ERR, "the policy is broken: %s:%u:%u: %s", diags[i].pos.file, diags[i].pos.line,
				   diags[i].pos.column, diags[i].message);
			break; /* nsclone check tells them all */
		}
	}
}

/* The callback runs in other processes too, as the user (PAM_DATA_SILENT); session_close() knows whose it is. */
static void cleanup(pam_handle_t *pamh, void *data, int status)
{
	struct held *held = data;
	struct err err = {0};

	if (held->session && (status & PAM_DATA_SILENT))
		session_forget(held->session);
	else if (held->session && session_close(held->session, &err) < 0)
		pam_syslog(pamh, LOG_ERR, "closing the session: %s", err.text);
	free(held);
}

static int keep(pam_handle_t *pamh, struct login *login)
{
	struct held *held = malloc(sizeof(*held));
	struct err err = {0};

	if (held) {
		held->session = login->session;
		if (pam_set_data(pamh, DATA_NAME, held, cleanup) == PAM_SUCCESS) {
			login->session = NULL;
			return PAM_SUCCESS;
		}
	}
	free(held);
	if (session_close(login->session, &err) < 0)
		pam_syslog(pamh, LOG_ERR, "closing the session: %s", err.text);
	login->session = NULL;
	return PAM_BUF_ERR;
}

/* The session is kept, and then told of: that line is the audit trail. */
static int opened(pam_handle_t *pamh, int flags, const struct subject_items *items, struct login *login, int outcome)
{
	const struct err no_memory = {.text = "out of memory"};
	char rules[1024], namespaces[512];

	login_rules(login, rules, sizeof(rules));
	snprintf(namespaces, sizeof(namespaces), "%s", session_namespaces(login->session));
	if (keep(pamh, login) != PAM_SUCCESS)
		return refuse(pamh, flags, items, &no_memory, PAM_SYSTEM_ERR);
	if (*login->note)
		pam_syslog(pamh, LOG_WARNING, "not shared user=%s: %s", items->user, login->note);
	if (outcome == LOGIN_RETURNED)
		pam_syslog(pamh, LOG_INFO, "returned to the host user=%s uid=%u service=%s from=%s namespaces=%s", items->user,
			   (unsigned)login->subject->policy.uid, items->service ? items->service : "",
			   items->from_user ? items->from_user : "", namespaces);
	else
		pam_syslog(pamh, LOG_INFO, "isolated user=%s uid=%u service=%s rules=%s namespaces=%s %s", items->user,
			   (unsigned)login->subject->policy.uid, items->service ? items->service : "", rules, namespaces,
			   login->joined ? "joined" : "new");
	return PAM_SUCCESS;
}

static int conclude(pam_handle_t *pamh, int flags, const struct login_request *request, struct login *login,
		    const struct err *err, int outcome)
{
	const struct subject_items *items = &request->items;
	const char *service = items->service ? items->service : "";
	char why[1400];

	err_print(err, why, sizeof(why));
	log_trial(pamh, items, login);
	log_complaints(pamh, request, login);
	switch (outcome) {
	case 0:
	case LOGIN_RETURNED:
		return opened(pamh, flags, items, login, outcome);
	case POLICY_NO_MATCH:
	case LOGIN_LEFT_ALONE:
	case LOGIN_TRIED:
		pam_syslog(pamh, LOG_INFO, "not isolated user=%s service=%s: %s", items->user, service,
			   outcome == POLICY_NO_MATCH ? "no rule fits" :
			   outcome == LOGIN_TRIED     ? "trial" :
							"the policy leaves it alone");
		if (*login->note)
			pam_syslog(pamh, LOG_WARNING, "not returned to the host user=%s: %s", items->user, login->note);
		return PAM_SUCCESS;
	case LOGIN_WARNED:
		pam_syslog(pamh, LOG_WARNING, "NOT ISOLATED user=%s service=%s (OnFailure=warn): %s", items->user, service,
			   why);
		return PAM_SUCCESS;
	case LOGIN_RESCUED:
		pam_syslog(pamh, LOG_ALERT, "%s user=%s service=%s (rescue=): %s",
			   login->half_done ? "HALF ISOLATED, undoing failed" : "NOT ISOLATED", items->user, service, why);
		return PAM_SUCCESS;
	case POLICY_REFUSE:
		return refuse(pamh, flags, items, err, PAM_PERM_DENIED);
	default:
		return refuse(pamh, flags, items, err, PAM_SYSTEM_ERR);
	}
}

__attribute__((visibility("default"))) int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct arguments arguments = {0};
	struct login login = {0};
	struct err err = {0};
	int code, outcome;

	parse_arguments(argc, argv, &arguments);
	code = get_items(pamh, &arguments.request.items);
	if (code != PAM_SUCCESS)
		return code;
	/* a session of ours that this handle still holds ends first */
	if (pam_set_data(pamh, DATA_NAME, NULL, NULL) != PAM_SUCCESS)
		return PAM_SYSTEM_ERR;
	outcome = login_open(&arguments.request, &login, &err);
	if (arguments.debug) {
		log_plan(pamh, login.way);
		log_plan(pamh, login.plan);
	}
	code = conclude(pamh, flags, &arguments.request, &login, &err, outcome);
	login_done(&login);
	return code;
}

__attribute__((visibility("default"))) int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc,
								const char **argv)
{
	const void *data = NULL;
	struct err err = {0};
	struct held *held;
	int r;

	(void)flags, (void)argc, (void)argv;
	if (pam_get_data(pamh, DATA_NAME, &data) != PAM_SUCCESS || !data)
		return PAM_SUCCESS; /* opened in another process, closed already, or none of our business */
	memcpy(&held, &data, sizeof(held));
	if (!held->session)
		return PAM_SUCCESS;
	r = session_close(held->session, &err);
	held->session = NULL;
	if (r < 0)
		pam_syslog(pamh, LOG_ERR, "closing the session: %s", err.text);
	return r < 0 ? PAM_SYSTEM_ERR : PAM_SUCCESS;
}
