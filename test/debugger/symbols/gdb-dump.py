"""Run by gdb on a machine that has not started yet: stops the program at many places and writes down what gdb knows there.

Settings come in the environment: DUMP_TO (a file for JSON), DUMP_BREAKS (JSON list of what to break at), DUMP_LINES (JSON list of
places FILE:LINE that are looked up only), DUMP_RAM (JSON list: address and length of the memory to write down).
"""
import json
import os

import gdb

MAX_STATES = 120
MAX_FRAMES = 40
RECORDS = (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION)
INTEGERS = (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_CHAR)


def shown(value, depth=0):
    """A value as the test compares it: numbers as text, so that none loses digits."""
    try:
        kind = value.type.strip_typedefs()
        if kind.code in RECORDS:
            return {"members": [[field.name or "", shown(value[field], depth + 1)] for field in kind.fields()]}
        if kind.code == gdb.TYPE_CODE_ARRAY:
            low, high = kind.range()
            return {"elements": [shown(value[index], depth + 1) for index in range(low, high + 1)]}
        if value.is_optimized_out:
            return {"text": "<optimized out>"}
        if kind.code == gdb.TYPE_CODE_PTR:
            target = kind.target().strip_typedefs()
            result = {"text": hex(int(value))}
            if depth == 0 and int(value) != 0 and target.code in RECORDS and target.fields():
                result["target"] = shown(value.dereference(), depth + 1)
            return result
        if kind.code in INTEGERS:
            return {"text": str(int(value)) if kind.sizeof <= 8 else str(value)}
        if kind.code == gdb.TYPE_CODE_BOOL:
            return {"text": "true" if int(value) else "false"}
        if kind.code == gdb.TYPE_CODE_FLT:
            return {"number": str(float(value))}
        # Enumerators; several of them in parentheses.
        return {"text": str(value).strip("()")}
    except gdb.MemoryError:
        return {"text": "<no memory>"}
    except gdb.error as problem:
        # An array of variable length whose length is optimized out has "no such vector element".
        isGone = "optimized out" in str(problem) or "no such vector element" in str(problem)
        return {"text": "<optimized out>" if isGone else f"<{problem}>"}


def variables_of(block, frame, isWanted):
    found = []
    for symbol in block:
        if isWanted(symbol):
            value = shown(symbol.value(frame))
            found.append({"name": symbol.name, "isParameter": symbol.is_argument, "type": str(symbol.type), "value": value})
    return found


def variables(frame):
    """Parameters and locals of a frame, those of the innermost block first."""
    found = []
    # Lengths of arrays that are computed are those of the selected frame.
    frame.select()
    try:
        block = frame.block()
    except RuntimeError:
        return found
    while block is not None:
        found += variables_of(block, frame, lambda symbol: symbol.is_argument or symbol.is_variable or symbol.is_constant)
        if block.function is not None:
            break
        block = block.superblock
    return found


def globals_of(frame):
    """Variables outside of functions that the source file defines."""
    try:
        block = frame.block()
    except RuntimeError:
        return []
    # Constants are names of enumerations here.
    blocks = (block.global_block, block.static_block)
    return [variable for each in blocks for variable in variables_of(each, frame, lambda symbol: symbol.is_variable)]


def frames():
    found = []
    frame = gdb.newest_frame()
    while frame is not None and len(found) < MAX_FRAMES:
        place = frame.find_sal()
        found.append(
            {
                "pc": hex(frame.pc()),
                "sp": hex(int(frame.read_register("sp"))),
                "name": frame.name(),
                "isInlined": frame.type() == gdb.INLINE_FRAME,
                "file": place.symtab.fullname() if place.symtab else None,
                "line": place.line,
                "variables": variables(frame),
            }
        )
        try:
            frame = frame.older()
        except gdb.error:
            break
    return found


def state():
    frame = gdb.newest_frame()
    integers = [hex(int(frame.read_register(f"x{number}")) & (2**64 - 1)) for number in range(32)]
    floats = [frame.read_register(f"f{number}")["double"].format_string(format="x") for number in range(32)]
    memory = gdb.selected_inferior().read_memory(*json.loads(os.environ["DUMP_RAM"])).tobytes()
    return {"pc": hex(frame.pc()), "registers": integers + floats, "memory": memory.hex(), "globals": globals_of(frame), "frames": frames()}


def places(text):
    breakpoint = gdb.Breakpoint(text)
    return [hex(location.address) for location in breakpoint.locations]


for setting in ("pagination off", "confirm off", "backtrace past-main on", "max-value-size unlimited"):
    gdb.execute(f"set {setting}")
result = {"lines": {text: places(text) for text in json.loads(os.environ["DUMP_LINES"])}, "states": []}
gdb.execute("delete")
result["functions"] = {text: places(text) for text in json.loads(os.environ["DUMP_BREAKS"])}
while len(result["states"]) < MAX_STATES:
    gdb.execute("continue")
    result["states"].append(state())
    if gdb.newest_frame().name() == "finished":
        break
    # Somewhere else in the function, or in one it calls.
    gdb.execute("stepi 9")
    result["states"].append(state())
with open(os.environ["DUMP_TO"], "w") as file:
    json.dump(result, file)
