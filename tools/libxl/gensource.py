# SPDX-License-Identifier: LGPL-2.1-only
"""Emits the C source: what the functions of each type do."""

import idl


def short(ty):
    """The name of a type's static functions begins with this."""
    return ty.name


def unions(ty):
    return [f for f in ty.fields if isinstance(f.type, idl.KeyedUnion)]


def indent(text, depth):
    pad = "    " * depth
    return "".join(pad + line if line.strip() else line
                   for line in text.splitlines(True))


def call(result, name, args, depth=0):
    """A call and what follows a failure: rc and s are returned."""
    head = "%s = %s(" % (result, name)
    line, lines = head, []
    for i, arg in enumerate(args):
        piece = arg + (", " if i + 1 < len(args) else ");")
        if 4 * depth + len((line + piece).rstrip()) > 75 and line != head:
            lines.append(line.rstrip())
            line = " " * len(head)
        line += piece
    failed = "rc" if result == "rc" else "s != yajl_gen_status_ok"
    return "\n".join(lines + [line]) + "\nif (%s)\n    return %s;\n" % (
        failed, result)


def function(head, args, body, arguments, static=False):
    return ("\n" + ("static " if static else "") +
            arguments(("static " if static else "") + head, args, "")
            [len("static ") if static else 0:] +
            "{\n" + indent(body, 1) + "}\n")


def switch(field, expr, bodies):
    """One case for each member; a key that is none of them does nothing."""
    out = "switch (%s) {\n" % expr
    for (number, word), body in zip(field.type.key_type.values, bodies):
        out += "case %s%s:\n" % (field.type.key_type.prefix, word)
        out += indent(body + "break;\n", 1)
    return out + "default:\n    break;\n}\n"


def member_prefix(field, word):
    return "%s.%s." % (field.name, word)


# ----- init and dispose -----

def init_fields(fields, at):
    """What differs from zeroed memory."""
    out = ""
    for f in fields:
        if isinstance(f.type, idl.Number) and f.type.init != "0":
            out += "%s%s = %s;\n" % (at, f.name, f.type.init)
        elif isinstance(f.type, idl.Struct):
            out += "%s_init(&%s%s);\n" % (f.type.cname, at, f.name)
    return out


def dispose_fields(ty, fields, at):
    out = ""
    for f in fields:
        if isinstance(f.type, idl.String):
            out += "free(%s%s);\n" % (at, f.name)
        elif isinstance(f.type, idl.Struct):
            out += "%s_dispose(&%s%s);\n" % (f.type.cname, at, f.name)
        elif isinstance(f.type, idl.Array):
            out += "for (i = 0; i < %s%s; i++)\n" % (at, f.type.count)
            out += "    %s_dispose(&%s%s[i]);\n" % (f.type.elem.cname, at,
                                                    f.name)
            out += "free(%s%s);\n" % (at, f.name)
        elif isinstance(f.type, idl.KeyedUnion) and f.type.owns:
            out += "dispose_%s_%s(p);\n" % (short(ty), f.type.key)
    return out


def emit_lifetime(ty, protos, arguments):
    out = ""
    for f in unions(ty):
        key = f.type.key
        if f.type.owns:
            bodies = ["" if m is None else
                      dispose_fields(ty, m.fields,
                                     "p->" + member_prefix(f, word))
                      for word, m in f.type.members]
            out += function("void dispose_%s_%s" % (short(ty), key),
                            [ty.cname + " *p"],
                            switch(f, "p->" + key, bodies), arguments, True)
        bodies = ["" if m is None else
                  init_fields(m.fields, "p->" + member_prefix(f, word))
                  for word, m in f.type.members]
        body = "dispose_%s_%s(p);\n" % (short(ty), key) if f.type.owns else ""
        body += "memset(&p->%s, 0, sizeof(p->%s));\n" % (f.name, f.name)
        body += "p->%s = val;\n" % key + switch(f, "val", bodies)
        out += function(*protos["init_" + key], body, arguments)
    body = "memset(p, 0, sizeof(*p));\n" + init_fields(ty.fields, "p->")
    out += function(*protos["init"], body, arguments)
    body = dispose_fields(ty, ty.fields, "p->")
    body = ("int i;\n\n" if "i++" in body else "") + \
        "if (!p)\n    return;\n" + body + "%s_init(p);\n" % ty.cname
    return out + function(*protos["dispose"], body, arguments)


