/* What the keys of debrief.yaml mean. Inner header of policy/. */
#ifndef DEBRIEF_POLICY_CONFIG_KEYS_H
#define DEBRIEF_POLICY_CONFIG_KEYS_H

#include "base/yaml_tree.h"
#include "policy/config.h"

/* Fills CONFIG (arena, path and found_here are set) from ROOT. TODAY is "2026-11-21". */
bool config_keys_read(struct config *config, const struct yaml_tree *root, const char *today,
                      struct err *err);

#endif
