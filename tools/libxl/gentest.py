# SPDX-License-Identifier: LGPL-2.1-only
"""Emits the round-trip test: every promise of the header, for every type."""

import idl

PREAMBLE = r"""
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "@INCLUDE@"

#define ROUNDS 200

static uint64_t random_state;

static uint64_t random_number(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* From low to high, often one of the two or near it. */
static uint64_t random_unsigned(uint64_t high)
{
    uint64_t n = random_number();

    switch (random_number() % 4) {
    case 0: return n % 3;
    case 1: return high - n % 2;
    default: return high == UINT64_MAX ? n : n % (high + 1);
    }
}

static int random_int(void)
{
    uint32_t n = (uint32_t)random_unsigned(UINT32_MAX);

    return n > INT32_MAX ? -1 - (int)(n - INT32_MAX - 1) : (int)n;
}

static char *random_string(void)
{
    static const char *const bits[] = {
        "a", "Z", "0", " ", "/", ":", "\"", "\\", "\n", "\t", "\x01", "\x7f",
        "{", "]", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x92\xbe", "\\u0000",
    };
    size_t left = random_number() % 24;
    char text[24 * 6 + 1] = "";
    char *copy;

    if (!(random_number() % 5))
        return NULL;
    while (left--)
        strncat(text, bits[random_number() % (sizeof(bits) / sizeof(*bits))],
                sizeof(text) - strlen(text) - 1);
    copy = strdup(text);
    assert_non_null(copy);
    return copy;
}

static int read_seed(void **state)
{
    const char *text = getenv("LIBXL_TESTIDL_SEED");
    FILE *f;

    (void)state;
    if (text) {
        random_state = strtoull(text, NULL, 0);
    } else {
        f = fopen("/dev/urandom", "r");
        if (!f || fread(&random_state, sizeof(random_state), 1, f) != 1)
            return -1;
        fclose(f);
    }
    if (!random_state)
        random_state = 1;
    print_message("LIBXL_TESTIDL_SEED=%llu\n",
                  (unsigned long long)random_state);
    return 0;
}
"""

STRUCT_TESTS = r"""
static void @S@_survives_json_and_copy(void **state)
{
    @T@ a, b, c;
    unsigned round;
    char *text, *again;

    (void)state;
    for (round = 0; round < ROUNDS; round++) {
        @T@_init(&a);
        if (round)
            fill_@S@(&a);
        text = @T@_to_json(NULL, &a);
        assert_non_null(text);
        memset(&b, 0x55, sizeof(b));
        assert_int_equal(@T@_from_json(NULL, &b, text), 0);
        assert_true(@T@_compare(&a, &b));
        again = @T@_to_json(NULL, &b);
        assert_string_equal(text, again);
        memset(&c, 0x55, sizeof(c));
        assert_int_equal(@T@_copy(NULL, &c, &b), 0);
        @T@_dispose(&b);
        assert_true(@T@_compare(&a, &c));
        @T@_dispose(&a);
        @T@_dispose(&c);
        free(text);
        free(again);
    }
}

static void @S@_is_empty_after_dispose(void **state)
{
    @T@ p, empty;

    (void)state;
    @T@_init(&empty);
    @T@_init(&p);
    fill_@S@(&p);
    @T@_dispose(&p);
    assert_true(@T@_compare(&p, &empty));
    @T@_dispose(&p);
    assert_true(@T@_compare(&p, &empty));
    @T@_dispose(NULL);
}

static void expect_@S@(const char *text, int rc)
{
    @T@ p, empty;

    @T@_init(&empty);
    memset(&p, 0x55, sizeof(p));
    if (@T@_from_json(NULL, &p, text) != rc)
        fail_msg("%s: expected %d", text, rc);
    if (rc)
        assert_true(@T@_compare(&p, &empty));
    @T@_dispose(&p);
}

static void @S@_differs_where_a_member_does(void **state)
{
    @T@ p, empty;
    size_t i;
    static const char *const texts[] = {
@DIFFERENT@    };

    (void)state;
    @T@_init(&empty);
    for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        assert_int_equal(@T@_from_json(NULL, &p, texts[i]), 0);
        if (@T@_compare(&p, &empty) || @T@_compare(&empty, &p))
            fail_msg("%s: is said to be empty", texts[i]);
        @T@_dispose(&p);
    }
}

static void @S@_takes_the_whole_range(void **state)
{
    static const char *const texts[] = {
        "{}", " { } ",
@RIGHT@    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        expect_@S@(texts[i], 0);
}

static void @S@_refuses_wrong_values(void **state)
{
    static const char *const texts[] = {
        "", " ", "null", "1", "\"\"", "[]", "{} {}", "{}x", "/**/{}", "}{",
        "{\"no such member\": [{\"a\": null}]}",
        "{\"x\": \"\\u0000\"}", "{\"x\": \"\xff\"}",
@WRONG@    };
    size_t i;

    (void)state;
    expect_@S@(NULL, ERROR_INVAL);
    for (i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        expect_@S@(texts[i], ERROR_INVAL);
}

static void @S@_refuses_text_cut_short(void **state)
{
    unsigned round;
    char *text;
    size_t len;
    @T@ p;

    (void)state;
    for (round = 0; round < 3; round++) {
        @T@_init(&p);
        fill_@S@(&p);
        text = @T@_to_json(NULL, &p);
        assert_non_null(text);
        len = strlen(text);
        while (len && isspace((unsigned char)text[len - 1]))
            len--;
        while (len--) {
            text[len] = '\0';
            expect_@S@(text, ERROR_INVAL);
        }
        free(text);
        @T@_dispose(&p);
    }
}
"""

