/* What the readers of pod specs, task definitions and their states have in common. */
#ifndef DEBRIEF_READ_CONTAINERS_H
#define DEBRIEF_READ_CONTAINERS_H

#include "read/read.h"
#include "read/scan.h"
#include <cjson/cJSON.h>
#include <stdint.h>

#define CONTAINERS_DOCUMENT_MAX (4u << 20) /* bytes of one document or list element */
#define CONTAINERS_POINTER_MAX  512

/* Where something stands, as a JSON pointer; cut when it is too long. */
void containers_place(char out[CONTAINERS_POINTER_MAX], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Kernel setting that says from which port on anybody may bind. */
#define CONTAINERS_PORT_SYSCTL "net.ipv4.ip_unprivileged_port_start"

/* Sets COLUMN to the scalar at PATH of NODE, when it is there. */
void containers_set(struct reading *reading, struct record *record, const char *column,
                    const cJSON *node, const char *path);
/* Sets COLUMN to the elements of ARRAY, or to their member MEMBER, joined by GLUE. */
void containers_set_list(struct reading *reading, struct record *record, const char *column,
                         const cJSON *array, const char *member, const char *glue);
/* Sets COLUMN to the scalar members of OBJECT as NAME=VALUE, joined by commas: cpu=500m,memory=256Mi. Only
 * those of NAMES, which is NULL-terminated; NULL: all. */
void containers_set_amounts(struct reading *reading, struct record *record, const char *column,
                            const cJSON *object, const char *const *names);
/* Sets COLUMN to yes or no; nothing when FLAG is no boolean. */
void containers_set_flag(struct reading *reading, struct record *record, const char *column,
                         const cJSON *flag);

/* One record of `env` for each element {name, value} of VARIABLES, an array that stands at POINTER. */
void containers_env(struct reading *reading, const cJSON *variables, const char *pointer,
                    const char *workload, const char *container);

/* A time at PATH: text in any shape, epoch seconds or milliseconds as a number; 0 when not known. */
int64_t containers_time(const cJSON *node, const char *path);

/* Hands TEXT to the log engine, if it says anything and somebody listens. */
void containers_scan(struct reading *reading, const struct scan_text *text);

#endif
