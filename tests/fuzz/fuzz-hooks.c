/* SPDX-License-Identifier: LGPL-2.1-only */
/* A domain's configuration as JSON, which comes from another host: vscsictrls
 * that are put into it come out of it, and nothing else of it matters. */
#include "../../tools/xl/hooks_life.h"
#include "fuzz.h"

static void check_same(const hooks_list *a, const hooks_list *b)
{
    int i;

    FUZZ_CHECK(a->num == b->num);
    for (i = 0; i < a->num; i++)
        FUZZ_CHECK(libxl_device_vscsictrl_compare(&a->ctrls[i],
                                                  &b->ctrls[i]));
}

/* Into an empty object, and out again. */
static void there_and_back(const char *text, const hooks_list *list)
{
    hooks_list back = { .ctrls = NULL };
    bool found = false;
    char *with;

    with = hooks_json_add(text, list);
    if (!with)                  /* not JSON */
        return;
    if (*(text + strspn(text, " \t\r\n")) == '{') {
        FUZZ_CHECK(hooks_json_take(with, &back, &found));
        FUZZ_CHECK(found == (list->num > 0));
        check_same(&back, list);
    }
    hooks_list_dispose(&back);
    free(with);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    hooks_list list = { .ctrls = NULL }, one = { .ctrls = NULL }, none = one;
    libxl_device_vscsictrl ctrl;
    bool found = true;

    if (!hooks_json_take(text, &list, &found))
        FUZZ_CHECK(!list.ctrls && !list.num);
    FUZZ_CHECK(found || !list.num);
    there_and_back("{}", &list);
    there_and_back(text, &list);
    there_and_back(text, &none);
    hooks_list_dispose(&list);

    FUZZ_CHECK(!libxl_device_vscsictrl_from_json(NULL, &ctrl, "{}"));
    ctrl.devid = ctrl.idx = 3;
    one.ctrls = &ctrl;
    one.num = 1;
    there_and_back(text, &one);
    libxl_device_vscsictrl_dispose(&ctrl);
    free(text);
    return 0;
}
