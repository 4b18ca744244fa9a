/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the assignments of the rules that apply to the settings in effect. Specifiers are expanded here, last of all,
 * and only in what is in effect: a name that cannot be a path harms nobody whose rule was overridden.
 */
#include "lib/policy/keys.h"
#include "lib/policy/rule.h"
#include "lib/policy/values.h"
#include <errno.h>
#include <string.h>

struct gathering {
	const struct policy_subject *subject;
	struct pool **pool;
	struct policy_result *ret;
	const struct assignment **list; /* of one key, oldest first */
	size_t n;
};

void settings_default(struct policy_setting *settings)
{
	memset(settings, 0, POLICY_N_KEYS * sizeof(*settings));
	for (unsigned i = 0; i < POLICY_N_KEYS; i++) {
		settings[i].word = policy_keys[i].word;
		settings[i].text = policy_keys[i].text;
	}
}

static int refuse(struct gathering *g, const struct assignment *a, struct policy_pos pos, const struct complaint *c)
{
	const char *message = pool_copy(g->pool, c->message, strlen(c->message));
	const char *hint = c->hint[0] ? pool_copy(g->pool, c->hint, strlen(c->hint)) : NULL;

	if (!message || (c->hint[0] && !hint))
		return -ENOMEM;
	g->ret->refusal = (struct policy_diag){pos, POLICY_ERROR, (int)a->rule, message, hint};
	return POLICY_REFUSE;
}

static int expand_path(struct gathering *g, const struct assignment *a, struct policy_pos pos, const char *text,
		       const char **ret)
{
	struct complaint c;
	char *path;
	int r = specifiers_expand(g->pool, g->subject, text, &path, &c);

	if (!r && !path_check(path, true, &c))
		r = POLICY_REFUSE;
	if (r == POLICY_REFUSE)
		return refuse(g, a, pos, &c);
	if (r)
		return r;
	path_simplify(path);
	*ret = path;
	return 0;
}

static int expand_argument(struct gathering *g, const struct assignment *a, struct policy_pos pos, const char *text,
			   const char **ret)
{
	struct complaint c;
	char *name;
	int r = 0;

	switch (policy_keys[a->key].argument) {
	case ARGUMENT_TMPFS:
		r = tmpfs_expand(g->pool, g->subject, text, ret, &c);
		break;
	case ARGUMENT_HOST_NAME:
		r = specifiers_expand(g->pool, g->subject, text, &name, &c);
		if (!r && !host_name_check(name, true, &c))
			r = POLICY_REFUSE;
		*ret = r ? NULL : name;
		break;
	case ARGUMENT_NONE:
	case ARGUMENT_MODE:
		*ret = text;
		break;
	}
	return r == POLICY_REFUSE ? refuse(g, a, pos, &c) : r;
}

/* Make room for n; they are added by add_overridden(). */
static struct policy_overridden *overridden_room(struct gathering *g, struct policy_setting *setting, size_t n)
{
	struct policy_overridden *room = pool_alloc(g->pool, n * sizeof(*room));

	setting->overridden = room;
	return room;
}

static bool add_overridden(struct gathering *g, struct policy_setting *setting, struct policy_overridden *room,
			   struct policy_pos pos, const char *written, size_t size)
{
	const char *text = pool_copy(g->pool, written, size);

	room[setting->n_overridden++] = (struct policy_overridden){pos, text};
	return text;
}

/* The first n assignments, but not those that only reset. */
static bool override_assignments(struct gathering *g, size_t n, struct policy_setting *setting,
				 struct policy_overridden *room)
{
	for (size_t i = 0; i < n; i++) {
		const struct assignment *a = g->list[i];

		if (!a->reset && !add_overridden(g, setting, room, a->pos, a->written, a->written_size))
			return false;
	}
	return true;
}

static int gather_scalar(struct gathering *g, struct policy_setting *setting)
{
	const struct assignment *a = g->list[g->n - 1];
	struct policy_overridden *room = overridden_room(g, setting, g->n);

	if (!room || !override_assignments(g, g->n - 1, setting, room))
		return -ENOMEM;
	if (a->reset)
		return 0;
	setting->set = true;
	setting->pos = a->pos;
	setting->word = a->word;
	setting->text = a->text;
	if (!a->text || policy_keys[a->key].type == TYPE_TEXT)
		return 0;
	if (policy_keys[a->key].type == TYPE_PATH)
		return expand_path(g, a, a->pos, a->text, &setting->text);
	return expand_argument(g, a, a->pos, a->text, &setting->text);
}

/* An entry of a list, and which one has taken its place. */
struct element {
	const struct assignment *a;
	const struct entry *entry;
	const char *path;
	size_t place; /* the first element of the same path */
	bool overridden;
};

static int collect(struct gathering *g, size_t from, struct element *elements, size_t *n)
{
	*n = 0;
	for (size_t i = from; i < g->n; i++) {
		for (size_t j = 0; j < g->list[i]->n_entries; j++) {
			struct element *e = &elements[(*n)++];
			int r;

			e->a = g->list[i];
			e->entry = &e->a->entries[j];
			r = expand_path(g, e->a, e->entry->pos, e->entry->path, &e->path);
			if (r)
				return r;
		}
	}
	return 0;
}