# ----- copy and compare -----

def copy_fields(ty, fields, to, at):
    """Code that sets rc and jumps to out where that is not 0."""
    out = ""
    for f in fields:
        dst, src = to + f.name, at + f.name
        if isinstance(f.type, idl.String):
            out += "rc = libxl__vscsi_string_copy(&%s, %s);\n" % (dst, src)
        elif isinstance(f.type, idl.Struct):
            out += "rc = %s_copy(ctx, &%s, &%s);\n" % (f.type.cname, dst, src)
        elif isinstance(f.type, idl.KeyedUnion):
            out += "rc = copy_%s_%s(ctx, &tmp, src);\n" % (short(ty),
                                                           f.type.key)
        elif isinstance(f.type, idl.Array):
            out += ("if (src->{n} > 0) {{\n"
                    "    tmp.{f} = calloc((size_t)src->{n},\n"
                    "        sizeof(*tmp.{f}));\n"
                    "    if (!tmp.{f}) {{\n"
                    "        rc = ERROR_NOMEM;\n"
                    "        goto out;\n"
                    "    }}\n"
                    "}}\n"
                    "for (i = 0; i < src->{n}; i++) {{\n"
                    "    tmp.{n} = i + 1;\n"
                    "    rc = {t}_copy(ctx, &tmp.{f}[i],\n"
                    "        &src->{f}[i]);\n"
                    "    if (rc)\n"
                    "        goto out;\n"
                    "}}\n").format(n=f.type.count, f=f.name,
                                   t=f.type.elem.cname)
            continue
        else:
            out += "%s = %s;\n" % (dst, src)
            continue
        out += "if (rc)\n    goto out;\n"
    return out


def emit_union_copy(ty, f, arguments):
    bodies = []
    for word, member in f.type.members:
        at = member_prefix(f, word)
        body = "" if member is None else copy_fields(
            ty, member.fields, "dst->" + at, "src->" + at)
        bodies.append(body)
    switched = switch(f, "src->" + f.type.key, bodies)
    body = "int rc = 0;\n\n" + ("" if "ctx" in switched else "(void)ctx;\n")
    body += "%s_init_%s(dst, src->%s);\n" % (ty.cname, f.type.key, f.type.key)
    body += switched + ("out:\n" if "goto out" in switched else "")
    text = function("int copy_%s_%s" % (short(ty), f.type.key),
                    ["libxl_ctx *ctx", ty.cname + " *dst",
                     "const %s *src" % ty.cname],
                    body + "return rc;\n", arguments, True)
    return text.replace("    out:\n", "out:\n")


def emit_copy(ty, protos, arguments):
    out = "".join(emit_union_copy(ty, f, arguments) for f in unions(ty)
                  if ty.owns)
    if not ty.owns:
        return out + function(*protos["copy"],
                              "(void)ctx;\n*dst = *src;\nreturn 0;\n",
                              arguments)
    fields = copy_fields(ty, ty.fields, "tmp.", "src->")
    body = "%s tmp;\nint rc;\n" % ty.cname
    body += "int i;\n\n" if "i++" in fields else "\n"
    body += "" if "ctx" in fields else "(void)ctx;\n"
    body += "%s_init(&tmp);\n" % ty.cname + fields
    body += "rc = 0;\nout:\nif (rc)\n    %s_dispose(&tmp);\n" % ty.cname
    body += "*dst = tmp;\nreturn rc;\n"
    return out + function(*protos["copy"], body, arguments).replace(
        "    out:\n", "out:\n")


