/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libFuzzer for the keeper: connections, packets with descriptors, ends of processes, time, failing system calls in any
 * order, on a machine that is made up (fuzz_keeper.h). What must hold: no descriptor is used that is closed, none is
 * watched that is closed, and when everything has ended nothing is left.
 */
#include <string.h>
#include "keeper/process.h"
#include "tests/fuzz/fuzz_keeper.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *next, *end;
};

static uint8_t byte(struct input *in)
{
	return in->next < in->end ? *in->next++ : 0;
}

/* The n-th of what is watched and of these kinds (1 << SOURCE_*); NULL: there is none. */
static struct source *nth(unsigned kinds, unsigned n)
{
	struct source *all[MAX_FDS];
	unsigned count = 0;

	for (int fd = 0; fd < MAX_FDS; fd++) {
		struct source *s = fake.fds[fd].watched;

		MUST(!s || s->fd == fd);
		if (s && (kinds & 1U << s->kind))
			all[count++] = s;
	}
	return count ? all[n % count] : NULL;
}

static void turn(struct keeper *keeper, struct source *source, bool readable)
{
	server_turn(keeper, fake.now, source, readable);
}

static void fill(struct keeper *keeper, struct keeper_message *m, struct input *in);

/* What it has to say is there already. */
static void connect_peer(struct keeper *keeper, struct input *in)
{
	struct keeper_message m;
	uint8_t who = byte(in);

	if (!keeper->listening)
		return;
	fake.accepted = fake_open(FAKE_PEER, who & 0xf0 ? 0 : who, FIRST_PID + who % MAX_PIDS, 0);
	fill(keeper, &m, in);
	fake.packet = (const uint8_t *)&m;
	fake.packet_size = sizeof(m);
	turn(keeper, &keeper->listener, true);
	fake.packet = NULL;
	while (fake.n_packet_fds > 0)
		fake_close(fake.packet_fds[--fake.n_packet_fds]);
}

/* What comes beside a packet: mostly what it should be. */
static void add_fd(struct keeper_message *m, struct input *in)
{
	uint8_t kind = byte(in), number = byte(in);
	int fd;

	switch (kind % 8) {
	case 0: fd = fake_open(FAKE_PIDFD, 0, FIRST_PID + number % MAX_PIDS, 0); break;
	case 1: fd = fake_open(FAKE_TMPFS, 0, number, 0); break;
	case 2: fd = fake_open(FAKE_MEMFD, 0, 0, 0); break;
	case 3: fd = fake_open(number % 2 ? FAKE_DISK : FAKE_OTHER, 0, 0, 0); break;
	default:
		fd = fake_open(FAKE_NS, number % 16 ? KEEPER_NS_MNT : number / 16 % KEEPER_N_NS, 10 + number % 8,
			       number == 255 ? HOST_USER + 1 : HOST_USER);
	}
	if (m->n_fds < KEEPER_MAX_FDS) {
		static const uint32_t usual[] = {KEEPER_FD_PIDFD, KEEPER_FD_MARKER, KEEPER_FD_ARGUMENTS, KEEPER_FD_PROC};

		m->fds[m->n_fds] = kind % 8 < 4 ? usual[kind % 8] : (uint32_t)keeper_nstype(fake.fds[fd].type);
	}
	fake.packet_fds[m->n_fds++] = fd;
	fake.n_packet_fds = m->n_fds;
}

static uint64_t some_world(const struct keeper *keeper, unsigned n)
{
	const struct world *world = keeper->worlds.first;

	while (world && n--)
		world = world->next;
	return world ? world->id : 0;
}

static void fill(struct keeper *keeper, struct keeper_message *m, struct input *in)
{
	static const uint16_t types[] = {
		KEEPER_GET, KEEPER_GET, KEEPER_PIDS, KEEPER_PUT, KEEPER_PUT, KEEPER_DROP, KEEPER_LEAVE, KEEPER_HOST, KEEPER_LIST,
		KEEPER_TAKE, KEEPER_END, KEEPER_SHELL,
	};
	uint8_t type = byte(in), shape = byte(in), id = byte(in), n = byte(in);

	*m = (struct keeper_message){
		.magic = KEEPER_MAGIC, .version = KEEPER_VERSION, .uid = 1000 + shape % 3,
		.type = type == 255 ? byte(in) : types[type % (sizeof(types) / sizeof(*types))],
		.flags = shape >> 6, .world = some_world(keeper, id % 8), .session = {.id = id % 32},
	};
	m->key[31] = shape >> 3 & 1;
	m->inodes[KEEPER_NS_MNT] = 10 + id % 8;
	m->record[0] = 'r';
	if (shape == 77)
		memset(m->session.service, 'x', sizeof(*m) - offsetof(struct keeper_message, session.service));
	for (n %= 16; n > 0 && n < 16; n--)
		if (n < 4 || type == 254)
			add_fd(m, in);
}

static void send_packet(struct keeper *keeper, struct input *in)
{
	struct keeper_message m;
	uint8_t packet[sizeof(m) + 1], which = byte(in), odd = byte(in);
	struct source *peer = nth(1U << SOURCE_PEER, which);

	if (!peer)
		return;
	fill(keeper, &m, in);
	if (odd == 255)
		m.n_fds = byte(in);
	if (odd == 254)
		m.version = byte(in);
	memcpy(packet, &m, sizeof(m));
	for (int i = 0; odd == 253 && i < 32; i++)
		packet[(size_t)(byte(in) << 8 | byte(in)) % sizeof(m)] = byte(in);
	fake.packet = packet;
	fake.packet_size = odd == 252 ? byte(in) : odd == 251 ? sizeof(m) + 1 : sizeof(m);
	turn(keeper, peer, true);
	fake.packet = NULL;
	while (fake.n_packet_fds > 0)
		fake_close(fake.packet_fds[--fake.n_packet_fds]); /* it was not read */
}

