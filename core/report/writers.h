/* The writers behind report_writer_find(), one file each. A new format is a file, a line here and a row
 * in the table of report.c. */
#ifndef DEBRIEF_REPORT_WRITERS_H
#define DEBRIEF_REPORT_WRITERS_H

#include "report/report.h"

bool json_report(struct buf *out, const cJSON *report, const struct report_style *style,
                 struct err *err);
bool text_report(struct buf *out, const cJSON *report, const struct report_style *style,
                 struct err *err);
bool html_report(struct buf *out, const cJSON *report, const struct report_style *style,
                 struct err *err);
bool prometheus_report(struct buf *out, const cJSON *report, const struct report_style *style,
                       struct err *err);
bool nagios_report(struct buf *out, const cJSON *report, const struct report_style *style,
                   struct err *err);
bool jsonl_report(struct buf *out, const cJSON *report, const struct report_style *style,
                  struct err *err);
bool markdown_report(struct buf *out, const cJSON *report, const struct report_style *style,
                     struct err *err);
bool junit_report(struct buf *out, const cJSON *report, const struct report_style *style,
                  struct err *err);
bool sarif_report(struct buf *out, const cJSON *report, const struct report_style *style,
                  struct err *err);

#endif