def compare_fields(ty, fields, at):
    out = ""
    for f in fields:
        a, b = "a->%s%s" % (at, f.name), "b->%s%s" % (at, f.name)
        if isinstance(f.type, idl.String):
            test = "!libxl__vscsi_string_equal(%s, %s)" % (a, b)
        elif isinstance(f.type, idl.Defbool):
            test = "!libxl__vscsi_defbool_equal(%s, %s)" % (a, b)
        elif isinstance(f.type, idl.Struct):
            test = "!%s_compare(&%s, &%s)" % (f.type.cname, a, b)
        elif isinstance(f.type, idl.KeyedUnion):
            test = "!compare_%s_%s(a, b)" % (short(ty), f.type.key)
        elif isinstance(f.type, idl.Array):
            count, elem = f.type.count, f.type.elem.cname
            out += "if (a->%s != b->%s)\n    return 0;\n" % (count, count)
            out += "for (i = 0; i < a->%s; i++)\n" % count
            out += "    if (!%s_compare(&%s[i],\n            &%s[i]))\n" % (
                elem, a, b)
            out += "        return 0;\n"
            continue
        else:
            test = "%s != %s" % (a, b)
        out += "if (%s)\n    return 0;\n" % test
    return out


def emit_compare(ty, protos, arguments):
    out = ""
    for f in unions(ty):
        key = f.type.key
        bodies = ["" if m is None else
                  compare_fields(ty, m.fields, member_prefix(f, word))
                  for word, m in f.type.members]
        body = "if (a->%s != b->%s)\n    return 0;\n" % (key, key)
        body += switch(f, "a->" + key, bodies) + "return 1;\n"
        out += function("int compare_%s_%s" % (short(ty), key),
                        ["const %s *a" % ty.cname, "const %s *b" % ty.cname],
                        body, arguments, True)
    body = compare_fields(ty, ty.fields, "") + "return 1;\n"
    if "i++" in body:
        body = "int i;\n\n" + body
    return out + function(*protos["compare"], body, arguments)


# ----- JSON -----

def gen_fields(ty, fields, at):
    out = ""
    for f in fields:
        key, value = '"%s"' % f.name, at + f.name
        if isinstance(f.type, idl.Number):
            out += call("s", "libxl__vscsi_gen_" + f.type.kind,
                        ["hand", key, value, f.type.init])
        elif isinstance(f.type, (idl.String, idl.Bool, idl.Defbool)):
            out += call("s", "libxl__vscsi_gen_" + f.type.name,
                        ["hand", key, value])
        elif isinstance(f.type, idl.Struct):
            out += call("s", "libxl__vscsi_gen_key", ["hand", key])
            out += call("s", f.type.cname + "_gen_json",
                        ["hand", "&" + value])
        elif isinstance(f.type, idl.KeyedUnion):
            out += call("s", "gen_%s_%s" % (short(ty), f.type.key),
                        ["hand", "p"])
        elif isinstance(f.type, idl.Array):
            body = call("s", "libxl__vscsi_gen_key", ["hand", key])
            body += call("s", "yajl_gen_array_open", ["hand"])
            loop = call("s", f.type.elem.cname + "_gen_json",
                        ["hand", "&%s[i]" % value], 3)
            body += "for (i = 0; i < %s%s; i++) {\n" % (at, f.type.count)
            body += indent(loop, 1) + "}\n"
            body += call("s", "yajl_gen_array_close", ["hand"])
            out += "if (%s%s > 0) {\n" % (at, f.type.count)
            out += indent(body, 1) + "}\n"
    return out


def gen_map(fields):
    return (call("s", "yajl_gen_map_open", ["hand"]) + fields +
            "return yajl_gen_map_close(hand);\n")


