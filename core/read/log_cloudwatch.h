/* Log events as the AWS command line prints them in JSON: filter-log-events, get-log-events, and the
 * results of a Logs Insights query. */
#ifndef DEBRIEF_READ_LOG_CLOUDWATCH_H
#define DEBRIEF_READ_LOG_CLOUDWATCH_H

#include "read/scan.h"

bool log_cloudwatch_recognise(const struct peek *peek);
void log_cloudwatch_scan(struct scan *scan, struct reading *reading);

#endif
