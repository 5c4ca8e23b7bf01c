/* Admin pages of several proxies side by side in one folder, told apart by what else stands in the
 * names: "web-config_dump.json", "api-config_dump.json", "api.log". */
#ifndef DEBRIEF_COLLECT_FLEET_FLAT_H
#define DEBRIEF_COLLECT_FLEET_FLAT_H

#include "collect/fleet.h"

struct fleet_flat_item {
    const char *key;  /* the folder and the word that tells the proxy */
    const char *file; /* its path */
};

struct fleet_flat {
    struct fleet_flat_item *items; /* the caller's to free */
    size_t len;
};

/* Finds them in folders that hold one page, a dump or a server_info, of two proxies at least. */
void fleet_flat_find(struct fleet_flat *flat, struct arena *arena, const struct fleet_file *files,
                     size_t len);

#endif
