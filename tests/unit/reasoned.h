/* For tests of core/reason: answers of AWS as JSON texts, and a check that may read all of them. */
#ifndef DEBRIEF_TESTS_REASONED_H
#define DEBRIEF_TESTS_REASONED_H

#include "asked.h"
#include "check/view.h"
#include "read/read.h"

#include <unistd.h>

struct reasoned {
    struct asked asked;
    struct view view;
    char paths[16][64];
    int len;
};

#define REASONED_NEEDS                                                                             \
    ",\"needs\":[\"?aws.roles\",\"?aws.policies\",\"?aws.policy_names\","                          \
    "\"?aws.attached_policies\",\"?aws.repository_policies\",\"?aws.vpc_endpoints\","              \
    "\"?aws.tasks\",\"?aws.services\",\"?aws.container_instances\",\"?aws.instances\","            \
    "\"?aws.network_interfaces\",\"?aws.subnets\",\"?aws.security_groups\","                       \
    "\"?aws.security_group_rules\",\"?aws.network_acls\",\"?aws.route_tables\","                   \
    "\"?aws.prefix_lists\"]"

/* One quote for two in TEXT, so that tables of JSON stay readable. */
static void reasoned_add(struct reasoned *reasoned, const char *name, const char *text)
{
    char *json = xstrdup(text), *path = reasoned->paths[reasoned->len++];
    for (char *p = json; *p; p++)
        *p = *p == '\'' ? '"' : *p;
    snprintf(path, 64, "/tmp/debrief-reasoned-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, json, strlen(json)), (ssize_t)strlen(json));
    close(fd);
    struct source *source = sources_add(&reasoned->asked.sources, name);
    source->path = path;
    source->size = strlen(json);
    source->complete = true;
    free(json);
}

static void reasoned_init(struct reasoned *reasoned)
{
    memset(reasoned, 0, sizeof *reasoned);
    asked_init(&reasoned->asked, REASONED_NEEDS);
}

static void reasoned_read(struct reasoned *reasoned)
{
    struct asked *asked = &reasoned->asked;
    asked->sources.items[0].path = "/dev/null";
    asked->sources.items[0].complete = true;
    read_all(asked->evidence, NULL);
    evidence_finish(asked->evidence);
    reasoned->view = (struct view){.check = &asked->check,
                                   .evidence = asked->evidence,
                                   .builder = builder_new(&asked->check, asked->evidence, NULL),
                                   .scratch = asked->arena};
}

static void reasoned_release(struct reasoned *reasoned)
{
    assert_null(builder_fault(reasoned->view.builder));
    builder_free(reasoned->view.builder);
    asked_release(&reasoned->asked);
    for (int i = 0; i < reasoned->len; i++)
        unlink(reasoned->paths[i]);
}

#endif
