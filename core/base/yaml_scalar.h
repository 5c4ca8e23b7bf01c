/* One YAML scalar as JSON text. */
#ifndef DEBRIEF_BASE_YAML_SCALAR_H
#define DEBRIEF_BASE_YAML_SCALAR_H

#include "base/buf.h"
#include <stdbool.h>

/* Appends TEXT: typed by the core schema when PLAIN, else as a string. */
void yaml_scalar_write(struct buf *out, const char *text, size_t len, bool plain);
void yaml_scalar_write_string(struct buf *out, const char *text, size_t len);

#endif