static void end_peer(struct keeper *keeper, struct source *peer)
{
	static const uint8_t nothing[1];

	if (!peer)
		return;
	fake.packet = nothing;
	fake.packet_size = 0;
	turn(keeper, peer, true);
	fake.packet = NULL;
}

static void step(struct keeper *keeper, struct input *in)
{
	const unsigned things = 1U << SOURCE_SESSION | 1U << SOURCE_WITNESS | 1U << SOURCE_INIT | 1U << SOURCE_CHILD;
	struct source *source;
	uint8_t op = byte(in);

	switch (op % 12) {
	case 0: connect_peer(keeper, in); break;
	case 1: end_peer(keeper, nth(1U << SOURCE_PEER, byte(in))); break;
	case 2:
		fake.init_speaks = op & 0x80;
		source = nth(things, byte(in));
		if (source)
			turn(keeper, source, true);
		break;
	case 3:
		fake.now += 1LL << byte(in) % 16;
		turn(keeper, NULL, false);
		break;
	case 4:
		op = byte(in);
		fake.mnt[op % MAX_PIDS] = op / MAX_PIDS ? 9 + op / MAX_PIDS : 0;
		break;
	case 5:
		fake.unmounted = byte(in) % 64;
		turn(keeper, &keeper->markers, true);
		break;
	case 6:
		fake.full = op & 0x80;
		source = nth(1U << SOURCE_PEER, byte(in));
		if (source && ((struct peer *)source->owner)->blocked)
			turn(keeper, source, false);
		break;
	case 7: fake.fail = byte(in) % 32; break;
	default: send_packet(keeper, in); break;
	}
}

/* Everybody goes, all processes end, everything is unmounted: nothing may be left. */
static void end_all(struct keeper *keeper)
{
	struct source *source;

	fake.fail = 0;
	fake.full = false;
	memset(fake.mnt, 0, sizeof(fake.mnt));
	while ((source = nth(1U << SOURCE_PEER, 0)))
		end_peer(keeper, source);
	while ((source = nth(1U << SOURCE_SESSION | 1U << SOURCE_WITNESS, 0)))
		turn(keeper, source, true);
	for (int i = 0; i < 20; i++) {
		fake.now += 1 << 20;
		turn(keeper, NULL, false);
	}
	for (int i = 0; i < 64; i++) {
		fake.unmounted = i;
		turn(keeper, &keeper->markers, true);
	}
	while ((source = nth(1U << SOURCE_CHILD, 0)))
		turn(keeper, source, true);
	MUST(keeper->worlds.n_worlds == 0 && keeper->worlds.n_sessions == 0 && keeper->worlds.n_leased == 0);
	MUST(!keeper->worlds.first && keeper->n_peers == 0 && !keeper->peers && !keeper->children && keeper->listening);
	for (int i = 0; i < 64; i++)
		MUST(!fake.watches[i]);
}

static void check(const struct keeper *keeper)
{
	unsigned worlds = 0, sessions = 0, leased = 0;

	for (const struct world *w = keeper->worlds.first; w; w = w->next) {
		worlds++;
		leased += w->state == WORLD_LEASED;
		MUST(w->id && (w->state != WORLD_LEASED || w->sessions) && (w->state != WORLD_HELD || w->sessions));
		MUST(w->state != WORLD_GONE || (w->marker >= 0 && w->ns[KEEPER_NS_MNT] < 0));
		for (const struct world_session *s = w->sessions; s; s = s->next) {
			sessions++;
			MUST((s->state == SESSION_IN) == (w->state != WORLD_LEASED) && (s->state == SESSION_IN) == !s->client);
			MUST((s->state == SESSION_BUILDING) == (w->state == WORLD_LEASED && s == w->sessions));
		}
	}
	MUST(worlds == keeper->worlds.n_worlds && sessions == keeper->worlds.n_sessions && leased == keeper->worlds.n_leased);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, data + size};
	struct keeper keeper = {.epoll = -1, .foreground = true, .debug = true};
	size_t before;

	memset(&fake, 0, sizeof(fake));
	fake.now = 1000000;
	fake.accepted = -1;
	for (int i = 0; i < KEEPER_N_NS; i++)
		keeper.host.ns[i] = i == KEEPER_NS_USER ? -1 : fake_open(FAKE_NS, i, 5, HOST_USER);
	for (int i = 0; i < KEEPER_N_NS; i++)
		keeper.host.inodes[i] = 5;
	keeper.host.user_ns = HOST_USER;
	for (int i = 0; i < MAX_PIDS; i++)
		fake.mnt[i] = 5;
	MUST(server_init(&keeper, fake_open(FAKE_OTHER, 0, 0, 0), -1) == 0);
	before = fake_n_open();
	while (in.next < in.end) {
		step(&keeper, &in);
		check(&keeper);
	}
	end_all(&keeper);
	MUST(fake_n_open() == before);
	for (int fd = 0; fd < MAX_FDS; fd++)
		fake.fds[fd].watched = NULL;
	server_done(&keeper);
	MUST(fake_n_open() == KEEPER_N_NS - 1);
	return 0;
}