ENUM_TEST = r"""
static void @S@_survives_string_and_json(void **state)
{
    static const @T@ values[] = {
@VALUES@    };
    size_t i, len, num = sizeof(values) / sizeof(*values);
    char *text;
    @T@ e;

    (void)state;
    for (i = 0; i < num; i++) {
        e = values[(i + 1) % num];
        assert_int_equal(@T@_from_string(@T@_to_string(values[i]), &e), 0);
        assert_int_equal(e, values[i]);
        assert_string_equal(@T@_string_table[i].s, @T@_to_string(e));
        e = values[(i + 1) % num];
        text = @T@_to_json(NULL, values[i]);
        assert_non_null(text);
        assert_int_equal(@T@_from_json(NULL, &e, text), 0);
        assert_int_equal(e, values[i]);
        for (len = strcspn(text, "\n"); len--;) {
            text[len] = '\0';
            assert_int_equal(@T@_from_json(NULL, &e, text), ERROR_INVAL);
            assert_int_equal(e, values[i]);
        }
        free(text);
    }
    assert_null(@T@_string_table[num].s);
}

static void @S@_refuses_what_is_no_value(void **state)
{
    @T@ e = values_first_@S@;

    (void)state;
    assert_int_equal(@T@_from_string("no such word", &e), ERROR_FAIL);
    assert_int_equal(@T@_from_string("", &e), ERROR_FAIL);
    assert_int_equal(@T@_from_json(NULL, &e, "0"), ERROR_INVAL);
    assert_int_equal(@T@_from_json(NULL, &e, "\"?\""), ERROR_INVAL);
    assert_int_equal(@T@_from_json(NULL, &e, "null"), ERROR_INVAL);
    assert_int_equal(e, values_first_@S@);
    assert_null(@T@_to_string((@T@)@UNKNOWN@));
    assert_null(@T@_to_json(NULL, (@T@)@UNKNOWN@));
}
"""

STRUCT_CASES = ("survives_json_and_copy", "is_empty_after_dispose",
                "differs_where_a_member_does", "takes_the_whole_range",
                "refuses_wrong_values", "refuses_text_cut_short")
ENUM_CASES = ("survives_string_and_json", "refuses_what_is_no_value")


def replace(text, words):
    for word, value in words.items():
        text = text.replace("@%s@" % word, value)
    return text


def quote(text):
    out = ""
    for char in text:
        if char in "\"\\":
            out += "\\" + char
        else:
            out += char if " " <= char <= "~" else "\\x%02x" % ord(char)
    return '        "%s",\n' % out


# ----- filling with random values -----

def fill_fields(fields, at):
    out = ""
    for f in fields:
        value, ty = at + f.name, f.type
        if isinstance(ty, idl.Number) and ty.kind == "int":
            out += "%s = random_int();\n" % value
        elif isinstance(ty, idl.Number):
            out += "%s = (%s)random_unsigned(%s_MAX);\n" % (
                value, ty.cname, ty.kind.upper())
        elif isinstance(ty, idl.Bool):
            out += "%s = random_number() & 1;\n" % value
        elif isinstance(ty, idl.String):
            out += "%s = random_string();\n" % value
        elif isinstance(ty, idl.Defbool):
            out += "if (random_number() %% 3)\n    libxl_defbool_set(&%s, " \
                "random_number() & 1);\n" % value
        elif isinstance(ty, idl.Struct):
            out += "fill_%s(&%s);\n" % (ty.name, value)
        elif isinstance(ty, idl.Array):
            count = at + ty.count
            out += "%s = (int)(random_number() %% 4);\n" % count
            out += "if (%s) {\n" % count
            out += "    %s = calloc((size_t)%s, sizeof(*%s));\n" % (
                value, count, value)
            out += "    assert_non_null(%s);\n}\n" % value
            out += "for (i = 0; i < %s; i++) {\n" % count
            out += "    %s_init(&%s[i]);\n" % (ty.elem.cname, value)
            out += "    fill_%s(&%s[i]);\n}\n" % (ty.elem.name, value)
        elif isinstance(ty, idl.KeyedUnion):
            out += fill_union(f, at)
    return out


