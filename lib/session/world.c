/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The order of things:
 *
 *   ask the keeper        a world that is held, or a lease; and the host's namespaces
 *   held: join            all namespaces of the set that this process is not in already
 *   else: to the host     where it comes from another world, or from a daemon that its unit has hardened
 *         an init         for a PID namespace, from the keeper, so that it outlives this session
 *         build           the plan
 *         publish         the new namespaces go to the keeper
 *
 * Without the keeper there is no sharing, but a login: it builds where it is. Two things cannot be had then: a PID
 * namespace, and the way out of another world; on another's tree nothing is built.
 */
#include "lib/session/world.h"
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include "lib/core/sys.h"
#include "lib/session/keeper_call.h"
#include "lib/session/place.h"
#include "lib/session/session.h"
#include "lib/session/world_host.h"

enum { TRIES = 5 };

struct world {
	struct login *login;
	const struct policy_setting *settings;
	int link;            /* to the keeper; -1: there is none */
	bool held;           /* fds are of the world: join it */
	bool lease;          /* this process is the one to build it */
	bool inside;         /* it comes from an isolated session */
	bool alone;          /* no session of this process is open, as it is where PID 1 is */
	bool trial;
	uint64_t id;         /* of the session, 0: not chosen yet */
	char refusal[128];   /* what the keeper says where it answers that it will not; "": it does not answer */
	uint64_t own[8];     /* of the world that is held: inodes of its own namespaces, by enum keeper_ns */
	struct keeper_fds fds;
};

static bool is_yes(const struct world *world, enum policy_key key)
{
	return world->settings[key].word == POLICY_YES;
}

static bool is_shared(const struct world *world)
{
	return world->settings[POLICY_SCOPE].word == POLICY_SCOPE_USER && !world->trial;
}

static void copy_text(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
}

static void fill_session(const struct world *world, struct keeper_message *message)
{
	const struct policy_subject *subject = &world->login->subject->policy;
	struct keeper_session *session = &message->session;

	message->uid = subject->uid;
	copy_text(message->user, sizeof(message->user), subject->user);
	session->id = world->id;
	copy_text(session->service, sizeof(session->service), subject->service);
	copy_text(session->tty, sizeof(session->tty), subject->tty);
	copy_text(session->rhost, sizeof(session->rhost), subject->remote_host);
	copy_text(session->from_user, sizeof(session->from_user), subject->from_user);
	if (!is_shared(world))
		message->flags |= KEEPER_ALONE;
	if (is_yes(world, POLICY_KILL_ON_LOGOUT))
		message->flags |= KEEPER_KILL_ON_LOGOUT;
}

static int choose_id(struct world *world)
{
	return world->id ? 0 : sys_random(&world->id, sizeof(world->id));
}

static void add_fd(struct keeper_message *message, int *fds, uint32_t what, int fd)
{
	fds[message->n_fds] = fd;
	message->fds[message->n_fds++] = what;
}

/* Before kernel 6.5 the keeper cannot see for itself who has connected, and says that it misses a pidfd. */
static int ask(struct world *world, struct keeper_message *request, struct keeper_message *answer)
{
	cleanup_fd int pidfd = -1;
	int fds[1], r = keeper_ask(world->link, request, NULL, answer, &world->fds);

	if (r != -EINVAL)
		return r;
	pidfd = sys_pidfd_open(sys_getpid());
	if (pidfd < 0)
		return pidfd;
	add_fd(request, fds, KEEPER_FD_PIDFD, pidfd);
	return keeper_ask(world->link, request, fds, answer, &world->fds);
}

/* GET: HELD, BUILD or a negative errno; a wait for somebody else's building lasts as long as a lease. */
static int get(struct world *world)
{
	struct keeper_message request, answer = {0};
	int r = choose_id(world);

	keeper_message_init(&request, KEEPER_GET);
	fill_session(world, &request);
	if (r == 0 && is_shared(world))
		r = policy_fingerprint(&world->login->result, request.key);
	if (r == 0)
		r = ask(world, &request, &answer);
	if (r == 0 && answer.type == KEEPER_WAIT) {
		keeper_fds_done(&world->fds); /* nothing should have come with it */
		r = keeper_await(world->link, KEEPER_LEASE_MS + KEEPER_CALL_MS, &answer, &world->fds);
	}
	if (r == 0 && answer.type != KEEPER_HELD && answer.type != KEEPER_BUILD)
		r = answer.type == KEEPER_FAILED && answer.error > 0 ? -answer.error : -EPROTO;
	if (r < 0 && answer.type == KEEPER_FAILED)
		copy_text(world->refusal, sizeof(world->refusal), answer.text);
	if (r < 0)
		return r;
	memcpy(world->own, answer.inodes, sizeof(world->own));
	world->held = answer.type == KEEPER_HELD;
	world->lease = !world->held;
	return 0;
}

