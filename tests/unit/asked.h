/* For tests of the runtime: a check from its metadata, and evidence made by hand. */
#ifndef DEBRIEF_TESTS_ASKED_H
#define DEBRIEF_TESTS_ASKED_H

#include "base/alloc.h"
#include "base/json.h"
#include "check/metadata.h"
#include "check/plan.h"
#include "evidence/evidence.h"
#include "finding/builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct asked {
    struct arena *arena;
    struct plugin plugin;
    struct plan_check check;
    struct sources sources;
    struct evidence *evidence;
};

/* MEMBERS: the check's metadata but for id and title, as JSON members with a comma in front. */
static inline void asked_init(struct asked *asked, const char *members)
{
    struct check_meta *metas;
    struct err err = ERR_INIT;
    size_t len;
    *asked = (struct asked){.arena = arena_new()};
    asked->plugin = (struct plugin){.name = "x", .version = "1", .kind = "lua", .path = "x.lua"};
    char *text = xasprintf("{\"checks\":[{\"id\":\"x\",\"title\":\"?\"%s}]}", members);
    cJSON *json = json_parse(text, strlen(text), &err);
    if (!json || !metadata_read(asked->arena, json, &asked->plugin, &metas, &len, &err))
        fail_msg("%s: %s", members, err.text);
    asked->check.meta = &metas[0];
    asked->check.params = arena_alloc(asked->arena, (metas[0].params_len + 1) * sizeof(char *));
    for (size_t i = 0; i < metas[0].params_len; i++)
        asked->check.params[i] = metas[0].params[i].dflt;
    cJSON_Delete(json);
    free(text);
    sources_init(&asked->sources);
    struct source *source = sources_add(&asked->sources, "log/envoy.log");
    memset(source->sha256, 'a', 64);
    asked->evidence = evidence_new(&asked->sources, NULL);
    for (size_t i = 0; i < metas[0].events_len; i++)
        evidence_declare(asked->evidence, metas[0].events[i].evidence);
}

static inline void asked_release(struct asked *asked)
{
    evidence_free(asked->evidence);
    sources_release(&asked->sources);
    arena_free(asked->arena);
}

/* A record at LINE and TIME with one column set. */
static inline struct record *asked_add(struct asked *asked, const char *name, uint64_t line,
                                       int64_t time, const char *column, const char *value)
{
    struct record *record = evidence_add(asked->evidence, name, &asked->sources.items[0]);
    record->line = line;
    record->time = time;
    evidence_set(asked->evidence, record, column, value);
    return record;
}

#endif
