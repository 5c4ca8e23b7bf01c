/* Stage: report. Writes the document as it is: the JSON report is the document. */
#include "base/json.h"
#include "report/writers.h"

bool json_report(struct buf *out, const cJSON *report, const struct report_style *style,
                 struct err *err)
{
    (void)style;
    json_write(out, report, true);
    buf_addch(out, '\n');
    return out->overflow ? err_set(err, "the report is larger than %u MB", REPORT_SIZE_MAX >> 20)
                         : true;
}
