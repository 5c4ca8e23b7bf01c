/* What the parts of the writer "sarif" share. Inner header. */
#ifndef DEBRIEF_REPORT_SARIF_H
#define DEBRIEF_REPORT_SARIF_H

#include "base/buf.h"
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

struct
    sarif_rules { /* one finding for each id, in the order of ids: its place is the rule's index */
    const cJSON **findings;
    size_t len;
};

void sarif_rules_init(struct sarif_rules *rules, const cJSON *targets);
void sarif_rules_release(struct sarif_rules *rules);
int sarif_rules_index(const struct sarif_rules *rules, const char *id);
cJSON *sarif_rules_list(const struct sarif_rules *rules); /* `rules` of the driver */

struct sarif_scene { /* where a result is from */
    const cJSON *target;
    bool several;       /* there are other targets */
    int first_artifact; /* the index of the target's first source among all artifacts */
};

/* The one way of a text into the output; nothing when NULL. */
void sarif_put(cJSON *object, const char *name, const char *text);
void sarif_put_message(cJSON *object, const char *name, const char *text);

const char *sarif_level(const char *severity);

/* {uri, index} of a source of the scene's target, by its name. */
cJSON *sarif_artifact(const struct sarif_scene *scene, const char *source);

cJSON *sarif_result(const struct sarif_scene *scene, const struct sarif_rules *rules,
                    const cJSON *finding);

#endif