def emit_gen(ty, protos, arguments):
    out = ""
    for f in unions(ty):
        bodies = []
        for word, member in f.type.members:
            body = call("s", "libxl__vscsi_gen_key",
                        ["hand", '"%s.%s"' % (f.type.key, word)])
            body += call("s", "yajl_gen_map_open", ["hand"])
            if member is not None:
                body += gen_fields(ty, member.fields,
                                   "p->" + member_prefix(f, word))
            bodies.append(body + "return yajl_gen_map_close(hand);\n")
        body = "yajl_gen_status s;\n\n"
        body += switch(f, "p->" + f.type.key, bodies)
        body = body.replace("(hand);\n    break;\n", "(hand);\n")
        # there is no key to write
        body += "return yajl_gen_invalid_string;\n"
        out += function("yajl_gen_status gen_%s_%s" % (short(ty), f.type.key),
                        ["yajl_gen hand", "const %s *p" % ty.cname],
                        body, arguments, True)
    fields = gen_fields(ty, ty.fields, "p->")
    body = "yajl_gen_status s;\n"
    body += "int i;\n\n" if "i++" in fields else "\n"
    return out + function(*protos["gen_json"], body + gen_map(fields),
                          arguments)


def parse_fields(ty, fields, at, node):
    out = ""
    for f in fields:
        key, value = '"%s"' % f.name, at + f.name
        if isinstance(f.type, idl.Number):
            out += call("rc", "libxl__vscsi_json_" + f.type.kind,
                        [node, key, "&" + value])
        elif isinstance(f.type, (idl.String, idl.Bool, idl.Defbool)):
            out += call("rc", "libxl__vscsi_json_" + f.type.name,
                        [node, key, "&" + value])
        elif isinstance(f.type, idl.Struct):
            out += call("rc", "libxl__vscsi_json_member", [node, key, "&v"])
            out += "if (v)\n    rc = parse_%s(v, &%s);\n" % (short(f.type),
                                                            value)
            out += "if (rc)\n    return rc;\n"
        elif isinstance(f.type, idl.KeyedUnion):
            out += call("rc", "parse_%s_%s" % (short(ty), f.type.key),
                        [node, "p"])
        elif isinstance(f.type, idl.Array):
            out += call("rc", "libxl__vscsi_json_array",
                        [node, key, "&values", "&num"])
            out += ("if (num) {{\n"
                    "    {v} = calloc((size_t)num, sizeof(*{v}));\n"
                    "    if (!{v})\n"
                    "        return ERROR_NOMEM;\n"
                    "}}\n"
                    "for (i = 0; i < num; i++) {{\n"
                    "    {t}_init(&{v}[i]);\n"
                    "    {at}{n} = i + 1;\n"
                    "    rc = parse_{s}(values[i], &{v}[i]);\n"
                    "    if (rc)\n"
                    "        return rc;\n"
                    "}}\n").format(v=value, t=f.type.elem.cname, at=at,
                                   n=f.type.count, s=short(f.type.elem))
    return out


def check_keys(ty, fields, node):
    """No member but these."""
    keys = []
    for f in fields:
        if isinstance(f.type, idl.KeyedUnion):
            keys += ["%s.%s" % (f.type.key, word)
                     for word, _ in f.type.members]
        else:
            keys.append(f.name)
    return call("rc", "libxl__vscsi_json_check_keys",
                [node] + ['"%s"' % key for key in keys] + ["(const char *)NULL"])


def declarations(body):
    out = "yajl_val v;\n" if "&v)" in body else ""
    if "&values" in body:
        out += "yajl_val *values;\nint num, i;\n"
    return out + "int rc;\n\n"


