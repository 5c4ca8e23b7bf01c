/* Stage: report. */
#include "report/html.h"
void html_fleet(struct html *html)
{
    (void)html;
}
