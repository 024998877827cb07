/* SPDX-License-Identifier: LGPL-2.1-only */
/* A domain's definition in libvirt's XML: what it says of SCSI devices. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

#include <libxlutil_vscsi.h>

#include "hook.h"

#define HOSTDEVS "/domain/devices/hostdev[@mode='subsystem' and " \
                 "(@type='scsi' or @type='scsi_host')]"
#define DISKS "/domain/devices/disk[@type='block']/source/@dev"
#define DEVICES "/domain/metadata/v:devices"

void definition_init(definition *def)
{
    memset(def, 0, sizeof(*def));
    def->domid = -1;
}

void definition_dispose(definition *def)
{
    int i;

    free(def->name);
    for (i = 0; i < def->num_disks; i++)
        free(def->disks[i]);
    free(def->disks);
    libxl_device_vscsictrl_list_free(def->ctrls, def->num);
    definition_init(def);
}

/* ----- reading XML ----- */

static void no_words(void *arg, const char *fmt, ...)
{
    (void)arg, (void)fmt;
}

/* Nothing is loaded that the text names. */
static xmlDocPtr parse(const char *text, size_t length)
{
    xmlSetGenericErrorFunc(NULL, no_words);
    if (length > DEFINITION_MAX)
        return NULL;
    return xmlReadMemory(text, (int)length, "domain.xml", NULL,
                         XML_PARSE_NONET | XML_PARSE_NOERROR |
                         XML_PARSE_NOWARNING);
}

/* What expr finds, to be freed with xmlXPathFreeObject(); NULL: nothing could
 * be looked for. */
static xmlXPathObjectPtr find(xmlXPathContextPtr at, const char *expr)
{
    xmlXPathObjectPtr found = xmlXPathEvalExpression(BAD_CAST expr, at);

    if (found && found->type != XPATH_NODESET) {
        xmlXPathFreeObject(found);
        return NULL;
    }
    return found;
}

static int count(const xmlXPathObject *found)
{
    return found->nodesetval ? found->nodesetval->nodeNr : 0;
}

/* The text of the one node that expr finds; NULL where there is none. */
static char *find_text(xmlXPathContextPtr at, const char *expr)
{
    xmlXPathObjectPtr found = find(at, expr);
    xmlChar *content = NULL;
    char *text = NULL;

    if (found && count(found) == 1)
        content = xmlNodeGetContent(found->nodesetval->nodeTab[0]);
    if (content)
        text = strdup((const char *)content);
    xmlFree(content);
    xmlXPathFreeObject(found);
    return text;
}

static bool has(xmlXPathContextPtr at, const char *expr)
{
    xmlXPathObjectPtr found = find(at, expr);
    bool any = found && count(found);

    xmlXPathFreeObject(found);
    return any;
}

static xmlXPathContextPtr context_of(xmlDocPtr doc)
{
    xmlXPathContextPtr at = xmlXPathNewContext(doc);

    if (at && xmlXPathRegisterNs(at, BAD_CAST "v", BAD_CAST DEFINITION_URI)) {
        xmlXPathFreeContext(at);
        return NULL;
    }
    return at;
}

/* What is wrong with the text. */
static bool fail(char **msg_r, const char *text)
{
    *msg_r = strdup(text);
    return false;
}

/* A number as libvirt writes it, of at most max. */
static bool parse_number(const char *text, unsigned long max,
                         unsigned long *number_r)
{
    unsigned long number;

    if (!*text || strlen(text) > 10 ||
        text[strspn(text, "0123456789")] != '\0')
        return false;
    number = strtoul(text, NULL, 10);
    if (number > max)
        return false;
    *number_r = number;
    return true;
}

static bool read_number(xmlXPathContextPtr at, const char *expr,
                        unsigned long max, unsigned long *number_r)
{
    char *text = find_text(at, expr);
    bool ok = text && parse_number(text, max, number_r);

    free(text);
    return ok;
}

