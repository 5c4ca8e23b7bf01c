/* Every reader, declared once for the table in read.c. */
#ifndef DEBRIEF_READ_READERS_H
#define DEBRIEF_READ_READERS_H

#include "read/read.h"

/* Envoy's admin pages and what it was started with */
extern const struct reader read_server_info, read_ready, read_stats, read_clusters, read_listeners,
    read_certs, read_config_dump, read_init_dump, read_memory, read_runtime, read_bootstrap,
    read_ztunnel;

/* platforms */
extern const struct reader read_kubernetes, read_kubernetes_events, read_ecs_tasks,
    read_ecs_task_definition, read_target_health, read_target_groups, read_aws, read_cloudformation,
    read_compose_file, read_inspect, read_env, read_host, read_probe, read_mesh_sync,
    read_ecs_agent;

/* the kind of a source that holds several documents, or one and other text (paste.h) */
#define READ_PASTE_KIND "paste"

/* logs and any other text */
extern const struct reader read_log;

/* A source that some check asks for by name ("file.NAME"): read as it is, beside what its own reader
 * makes of it. */
enum { FILE_NAME_MAX = 128 };
/* The evidence name of a source: "file." and its base name without ending, in lower case, every other
 * character as '_'. */
void file_name(const struct source *source, char out[FILE_NAME_MAX]);
bool file_wanted(const struct evidence *evidence, const struct source *source);
void file_read(struct reading *reading);

#endif