static void hang_up(struct world *world)
{
	sys_close_p(&world->link);
	world->link = -1;
	world->held = world->lease = false;
	keeper_fds_done(&world->fds);
}

/* The keeper is away: what can be had without it? */
static int do_without(struct world *world, int why, struct err *err)
{
	const char *how = *world->refusal ? "refuses" : "cannot be reached";
	const char *reason = *world->refusal ? world->refusal : strerror(-why);

	hang_up(world);
	if (place_is_among_users())
		return err_set(err, -EPERM, "a user namespace (PrivateUsers=) can be left by nobody");
	if (is_yes(world, POLICY_PRIVATE_PIDS)) {
		err_set(err, 0, "PrivatePIDs=yes needs nsclone-keeper, which %s: %s", how, reason);
		err_at(err, world->settings[POLICY_PRIVATE_PIDS].pos);
		return why;
	}
	if (place_is_not_first() && world_is_of_a_login(world->login))
		return err_set(err, why, "this login comes from an isolated session, and nsclone-keeper, which knows the way "
					 "out, %s%s%s", how, *world->refusal ? ": " : "", world->refusal);
	snprintf(world->login->note, sizeof(world->login->note), "nsclone-keeper %s: %s", how, reason);
	return 0;
}

/* Scope=session asks only where something is wanted that nobody else can give. */
static bool needs_keeper(const struct world *world, bool elsewhere)
{
	return is_shared(world) || is_yes(world, POLICY_PRIVATE_PIDS) || is_yes(world, POLICY_KILL_ON_LOGOUT) ||
	       world->settings[POLICY_PRIVATE_USERS].word != POLICY_USERS_NO || elsewhere;
}

static int find(struct world *world, struct err *err)
{
	bool elsewhere = !is_shared(world) && place_is_not_first();
	int r;

	world->alone = !is_shared(world) && !elsewhere;
	if (!needs_keeper(world, elsewhere))
		return 0;
	r = world->link = keeper_connect();
	if (r >= 0)
		r = get(world);
	if (r == 0 && elsewhere)
		r = world_ask_host(world->link, world->login, NULL, &world->inside);
	return r < 0 ? do_without(world, r, err) : 0;
}

/* Does this one start on the host's own tree? A daemon's hardening is left behind where others will come to join. */
static bool must_leave(const struct world *world)
{
	return world->lease && (is_shared(world) || world->inside);
}

static int get_init(struct world *world, struct plan_given *given, struct err *err)
{
	struct keeper_fds fds = KEEPER_NO_FDS;
	struct keeper_message request, answer;
	unsigned flags;
	int r;

	if (!plan_wants_init(world->login->plan, &flags))
		return 0;
	keeper_message_init(&request, KEEPER_PIDS);
	request.flags = flags;
	r = keeper_ask(world->link, &request, NULL, &answer, &fds);
	if (r == 0 && (answer.type != KEEPER_PIDS || fds.ns[KEEPER_NS_PID] < 0 || fds.proc < 0))
		r = -EPROTO;
	if (r < 0) {
		keeper_fds_done(&fds);
		return err_set(err, r, "the keeper gives no PID namespace%s%s", *answer.text ? ": " : "", answer.text);
	}
	keeper_fds_done(&world->fds); /* of the host, where this process is by now */
	world->fds = fds;
	given->ns[KEEPER_NS_PID] = fds.ns[KEEPER_NS_PID];
	given->proc = fds.proc;
	return 0;
}

/* Another login may have undone a directory that we were about to use: then begin anew. */
static int run_plan(struct world *world, const struct plan_given *given, bool *undo_failed, struct err *err)
{
	struct login *login = world->login;
	int r = -ESTALE;

	for (int tries = 0; r == -ESTALE && tries < TRIES && !*undo_failed; tries++) {
		*err = (struct err){0};
		r = plan_run(login->plan, &login->subject->policy, given, &login->session, undo_failed, err);
	}
	return r;
}

static int build_here(struct world *world, bool *undo_failed, struct err *err)
{
	struct plan_given given = PLAN_NOTHING_GIVEN;
	int r = login_plan(world->login, err);

	given.alone = world->alone;
	if (r == 0 && plan_is_empty(world->login->plan))
		return LOGIN_LEFT_ALONE;
	if (r == 0)
		r = get_init(world, &given, err);
	return r < 0 ? r : run_plan(world, &given, undo_failed, err);
}