/* ----- <hostdev> ----- */

static bool read_host(xmlXPathContextPtr at, unsigned long *host_r)
{
    static const char prefix[] = "scsi_host";
    char *name = find_text(at, "source/adapter/@name");
    bool ok = name && !strncmp(name, prefix, sizeof(prefix) - 1) &&
              parse_number(name + sizeof(prefix) - 1, UINT32_MAX, host_r);

    free(name);
    return ok;
}

/* The same as a text of domU.cfg. */
static char *spec_of_hostdev(xmlXPathContextPtr at, char **msg_r)
{
    unsigned long p[4], v[4];
    char *spec;

    *msg_r = NULL;
    if (has(at, "self::node()[@type='scsi_host']"))
        return fail(msg_r, "<hostdev type='scsi_host'>: vhost is not for Xen"
                    " (use type='scsi')"), NULL;
    if (has(at, "source[@protocol]"))
        return fail(msg_r, "<hostdev type='scsi'>: iSCSI: log in with "
                    "iscsiadm, and give the disk that dom0 gets"), NULL;
    if (has(at, "readonly"))
        return fail(msg_r, "<hostdev type='scsi'>: <readonly/>: a guest that"
                    " has a SCSI device can write to it"), NULL;
    if (!read_host(at, &p[0]) ||
        !read_number(at, "source/address/@bus", UINT32_MAX, &p[1]) ||
        !read_number(at, "source/address/@target", UINT32_MAX, &p[2]) ||
        !read_number(at, "source/address/@unit", UINT32_MAX, &p[3]))
        return fail(msg_r, "<hostdev type='scsi'>: <source> needs <adapter "
                    "name='scsi_hostN'/> and <address bus= target= unit=>"),
               NULL;
    if (!read_number(at, "address[@type='drive']/@controller", UINT32_MAX,
                     &v[0]) ||
        !read_number(at, "address/@bus", UINT32_MAX, &v[1]) ||
        !read_number(at, "address/@target", UINT32_MAX, &v[2]) ||
        !read_number(at, "address/@unit", UINT32_MAX, &v[3]))
        return fail(msg_r, "<hostdev type='scsi'>: <address type='drive' "
                    "controller= bus= target= unit=> is missing"), NULL;
    if (asprintf(&spec, "%lu:%lu:%lu:%lu,%lu:%lu:%lu:%lu%s%s", p[0], p[1],
                 p[2], p[3], v[0], v[1], v[2], v[3],
                 has(at, "self::node()[@rawio='yes']") ? ",feature-host" : "",
                 has(at, "shareable") ? ",shareable" : "") < 0)
        return NULL;
    return spec;
}

/* ----- all devices ----- */

static bool add_spec(definition *def, const char *spec, char **msg_r)
{
    *msg_r = NULL;
    return !xlu_vscsi_config_add(spec, &def->ctrls, &def->num, msg_r);
}

static bool add_hostdevs(xmlXPathContextPtr at, definition *def, char **msg_r)
{
    xmlXPathObjectPtr found = find(at, HOSTDEVS);
    bool ok = found;
    char *spec;
    int i;

    for (i = 0; ok && i < count(found); i++) {
        at->node = found->nodesetval->nodeTab[i];
        spec = spec_of_hostdev(at, msg_r);
        ok = spec && add_spec(def, spec, msg_r);
        free(spec);
    }
    at->node = NULL;
    xmlXPathFreeObject(found);
    return ok;
}

/* An element that is not known may be one that matters. */
static bool check_devices(const xmlNode *devices, char **msg_r)
{
    const xmlNode *n;

    for (n = devices->children; n; n = n->next) {
        if (n->type == XML_COMMENT_NODE ||
            (n->type == XML_TEXT_NODE && xmlIsBlankNode(n)))
            continue;
        if (n->type != XML_ELEMENT_NODE || !n->ns ||
            strcmp((const char *)n->ns->href, DEFINITION_URI) ||
            strcmp((const char *)n->name, "device") || n->properties)
            return fail(msg_r, "<metadata>: in <devices> of " DEFINITION_URI
                        " are only <device>PDEV,VDEV[,OPTION...]</device>");
    }
    return true;
}

