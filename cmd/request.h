/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * USER and the options that explain, plan and run share, made into the request that the PAM module would make: the
 * items of the login, and what the service's own line in pam.d says with policy= and rescue=. `trial` is not obeyed
 * here, it is told: whoever asks wants to know what would be.
 */
#ifndef NSCLONE_CMD_REQUEST_H
#define NSCLONE_CMD_REQUEST_H

#include "cmd/options.h"
#include "lib/session/login.h"

/* Where no --service is given and no service says more. */
#define REQUEST_DEFAULT_SERVICE "login"

struct request_options {
	const char *service;
	const char *rhost;
	const char *tty;
	const char *from;
	const char *policy;
};

/* --service, --rhost, --tty, --from, --policy */
void request_add_options(struct options *options, struct request_options *request);

struct request {
	struct login_request login;
	bool with_module; /* the service has the module */
	char *where;	  /* its line, FILE:LINE, or NULL */
	bool trial;
	char *rescue; /* as written, or NULL */
	char *policy; /* what policy= names there, or NULL */
};

/* The strings of options, user and service are borrowed. request_done() in any case. */
void request_fill(const struct request_options *options, const char *user, const char *service, struct request *ret);
void request_done(struct request *request);

/* What the administrator should know of that line, to stderr: that there is none, or that it says trial or rescues. */
void request_notes(const struct request *request, const struct login *login);

/*
 * What came of login_decide(), in words: "isolated", "no rule fits, so it is not isolated", "refused: ...". In a buffer
 * of the caller.
 */
const char *request_outcome(int outcome, const struct login *login, const struct err *err, char *buffer, size_t size);

/* ... and as exit status. */
int request_status(int outcome);

/* "text (FILE:LINE)" of an err, into a buffer of the caller. */
const char *request_error(const struct err *err, char *buffer, size_t size);

#endif