/* Which elements a later one of the same path replaces; it stands where the first one stood. */
static bool find_overridden(struct gathering *g, struct element *elements, size_t n)
{
	size_t *latest = pool_alloc(g->pool, n * sizeof(*latest));
	struct names names;

	if (!latest || !names_init(&names, g->pool, n))
		return false;
	for (size_t i = 0; i < n; i++) {
		size_t place = names_add(&names, elements[i].path, i);

		if (place != i)
			elements[latest[place]].overridden = true;
		latest[place] = i;
		elements[i].place = place;
	}
	return true;
}

static int fill_item(struct gathering *g, const struct element *e, struct policy_item *item)
{
	*item = (struct policy_item){e->path, NULL, e->entry->mode, e->entry->pos};
	if (!e->entry->options)
		return 0;
	return expand_argument(g, e->a, e->entry->pos, e->entry->options, &item->options);
}

/* Each in the place of the first of its path. */
static int fill_items(struct gathering *g, struct element *elements, size_t n, struct policy_setting *setting)
{
	struct policy_item *items = pool_alloc(g->pool, n * sizeof(*items));
	size_t *places = pool_alloc(g->pool, n * sizeof(*places));

	if (!items || !places)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct element *e = &elements[i];
		int r;

		if (e->place == i)
			places[i] = setting->n_items++;
		if (e->overridden)
			continue;
		r = fill_item(g, e, &items[places[e->place]]);
		if (r)
			return r;
	}
	setting->items = items;
	return 0;
}

static size_t behind_last_reset(const struct gathering *g, size_t *n_entries)
{
	size_t from = 0;

	*n_entries = 0;
	for (size_t i = 0; i < g->n; i++) {
		*n_entries += g->list[i]->n_entries;
		if (g->list[i]->reset) {
			from = i + 1;
			*n_entries = 0;
		}
	}
	return from;
}

static int gather_list(struct gathering *g, struct policy_setting *setting)
{
	size_t n;
	size_t from = behind_last_reset(g, &n);
	struct element *elements = pool_alloc(g->pool, n * sizeof(*elements));
	struct policy_overridden *room = overridden_room(g, setting, from + n);
	int r;

	if (!elements || !room || !override_assignments(g, from, setting, room))
		return -ENOMEM;
	if (!n)
		return 0;
	setting->set = true;
	setting->pos = g->list[g->n - 1]->pos;
	r = collect(g, from, elements, &n);
	if (r)
		return r;
	if (!find_overridden(g, elements, n))
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct entry *e = elements[i].entry;

		if (elements[i].overridden && !add_overridden(g, setting, room, e->pos, e->written, e->written_size))
			return -ENOMEM;
	}
	return fill_items(g, elements, n, setting);
}

/* One array for all keys: counted, laid out, filled. ends[key] comes to stand behind the key's last. */
static const struct assignment **sort_by_key(const struct policy *policy, struct gathering *g, size_t *ends)
{
	const struct assignment **sorted;
	size_t counts[POLICY_N_KEYS] = {0};
	size_t n = 0;

	for (size_t i = 0; i < g->ret->n_applied; i++) {
		const struct rule *rule = rule_at(policy, g->ret->applied[i]);

		for (size_t j = 0; j < rule->n_assignments; j++)
			counts[rule->assignments[j].key]++;
	}
	for (unsigned key = 0; key < POLICY_N_KEYS; key++) {
		ends[key] = n;
		n += counts[key];
	}
	sorted = pool_alloc(g->pool, n * sizeof(*sorted));
	for (size_t i = 0; sorted && i < g->ret->n_applied; i++) {
		const struct rule *rule = rule_at(policy, g->ret->applied[i]);

		for (size_t j = 0; j < rule->n_assignments; j++) {
			const struct assignment *a = &rule->assignments[j];

			sorted[ends[a->key]++] = a;
		}
	}
	return sorted;
}

/* Neither can fail, and a login that is left alone may still be one that returns to the host. */
static bool holds_for_the_left_alone(unsigned key)
{
	return key == POLICY_ISOLATE || key == POLICY_RETURN_TO_HOST;
}

int settings_gather(const struct policy *policy, const struct policy_subject *subject, bool left_alone,
		    struct pool **pool, struct policy_result *ret)
{
	struct gathering g = {.subject = subject, .pool = pool, .ret = ret};
	size_t ends[POLICY_N_KEYS];
	const struct assignment **sorted = sort_by_key(policy, &g, ends);
	size_t start = 0;

	if (!sorted)
		return -ENOMEM;
	for (unsigned key = 0; key < POLICY_N_KEYS; key++) {
		int r = 0;

		g.list = sorted + start;
		g.n = ends[key] - start;
		start = ends[key];
		if (!g.n || (left_alone && !holds_for_the_left_alone(key)))
			continue;
		if (policy_keys[key].type == TYPE_LIST)
			r = gather_list(&g, &ret->settings[key]);
		else
			r = gather_scalar(&g, &ret->settings[key]);
		if (r)
			return r;
	}
	return 0;
}