static char *spec_of_device(const xmlNode *device)
{
    xmlChar *content = xmlNodeGetContent(device);
    const char *begin = (const char *)content;
    char *spec = NULL;
    size_t length;

    if (content) {
        begin += strspn(begin, " \t\r\n");
        length = strlen(begin);
        while (length && strchr(" \t\r\n", begin[length - 1]))
            length--;
        spec = strndup(begin, length);
    }
    xmlFree(content);
    return spec;
}

static bool add_devices(xmlXPathContextPtr at, definition *def, char **msg_r)
{
    xmlXPathObjectPtr found = find(at, DEVICES);
    const xmlNode *n;
    bool ok = found;
    char *spec;
    int i;

    for (i = 0; ok && i < count(found); i++) {
        const xmlNode *devices = found->nodesetval->nodeTab[i];

        ok = check_devices(devices, msg_r);
        for (n = devices->children; ok && n; n = n->next) {
            if (n->type != XML_ELEMENT_NODE)
                continue;
            spec = spec_of_device(n);
            ok = spec && add_spec(def, spec, msg_r);
            free(spec);
        }
    }
    xmlXPathFreeObject(found);
    return ok;
}

static bool add_disks(xmlXPathContextPtr at, definition *def)
{
    xmlXPathObjectPtr found = find(at, DISKS);
    bool ok = found;
    xmlChar *path;
    int i;

    if (ok)
        def->disks = calloc((size_t)count(found) + 1, sizeof(*def->disks));
    ok = ok && def->disks;
    for (i = 0; ok && i < count(found); i++) {
        path = xmlNodeGetContent(found->nodesetval->nodeTab[i]);
        def->disks[i] = path ? strdup((const char *)path) : NULL;
        ok = def->disks[i];
        def->num_disks += ok;
        xmlFree(path);
    }
    xmlXPathFreeObject(found);
    return ok;
}

static bool read_head(xmlXPathContextPtr at, definition *def)
{
    unsigned long domid;
    char *uuid;
    bool ok;

    def->name = find_text(at, "/domain/name");
    uuid = find_text(at, "/domain/uuid");
    ok = def->name && *def->name && !strchr(def->name, '/') && uuid &&
         !libxl_uuid_from_string(&def->uuid, uuid);
    free(uuid);
    if (ok && has(at, "/domain/@id")) {
        ok = read_number(at, "/domain/@id", INT_MAX, &domid);
        if (ok)
            def->domid = (int)domid;
    }
    return ok;
}

bool definition_read(const char *xml, size_t length, definition *def_r,
                     char **msg_r)
{
    xmlDocPtr doc = parse(xml, length);
    xmlXPathContextPtr at;
    definition def;
    bool ok;

    *msg_r = NULL;
    if (!doc)
        return fail(msg_r, "it is not XML");
    definition_init(&def);
    at = context_of(doc);
    ok = at;
    if (ok && !read_head(at, &def))
        ok = fail(msg_r, "it is no <domain> with a <name> and a <uuid>");
    ok = ok && add_hostdevs(at, &def, msg_r) && add_devices(at, &def, msg_r) &&
         add_disks(at, &def);
    xmlXPathFreeContext(at);
    xmlFreeDoc(doc);
    if (!ok) {
        def_r->name = def.name;
        def.name = NULL;
        definition_dispose(&def);
        return false;
    }
    *def_r = def;
    return true;
}

/* ----- changing <devices> ----- */

