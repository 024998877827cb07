# SPDX-License-Identifier: LGPL-2.1-only
"""Reads an IDL file: what its words mean, and which mistakes are refused.

An IDL file is Python that calls the names in VOCABULARY.  A type knows its
C name and what it is made of; how C is made of it is the emitters' matter.
"""

import re

DIR_IN, DIR_OUT, DIR_BOTH = "in", "out", "both"


class Error(Exception):
    """A mistake in the IDL file, for whoever wrote it."""


def check_name(name, what):
    if not isinstance(name, str) or not re.fullmatch(r"[a-z_][a-z0-9_]*",
                                                     name):
        raise Error("%s: %r is not a lower-case C identifier" % (what, name))
    return name


class Type:
    name = None     # without the namespace
    cname = None    # as it stands in C; None for an anonymous struct
    owns = False    # whether a value may hold memory to be freed


class Number(Type):
    """An integer of C with its range; init is the value _init gives."""

    def __init__(self, kind, cname, low, high, init="0"):
        self.kind = kind        # the word for it in libxl_vscsi_json.h
        self.name = self.cname = cname
        self.low, self.high, self.init = low, high, init


class Bool(Type):
    name = cname = "bool"
    init = "false"


class String(Type):
    name = "string"
    cname = "char *"
    owns = True


class Defbool(Type):
    name, cname = "defbool", "libxl_defbool"


class Enumeration(Type):
    def __init__(self, name, values):
        self.name = check_name(name, "Enumeration")
        self.cname = None
        self.values = []
        for number, word in values:
            if not isinstance(number, int):
                raise Error("%s: %r has no number" % (name, word))
            check_name(word.lower(), name)
            self.values.append((number, word))
        if len(set(n for n, _ in self.values)) != len(self.values):
            raise Error("%s: two values have the same number" % name)
        if 0 not in (n for n, _ in self.values):
            raise Error("%s: no value is 0, which _init gives" % name)

    @property
    def prefix(self):
        return self.cname.upper() + "_"

    @property
    def first(self):
        return self.prefix + dict(self.values)[0]


class Array(Type):
    owns = True

    def __init__(self, elem, count):
        self.elem = elem
        self.count = check_name(count, "Array")
        if not isinstance(elem, Struct) or elem.name is None:
            raise Error("Array(%s): only named structs are supported" % count)


class KeyedUnion(Type):
    def __init__(self, name, key_type, key, members):
        if name is not None:
            raise Error("KeyedUnion: only anonymous ones are supported")
        if not isinstance(key_type, Enumeration):
            raise Error("KeyedUnion %s: the key is no Enumeration" % key)
        self.key = check_name(key, "KeyedUnion")
        self.key_type = key_type
        self.members = members
        words = [word.lower() for _, word in key_type.values]
        if [m[0] for m in members] != words:
            raise Error("KeyedUnion %s: members must be those of %s, in its "
                        "order" % (key, key_type.name))

    @property
    def owns(self):
        return any(t is not None and t.owns for _, t in self.members)


class Field:
    def __init__(self, name, ftype):
        self.name = check_name(name, "field")
        self.type = ftype


class Struct(Type):
    def __init__(self, name, fields, dir=DIR_BOTH):
        self.name = None if name is None else check_name(name, "Struct")
        self.dir = dir
        self.fields = []
        for field in fields:
            if len(field) != 2 or not isinstance(field[1], Type):
                raise Error("%s: %r is not (name, type)" % (name, field))
            if isinstance(field[1], Enumeration):
                raise Error("%s: %s: an Enumeration is only supported as the "
                            "key of a KeyedUnion" % (name, field[0]))
            self.fields.append(Field(*field))
        if not self.fields:
            raise Error("Struct %s: no fields" % name)

    @property
    def owns(self):
        return any(f.type.owns for f in self.fields)


def builtin(name, base=None, init_val=None):
    """A type of libxl.h: defbool, or an integer under libxl's name."""
    if name == "defbool":
        return Defbool()
    if not isinstance(base, Number):
        raise Error("Builtin %s: base must be an integer type" % name)
    return Number(base.kind, "libxl_" + check_name(name, "Builtin"),
                  base.low, base.high,
                  base.init if init_val is None else init_val)


def vocabulary():
    words = {
        "Enumeration": Enumeration, "Struct": Struct, "Array": Array,
        "KeyedUnion": KeyedUnion, "Builtin": builtin,
        "DIR_IN": DIR_IN, "DIR_OUT": DIR_OUT, "DIR_BOTH": DIR_BOTH,
        "string": String(), "bool": Bool(),
        "integer": Number("int", "int", -2 ** 31, 2 ** 31 - 1),
    }
    for width in (32, 64):
        kind = "uint%d" % width
        words[kind] = Number(kind, kind + "_t", 0, 2 ** width - 1)
    return words


def read(path):
    """The named types of the file, in its order."""
    words = vocabulary()
    prefix = []
    words["namespace"] = prefix.append
    before = set(words)
    with open(path) as idl_file:
        code = compile(idl_file.read(), path, "exec")
    exec(code, words)
    if len(prefix) != 1:
        raise Error("%s: namespace() must be said once" % path)
    types = []
    for word, value in words.items():
        if word in before or not isinstance(value, (Struct, Enumeration)):
            continue
        if value.name != word:
            raise Error("%s: %s is named %s" % (path, word, value.name))
        value.cname = prefix[0] + value.name
        types.append(value)
    return types