def fill_union(field, at):
    ty = field.type
    out = "switch (random_number() %% %d) {\n" % len(ty.members)
    for i, (word, member) in enumerate(ty.members):
        out += "case %d:\n" % i
        out += "    INIT_%s(p, %s%s);\n" % (ty.key, ty.key_type.prefix,
                                            ty.key_type.values[i][1])
        if member is not None:
            inner = fill_fields(member.fields,
                                "%s%s.%s." % (at, field.name, word))
            out += "".join("    " + line for line in inner.splitlines(True))
        out += "    break;\n"
    return out + "}\n"


def fill(ty):
    body = fill_fields(ty.fields, "p->")
    for f in ty.fields:
        if isinstance(f.type, idl.KeyedUnion):
            body = body.replace("INIT_%s(" % f.type.key, "%s_init_%s("
                                % (ty.cname, f.type.key))
    if "i++" in body:
        body = "int i;\n\n" + body
    return "\nstatic void fill_%s(%s *p)\n{\n%s}\n" % (
        ty.name, ty.cname, "".join("    " + line if line.strip() else line
                                   for line in body.splitlines(True)))


# ----- texts that must be taken, and refused -----

def values(ty):
    """JSON values of a member: others than its first, fine, and wrong."""
    if isinstance(ty, idl.Number):
        low, high = str(ty.low), str(ty.high)
        return (["1", low if ty.low else high], [low, high, "-0"],
                ['"1"', "1.5", "1.0", "1e1", "true", "null", "[]", "{}",
                 str(ty.low - 1), str(ty.high + 1), "1" + "0" * 40])
    if isinstance(ty, idl.Bool):
        return ["true"], ["false"], ["0", "1", "null", '"True"', "{}"]
    if isinstance(ty, idl.Defbool):
        return (['"True"', '"False"'], ['"<default>"'],
                ["true", "null", "1", '""', '"true"', '"Truex"'])
    if isinstance(ty, idl.String):
        return (['""', '"x"'], ["null"], ["1", "true", "{}", "[]"])
    if isinstance(ty, idl.Struct):
        different, right, wrong = texts(ty)
        return different, right, wrong + ["null", "1", "[]", '""']
    different, right, wrong = values(ty.elem)
    return (["[{}]", "[{}, {}]"], ["[]"] + ["[%s]" % v for v in right],
            ["{}", "null", '""', "1"] + ["[{}, %s]" % v for v in wrong])


def texts(ty):
    """JSON objects of a struct, of the same three kinds."""
    result = ([], [], [])
    for f in ty.fields:
        if isinstance(f.type, idl.KeyedUnion):
            named = union_values(f.type)
        else:
            named = [(f.name, values(f.type))]
        for name, kinds in named:
            for out, kind in zip(result, kinds):
                out.extend('{"%s": %s}' % (name, v) for v in kind)
            good = (kinds[0] + kinds[1])[0]
            result[2].append('{"%s": %s, "%s": %s}' % (name, good,
                                                       name, good))
        if len(named) > 1:
            result[2].append('{"%s": {}, "%s": {}}' % (named[0][0],
                                                       named[1][0]))
    return result


def union_values(ty):
    out = []
    for (word, member), (number, _) in zip(ty.members, ty.key_type.values):
        different, right, wrong = ([], [], []) if member is None \
            else texts(member)
        (different if number else right).append("{}")
        out.append(("%s.%s" % (ty.key, word),
                    (different, right, wrong + ["null", "[]", '""', "1"])))
    return out


def emit_struct(ty):
    different, right, wrong = texts(ty)
    return fill(ty) + replace(STRUCT_TESTS, {
        "S": ty.name, "T": ty.cname,
        "DIFFERENT": "".join(map(quote, different)),
        "RIGHT": "".join(map(quote, right)),
        "WRONG": "".join(map(quote, wrong)) +
        quote('{"x": ' + "[" * 64 + "]" * 64 + "}"),
    })


def emit_enum(ty):
    names = [ty.prefix + word for _, word in ty.values]
    return replace(ENUM_TEST, {
        "VALUES": "".join("        %s,\n" % name for name in names),
        "UNKNOWN": str(max(n for n, _ in ty.values) + 1),
    }).replace("values_first_@S@", names[0]).replace(
        "@S@", ty.name).replace("@T@", ty.cname)


def emit(types, include):
    out = replace(PREAMBLE, {"INCLUDE": include}).lstrip("\n")
    cases = []
    for ty in types:
        is_enum = isinstance(ty, idl.Enumeration)
        out += emit_enum(ty) if is_enum else emit_struct(ty)
        cases += ["%s_%s" % (ty.name, case)
                  for case in (ENUM_CASES if is_enum else STRUCT_CASES)]
    out += "\nint main(void)\n{\n    const struct CMUnitTest tests[] = {\n"
    out += "".join("        cmocka_unit_test(%s),\n" % case for case in cases)
    return out + ("    };\n\n    return cmocka_run_group_tests(tests, "
                  "read_seed, NULL);\n}\n")