static bool is_at(const libxl_vscsi_hctl *vdev, const char *place)
{
    libxl_vscsi_hctl its = *vdev, there;
    libxl_devid devid;

    if (!xlu_vscsi_parse_vdev(place, &there, NULL))
        return libxl_vscsi_hctl_compare(&its, &there);
    return !xlu_vscsi_parse_ctrl(place, &devid, NULL) &&
           its.hst == (uint32_t)devid;
}

static bool is_meant(const char *spec, char *const *out, int num_out)
{
    libxl_device_vscsictrl ctrl;
    bool meant = false;
    int i;

    libxl_device_vscsictrl_init(&ctrl);
    if (!xlu_vscsi_parse(spec, &ctrl, NULL))
        for (i = 0; i < num_out; i++)
            meant |= is_at(&ctrl.vscsidevs[0].vdev, out[i]);
    libxl_device_vscsictrl_dispose(&ctrl);
    return meant;
}

bool definition_has(const definition *def, const char *place)
{
    int i, j;

    for (i = 0; i < def->num; i++)
        for (j = 0; j < def->ctrls[i].num_vscsidevs; j++)
            if (is_at(&def->ctrls[i].vscsidevs[j].vdev, place))
                return true;
    return false;
}

static bool add_device(xmlNodePtr devices, const char *spec)
{
    return xmlNewTextChild(devices, NULL, BAD_CAST "device", BAD_CAST spec);
}

/* The devices of old that are not meant; false: memory ran out. */
static bool keep_others(const xmlNode *old, xmlNodePtr devices,
                        char *const *out, int num_out)
{
    const xmlNode *n;
    bool ok = true;
    char *spec;

    for (n = old->children; ok && n; n = n->next) {
        if (n->type != XML_ELEMENT_NODE)
            continue;
        spec = spec_of_device(n);
        ok = spec && (is_meant(spec, out, num_out) ||
                      add_device(devices, spec));
        free(spec);
    }
    return ok;
}

static char *text_of(xmlDocPtr doc)
{
    xmlBufferPtr buffer = xmlBufferCreate();
    char *text = NULL;

    if (buffer && xmlNodeDump(buffer, doc, xmlDocGetRootElement(doc), 0,
                              1) >= 0)
        text = strdup((const char *)xmlBufferContent(buffer));
    xmlBufferFree(buffer);
    return text;
}

/* In no namespace: libvirt puts what it is given into the right one. */
static xmlDocPtr empty_devices(void)
{
    xmlDocPtr doc = xmlNewDoc(BAD_CAST "1.0");
    xmlNodePtr root = doc ? xmlNewNode(NULL, BAD_CAST "devices") : NULL;

    if (root)
        xmlDocSetRootElement(doc, root);
    if (root)
        return doc;
    xmlFreeDoc(doc);
    return NULL;
}

bool definition_change(const char *xml, char *const *out, int num_out,
                       char *const *in, int num_in, char **text_r,
                       char **msg_r)
{
    xmlDocPtr old = parse(xml, strlen(xml)), new = empty_devices();
    xmlXPathContextPtr at = old ? context_of(old) : NULL;
    xmlXPathObjectPtr found = at ? find(at, DEVICES) : NULL;
    xmlNodePtr devices = new ? xmlDocGetRootElement(new) : NULL;
    bool ok = found && devices;
    char *text = NULL;
    int i;

    *msg_r = NULL;
    for (i = 0; ok && i < count(found); i++) {
        const xmlNode *n = found->nodesetval->nodeTab[i];

        ok = check_devices(n, msg_r) &&
             keep_others(n, devices, out, num_out);
    }
    for (i = 0; ok && i < num_in; i++)
        ok = add_device(devices, in[i]);
    if (ok && devices->children) {
        text = text_of(new);
        ok = text;
    }
    xmlXPathFreeObject(found);
    xmlXPathFreeContext(at);
    xmlFreeDoc(old);
    xmlFreeDoc(new);
    if (ok)
        *text_r = text;
    return ok;
}
