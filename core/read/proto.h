/* Envoy's messages as JSON, in both spellings: snake_case as Envoy prints them, lowerCamelCase as Go
 * tools do (egctl, istioctl). Paths are written in snake_case. */
#ifndef DEBRIEF_READ_PROTO_H
#define DEBRIEF_READ_PROTO_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROTO_ADDRESS_MAX = 320 };

/* "active_state.listener.filter_chains[0]"; NULL when absent. */
const cJSON *proto_at(const cJSON *node, const char *path);
const char *proto_str(const cJSON *node, const char *path);
const char *proto_scalar(const cJSON *node, const char *path, char out[32]);
bool proto_bool(const cJSON *node, const char *path, bool absent);
int proto_len(const cJSON *node, const char *path); /* of an array, 0 when absent */

/* "6s", "0.250s" or {"seconds": ..} as seconds. */
bool proto_seconds(const cJSON *node, const char *path, double *out);

/* An Address message at PATH as "IP:PORT", "[IP]:PORT" or "unix:PATH"; NULL when there is none. */
const char *proto_address(const cJSON *node, const char *path, char out[PROTO_ADDRESS_MAX]);

/* The last component of an "@type" or type URL: "Listener". "" when absent. */
const char *proto_type(const cJSON *node);

#endif