def emit_parse(ty, arguments):
    """On failure *p may be half filled; from_json disposes of it."""
    out = ""
    for f in unions(ty):
        key, body = f.type.key, ""
        last = f.type.members[-1][0]
        for (word, member), (_, name) in zip(f.type.members,
                                             f.type.key_type.values):
            body += call("rc", "libxl__vscsi_json_member",
                         ["o", '"%s.%s"' % (key, word), "&member"])
            inner = "if (found || !YAJL_IS_OBJECT(member))\n"
            inner += "    return ERROR_INVAL;\n"
            inner += "found = true;\n" if word != last else ""
            inner += "%s_init_%s(p,\n    %s%s);\n" % (
                ty.cname, key, f.type.key_type.prefix, name)
            if member is not None:
                inner += parse_fields(ty, member.fields,
                                      "p->" + member_prefix(f, word),
                                      "member")
            inner += check_keys(ty, member.fields if member else [],
                                "member")
            body += "if (member) {\n" + indent(inner, 1) + "}\n"
        head = "bool found = false;\nyajl_val member;\n" + declarations(body)
        out += function("int parse_%s_%s" % (short(ty), key),
                        ["yajl_val o", ty.cname + " *p"],
                        head + body + "return 0;\n", arguments, True)
    body = parse_fields(ty, ty.fields, "p->", "o")
    body += check_keys(ty, ty.fields, "o")
    return out + function("int parse_" + short(ty),
                          ["yajl_val o", ty.cname + " *p"],
                          declarations(body) + body + "return 0;\n",
                          arguments, True)


def emit_text(ty, protos, arguments):
    body = ("yajl_gen hand = libxl__vscsi_gen_open();\n\n(void)ctx;\n"
            "if (!hand)\n    return NULL;\n"
            "return libxl__vscsi_gen_close(hand,\n"
            "    {0}_gen_json(hand, {1}p));\n")
    is_enum = isinstance(ty, idl.Enumeration)
    out = function(*protos["to_json"],
                   body.format(ty.cname, "&" if is_enum else ""), arguments)
    if is_enum:
        body = ("yajl_val root;\nint value;\nint rc;\n\n(void)ctx;\n" +
                call("rc", "libxl__vscsi_json_parse", ["s", "&root"]) +
                "rc = libxl__vscsi_json_enum(root, {0}_string_table,\n"
                "    &value);\n"
                "yajl_tree_free(root);\n"
                "if (!rc)\n    *p = ({0})value;\nreturn rc;\n")
        return out + function(*protos["from_json"], body.format(ty.cname),
                              arguments)
    body = ("yajl_val root;\nint rc;\n\n(void)ctx;\n{0}_init(p);\n" +
            call("rc", "libxl__vscsi_json_parse", ["s", "&root"]) +
            "rc = parse_{1}(root, p);\nyajl_tree_free(root);\n"
            "if (rc)\n    {0}_dispose(p);\nreturn rc;\n")
    return out + function(*protos["from_json"],
                          body.format(ty.cname, short(ty)), arguments)


def emit_enum(ty, protos, arguments):
    table = ty.cname + "_string_table"
    out = "\nlibxl_enum_string_table %s[] = {\n" % table
    for _, word in ty.values:
        out += '    { "%s", %s%s },\n' % (word.lower(), ty.prefix, word)
    out += "    { NULL, 0 },\n};\n"
    out += function(*protos["to_string"],
                    "return libxl__vscsi_enum_word(%s,\n    (int)p);\n"
                    % table, arguments)
    body = "int value;\nint rc;\n\nrc = libxl__vscsi_enum_value(%s, s,\n" \
        "    &value);\nif (!rc)\n    *e = (%s)value;\nreturn rc;\n"
    out += function(*protos["from_string"], body % (table, ty.cname),
                    arguments)
    out += function(*protos["gen_json"], "return libxl__vscsi_gen_word(hand,"
                    "\n    %s_to_string(*p));\n" % ty.cname, arguments)
    return out + emit_text(ty, protos, arguments)


def emit(types, include, functions, arguments):
    out = "#include <stdlib.h>\n#include <string.h>\n\n"
    out += '#include "libxl_vscsi_json.h"\n#include "%s"\n' % include
    for ty in types:
        protos = functions(ty)
        if isinstance(ty, idl.Enumeration):
            out += emit_enum(ty, protos, arguments)
            continue
        for part in (emit_lifetime, emit_copy, emit_compare, emit_gen):
            out += part(ty, protos, arguments)
        out += emit_parse(ty, arguments) + emit_text(ty, protos, arguments)
    return out