static int build(struct world *world, bool *undo_failed, struct err *err)
{
	struct session *below = NULL;
	struct err ignored = {0};
	int r = 0;

	if (must_leave(world)) {
		world->alone = false;
		r = world_join(world->login, world->fds.ns, "the host", &world->login->way, &below, undo_failed, err);
	}
	if (r == 0)
		r = build_here(world, undo_failed, err);
	if (r == 0) {
		session_set_below(world->login->session, below);
		return 0;
	}
	if (below && session_undo(below, &ignored) < 0)
		*undo_failed = true;
	return r;
}

/*
 * What the keeper is to hold, and to remove in the end. Failing only means that nobody else will join. Where there is
 * nothing to remove and nobody to join, nothing is waited for; else it is ours until the keeper says that it has it: who
 * ends before the keeper has looked at it is not heard.
 */
static int put(struct world *world, bool *recorded)
{
	struct login *login = world->login;
	struct keeper_message request, answer;
	const char *record = NULL;
	int r = choose_id(world);
	cleanup_fd int pidfd = world->lease ? -1 : sys_pidfd_open(sys_getpid());
	cleanup_fd int marker = session_marker(login->session, &record);
	int fds[KEEPER_MAX_FDS], fd, type;

	if (r < 0)
		return r;
	keeper_message_init(&request, KEEPER_PUT);
	fill_session(world, &request);
	login_rules(login, request.rules, sizeof(request.rules));
	if (marker >= 0) /* else the keeper would not learn when it is to be removed */
		copy_text(request.record, sizeof(request.record), record);
	for (size_t i = 0; (type = session_made(login->session, i, &fd)) != 0; i++) {
		if (fd < 0)
			return fd;
		add_fd(&request, fds, (uint32_t)type, fd);
	}
	if (marker >= 0)
		add_fd(&request, fds, KEEPER_FD_MARKER, marker);
	if (pidfd >= 0)
		add_fd(&request, fds, KEEPER_FD_PIDFD, pidfd);
	*recorded = request.record[0];
	if (!world->lease && !*recorded)
		return keeper_send(world->link, &request, fds);
	r = keeper_ask(world->link, &request, fds, &answer, NULL);
	return r == 0 && answer.type != KEEPER_STORED ? -EPROTO : r;
}

static void publish(struct world *world)
{
	struct login *login = world->login;
	bool recorded = false;
	int r = 0;

	if (world->link < 0 && !is_shared(world))
		r = world->link = keeper_connect_only();
	if (world->link >= 0)
		r = put(world, &recorded);
	if (world->link >= 0 && r == 0) {
		session_set_id(login->session, world->id);
		if (recorded || is_shared(world)) /* what others may be in is no more ours to remove */
			session_give_traces(login->session);
		login->shared = is_shared(world);
	} else if (is_shared(world) && !*login->note) {
		snprintf(login->note, sizeof(login->note), "nsclone-keeper did not take it: %s", strerror(-r));
	}
	session_let_go(login->session);
}

static int join_held(struct world *world, bool *undo_failed, struct err *err)
{
	struct login *login = world->login;
	int r = place_isolates(world->fds.ns, world->own, world->settings);

	if (r < 0)
		err_set(err, r, "the world that the keeper holds is not what the policy asks for");
	else
		r = world_join(login, world->fds.ns, "the world", &login->plan, &login->session, undo_failed, err);
	if (r < 0) {
		keeper_leave(world->id);
		return r;
	}
	session_set_id(login->session, world->id);
	login->joined = login->shared = true;
	return 0;
}

static int open_world(struct world *world, bool *undo_failed, struct err *err)
{
	int r = find(world, err);

	if (r < 0)
		return r;
	if (world->held)
		return join_held(world, undo_failed, err);
	r = build(world, undo_failed, err);
	if (r == 0 && !world->trial)
		publish(world);
	return r;
}

int world_open(struct login *login, bool *undo_failed, struct err *err)
{
	struct world world = {.login = login, .settings = login->result.settings, .link = -1, .fds = KEEPER_NO_FDS};
	int r = open_world(&world, undo_failed, err);

	hang_up(&world); /* a lease that was not used goes with it, and its init */
	return r;
}

int world_try(const struct login *login, const struct policy_result *result, struct err *err)
{
	struct login attempt = {.subject = login->subject, .policy = login->policy, .result = *result};
	struct world world = {
		.login = &attempt, .settings = result->settings, .link = -1, .trial = true, .fds = KEEPER_NO_FDS,
	};
	bool undo_failed = false;
	int r = open_world(&world, &undo_failed, err);

	if (r == 0)
		r = session_close(attempt.session, err);
	hang_up(&world);
	plan_free(attempt.plan);
	plan_free(attempt.way);
	facts_done(&attempt.facts);
	return r < 0 ? r : 0;
}
